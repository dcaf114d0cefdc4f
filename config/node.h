// A configuration file as a tree of text: what stands between YAML and the model. Pure; control thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "config/model.h"

namespace config {

struct Key {
    std::string text;
    Place place;
    bool operator==(const Key&) const = default;
};

struct Node {
    enum class Kind : std::uint8_t { null, scalar, sequence, map };
    Kind kind{Kind::null};
    bool plain{true};  // scalar: written without quotes
    Place place;
    std::string text;            // scalar
    std::vector<Key> keys;       // map: parallel to children, unique, in the file's order
    std::vector<Node> children;  // map and sequence
    bool operator==(const Node&) const = default;

    static Node scalar(std::string text, bool plain = true) {
        Node n;
        n.kind = Kind::scalar;
        n.plain = plain;
        n.text = std::move(text);
        return n;
    }
    static Node of(Kind kind) {
        Node n;
        n.kind = kind;
        return n;
    }
    void put(std::string_view key, Node child) {
        keys.push_back({std::string(key), {}});
        children.push_back(std::move(child));
    }
    const Node* find(std::string_view key) const noexcept {
        for (std::size_t i = 0; i < keys.size(); ++i)
            if (keys[i].text == key) return &children[i];
        return nullptr;
    }
};

}  // namespace config
