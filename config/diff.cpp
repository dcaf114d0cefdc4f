#include "config/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "config/print.h"

namespace config {
namespace {

using Strings = std::vector<std::string>;

std::string one_line(const Node& n) {
    if (n.kind == Node::Kind::scalar) return n.text.empty() ? "\"\"" : n.text;
    std::string s;
    for (std::size_t i = 0; i < n.children.size(); ++i) {
        if (i > 0) s += ", ";
        if (n.kind == Node::Kind::map) s += n.keys[i].text + ": ";
        s += one_line(n.children[i]);
    }
    return n.kind == Node::Kind::map ? "{" + s + "}" : "[" + s + "]";
}

void compare(const Node* a, const Node* b, const std::string& path, Strings& out);

void compare_maps(const Node& a, const Node& b, const std::string& path, Strings& out) {
    const auto below = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
    for (std::size_t i = 0; i < a.keys.size(); ++i)
        compare(&a.children[i], b.find(a.keys[i].text), below(a.keys[i].text), out);
    for (std::size_t i = 0; i < b.keys.size(); ++i)
        if (!a.find(b.keys[i].text)) compare(nullptr, &b.children[i], below(b.keys[i].text), out);
}

// "path OLD -> NEW" for every value that differs; lists of values as a whole.
void compare(const Node* a, const Node* b, const std::string& path, Strings& out) {
    if (a && b && *a == *b) return;
    if (a && b && a->kind == Node::Kind::map && b->kind == Node::Kind::map) return compare_maps(*a, *b, path, out);
    const bool lists = a && b && a->kind == Node::Kind::sequence && a->children.size() == b->children.size();
    if (lists && !a->children.empty() && a->children[0].kind == Node::Kind::map) {
        for (std::size_t i = 0; i < a->children.size(); ++i)
            compare(&a->children[i], &b->children[i], fmt::format("{}[{}]", path, i), out);
        return;
    }
    out.push_back(fmt::format("{} {} -> {}", path, a ? one_line(*a) : "none", b ? one_line(*b) : "none"));
}

// The parts of a node named by `keys` and those not named.
Node part(const Node& n, std::initializer_list<std::string_view> keys, bool named) {
    Node out = Node::of(Node::Kind::map);
    for (std::size_t i = 0; i < n.keys.size(); ++i)
        if ((std::ranges::find(keys, n.keys[i].text) != keys.end()) == named) out.put(n.keys[i].text, n.children[i]);
    return out;
}

const Node& child(const Node& n, std::string_view key) {
    static const Node kNone = Node::of(Node::Kind::map);
    const Node* c = n.find(key);
    return c ? *c : kNone;
}

std::string tags_text(const net::VlanStack& s) {
    std::string text;
    for (std::size_t i = 0; i < s.depth; ++i)
        text += fmt::format("{}{}", i == 0 ? " behind VLAN " : ".", s.tags[i].vid);
    return text;
}

// Collects the changes of a pair of models, whose trees name every value.
class Comparison {
public:
    Comparison(const Model& a, const Model& b)
        : a_(a), b_(b), tree_a_(to_node(a, Form::resolved)), tree_b_(to_node(b, Form::resolved)) {}

    Differences run() {
        names(a_.connections, b_.connections, Action::removed, Subject::connection, "connection");
        names(a_.interfaces, b_.interfaces, Action::removed, Subject::interface, "interface");
        secys(Action::removed);
        names(a_.ports, b_.ports, Action::removed, Subject::port, "port");
        names(b_.ports, a_.ports, Action::added, Subject::port, "port");
        ports();
        secys(Action::added);
        secys(Action::changed);
        names(b_.interfaces, a_.interfaces, Action::added, Subject::interface, "interface");
        interfaces();
        names(b_.connections, a_.connections, Action::added, Subject::connection, "connection");
        for (const auto& [name, c] : b_.connections)
            if (a_.connections.contains(name))
                whole(Subject::connection, name, "connection " + name, at("connections", name));
        singles();
        restarts();
        return std::move(out_);
    }

private:
    struct Pair {
        const Node &a, &b;
    };
    Pair at(std::string_view section) const { return {child(tree_a_, section), child(tree_b_, section)}; }
    Pair at(std::string_view section, std::string_view name) const {
        return {child(child(tree_a_, section), name), child(child(tree_b_, section), name)};
    }

    // A change if the two differ, with every difference in words.
    void whole(Subject subject, const std::string& name, const std::string& what, Pair p,
               const net::VlanStack& tags = {}) {
        Strings words;
        compare(&p.a, &p.b, "", words);
        if (!words.empty())
            out_.changes.push_back(
                {Action::changed, subject, name, tags, fmt::format("{}: {}", what, fmt::join(words, ", "))});
    }

    // Names that only `from` has.
    template <class Map>
    void names(const Map& from, const Map& other, Action action, Subject subject, std::string_view word) {
        for (const auto& [name, v] : from)
            if (!other.contains(name))
                out_.changes.push_back(
                    {action,
                     subject,
                     name,
                     {},
                     fmt::format("{} {}: {}", word, name, action == Action::added ? "added" : "removed")});
    }

    void ports() {
        for (const auto& [name, port] : b_.ports) {
            if (!a_.ports.contains(name)) continue;
            const auto p = at("ports", name);
            whole(Subject::port, name, "port " + name,
                  {part(p.a, {"facility", "mtu"}, true), part(p.b, {"facility", "mtu"}, true)});
            Strings words;
            const auto fixed = {std::string_view("driver"), std::string_view("device"),
                                std::string_view("receive-worker"), std::string_view("transmit-worker")};
            const Node a = part(p.a, fixed, true), b = part(p.b, fixed, true);
            compare(&a, &b, "ports." + name, words);
            std::ranges::move(words, std::back_inserter(out_.needs_restart));
        }
    }

    void secys(Action action) {
        for (const auto& [name, now] : b_.ports)
            if (const auto was = a_.ports.find(name); was != a_.ports.end()) port_secys(name, was->second, now, action);
    }

    void port_secys(const std::string& name, const Port& was, const Port& now, Action action) {
        const auto& from = action == Action::removed ? was.macsec : now.macsec;
        const auto& other = action == Action::removed ? now.macsec : was.macsec;
        for (std::size_t i = 0; i < from.size(); ++i) {
            const auto same = std::ranges::find(other, from[i].clear_tags, &SecY::clear_tags);
            const std::string what = fmt::format("MACsec on port {}{}", name, tags_text(from[i].clear_tags));
            if (action == Action::changed && same != other.end()) {
                const auto j = static_cast<std::size_t>(same - other.begin());
                changed_secy(name, what, from[i].clear_tags,
                             {child(at("ports", name).a, "macsec").children[j],
                              child(at("ports", name).b, "macsec").children[i]});
            } else if (action != Action::changed && same == other.end()) {
                const auto words = action == Action::added ? "added"
                                 : now.macsec.empty()      ? "removed: the port becomes PLAIN"
                                                           : "removed";
                out_.changes.push_back(
                    {action, Subject::secy, name, from[i].clear_tags, fmt::format("{}: {}", what, words)});
            }
        }
    }

    void changed_secy(const std::string& name, const std::string& what, const net::VlanStack& tags, Pair p) {
        const auto keys = {std::string_view("static"), std::string_view("mka")};
        whole(Subject::secy, name, what, {part(p.a, keys, false), part(p.b, keys, false)}, tags);
        whole(Subject::secy_keys, name, what, {part(p.a, keys, true), part(p.b, keys, true)}, tags);
    }

    void interfaces() {
        for (const auto& [name, interface] : b_.interfaces) {
            if (!a_.interfaces.contains(name)) continue;
            const auto p = at("interfaces", name);
            whole(Subject::interface, name, "interface " + name,
                  {part(p.a, {"addresses"}, false), part(p.b, {"addresses"}, false)});
            whole(Subject::addresses, name, "interface " + name,
                  {part(p.a, {"addresses"}, true), part(p.b, {"addresses"}, true)});
        }
    }

    void singles() {
        whole(Subject::bgp, "", "bgp", at("bgp"));
        whole(Subject::router_name, "", "router",
              {part(at("router").a, {"name"}, true), part(at("router").b, {"name"}, true)});
        whole(Subject::log_level, "", "log", at("log"));
    }

    void restarts() {
        const auto add = [&](std::string_view section, Pair p) {
            compare(&p.a, &p.b, std::string(section), out_.needs_restart);
        };
        add("router", {part(at("router").a, {"name"}, false), part(at("router").b, {"name"}, false)});
        add("workers", at("workers"));
        add("memory", at("memory"));
        add("fib", at("fib"));
        add("host", at("host"));
    }

    const Model &a_, &b_;
    const Node tree_a_, tree_b_;
    Differences out_;
};

}  // namespace

Differences diff(const Model& old_model, const Model& new_model) { return Comparison(old_model, new_model).run(); }

}  // namespace config
