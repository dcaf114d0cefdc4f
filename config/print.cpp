#include "config/print.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/schema.h"

namespace config {
namespace {

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

template <class Codec, class V>
Node write(const Codec& codec, const V& v, bool resolved) {
    if constexpr (requires { codec.write(v, resolved); })
        return codec.write(v, resolved);
    else
        return codec.write(v);
}

// One struct to one map, by describe().
template <class T>
class MapWriter {
public:
    MapWriter(const T& v, bool resolved) : v_(v), resolved_(resolved) {}
    Node take() { return std::move(out_); }

    template <class M, class Codec>
    void required(std::string_view key, M T::*member, const Codec& codec) {
        out_.put(key, write(codec, v_.*member, resolved_));
    }

    template <class M, class Codec>
    void optional(std::string_view key, M T::*member, const Codec& codec) {
        const M& value = v_.*member;
        const bool is_default = value == kDefault.*member;
        if (is_default && !resolved_) return;
        if constexpr (kIsOptional<M>) {
            if (is_default && !value) return;
        }
        required(key, member, codec);
    }

    template <class Describe>
    void group(std::string_view key, Describe describe_group) {
        MapWriter inner(v_, resolved_);
        describe_group(inner);
        if (!inner.out_.keys.empty()) out_.put(key, inner.take());
    }

private:
    static inline const T kDefault{};
    const T& v_;
    bool resolved_;
    Node out_ = Node::of(Node::Kind::map);
};

// Text that every YAML reader takes for text, and an address for itself, without quotes.
bool is_bare(std::string_view s) {
    constexpr std::string_view kWords[] = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto good = [&](char c) {
        return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '/';
    };
    if (s.empty() || !std::ranges::all_of(s, good)) return false;
    std::string lower(s);
    std::ranges::transform(lower, lower.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const bool is_word = std::ranges::find(kWords, lower) != std::end(kWords);
    return (letter(s[0]) || s[0] == '/') ? !is_word : s[0] != '-' && std::ranges::count(s, '.') == 3;
}

std::string scalar(const Node& n) {
    if (n.plain || is_bare(n.text)) return n.text;
    std::string s = "\"";
    for (char c : n.text) {
        if (c == '"' || c == '\\') s += '\\';
        s += c;
    }
    return s + '"';
}

std::string flow(const Node& n) {
    if (n.kind == Node::Kind::scalar) return scalar(n);
    const bool map = n.kind == Node::Kind::map;
    std::string s = map ? "{" : "[";
    for (std::size_t i = 0; i < n.children.size(); ++i) {
        if (i > 0) s += ", ";
        if (map) s += scalar(Node::scalar(n.keys[i].text, false)) + ": ";
        s += flow(n.children[i]);
    }
    return s + (map ? "}" : "]");
}

// Lists of scalars or tags, and everything empty, stand in one line.
bool in_one_line(const Node& n) {
    if (n.kind == Node::Kind::scalar || n.children.empty()) return true;
    return n.kind == Node::Kind::sequence && std::ranges::all_of(n.children, [](const Node& c) {
               return c.kind == Node::Kind::scalar || (!c.keys.empty() && c.keys[0].text == "tpid");
           });
}

void block(const Node& n, std::string indent, std::string first, std::string& out) {
    for (std::size_t i = 0; i < n.children.size(); ++i) {
        const Node& child = n.children[i];
        out += i == 0 ? first : indent;
        if (n.kind == Node::Kind::sequence) {
            if (in_one_line(child))
                out += "- " + flow(child) + '\n';
            else
                block(child, indent + "  ", "- ", out);
            continue;
        }
        out += scalar(Node::scalar(n.keys[i].text, false)) + ':';
        if (in_one_line(child)) {
            out += ' ' + flow(child) + '\n';
        } else {
            out += '\n';
            block(child, indent + "  ", indent + "  ", out);
        }
    }
}

}  // namespace

template <class T>
Node Struct<T>::write(const T& v, bool resolved) const {
    MapWriter<T> io(v, resolved);
    describe(io, Type<T>{});
    return io.take();
}

template <class Codec>
template <class T>
Node List<Codec>::write(const std::vector<T>& v, bool resolved) const {
    Node out = Node::of(Node::Kind::sequence);
    for (const T& e : v) out.children.push_back(config::write(codec, e, resolved));
    return out;
}

template <class T>
Node Named<T>::write(const std::map<std::string, T>& v, bool resolved) const {
    Node out = Node::of(Node::Kind::map);
    for (const auto& [name, e] : v) out.put(name, Struct<T>{}.write(e, resolved));
    return out;
}

Node WorkersCodec::write(const Workers& v, bool resolved) const {
    Workers w = v;
    const bool cores_say_it = !w.cores.empty() && w.count == w.cores.size();
    if (!resolved && cores_say_it) w.count = Workers{}.count;
    return Struct<Workers>{}.write(w, resolved || !(w.cores.empty() || cores_say_it));
}

Node VlanStackCodec::write(const net::VlanStack& v, bool resolved) const {
    Node out = Node::of(Node::Kind::sequence);
    for (std::size_t i = 0; i < v.depth; ++i) {
        const bool number = v.tags[i].tpid == net::kTpidCustomer && !resolved;
        out.children.push_back(number ? write_number(v.tags[i].vid, false)
                                      : Struct<net::VlanTag>{}.write(v.tags[i], true));
    }
    return out;
}

Node to_node(const Model& m, Form form) { return Struct<Model>{}.write(m, form == Form::resolved); }

std::string print(const Model& m, Form form) {
    std::string out;
    block(to_node(m, form), "", "", out);
    return out;
}

}  // namespace config
