#include "config/read.h"

#include <fmt/format.h>

#include <numeric>

#include "config/schema.h"

namespace config {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t change = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({change, diagonal + 1, row[j] + 1});
        }
    }
    return row[b.size()];
}

std::string below(const std::string& path, std::string_view key) {
    return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

bool is_kind(Reading& r, const Node& n, const std::string& path, Node::Kind kind, std::string_view wants) {
    if (n.kind == kind) return true;
    const bool empty = n.kind == Node::Kind::null;
    const auto what = empty                        ? "is empty"
                    : n.kind == Node::Kind::scalar ? "is text"
                    : n.kind == Node::Kind::map    ? "is a map"
                                                   : "is a list";
    r.report.add(n.place, rule::wrong_type, fmt::format("{} {}", path.empty() ? "the file" : "`" + path + "`", what),
                 empty ? fmt::format("write {} or leave the key out", wants) : fmt::format("write {}", wants));
    return false;
}

// One map of the file into one struct: asks for each key describe() names, then reports those nobody asked for.
template <class T>
class MapReader {
public:
    MapReader(Reading& reading, const Node& node, std::string path, T& out)
        : reading_(reading), node_(node), path_(std::move(path)), out_(out) {}

    template <class M, class Codec>
    void required(std::string_view key, M T::*member, const Codec& codec) {
        if (!optional(key, member, codec))
            reading_.report.add(node_.place, rule::missing_key,
                                fmt::format("{} lacks `{}`", path_.empty() ? "the file" : "`" + path_ + "`", key),
                                fmt::format("add `{}:` with {}", key, codec.wants()));
    }

    template <class M, class Codec>
    bool optional(std::string_view key, M T::*member, const Codec& codec) {
        const Node* n = find(key);
        if (!n) return false;
        const std::string path = below(path_, key);
        reading_.places.at[path] = n->place;
        codec.read(reading_, *n, path, out_.*member);
        return true;
    }

    template <class Describe>
    void group(std::string_view key, Describe describe_group) {
        const Node* n = find(key);
        const std::string path = below(path_, key);
        if (!n || !is_kind(reading_, *n, path, Node::Kind::map, "a map")) return;
        MapReader inner(reading_, *n, path, out_);
        describe_group(inner);
        inner.report_unknown();
    }

    void report_unknown() {
        for (const Key& key : node_.keys) {
            if (reading_.report.full()) return;
            if (std::ranges::find(known_, key.text) != known_.end()) continue;
            const auto meant = nearest(key.text, known_);
            reading_.report.add(
                key.place, rule::unknown_key,
                fmt::format("{} is no key of {}", quoted(key.text), path_.empty() ? "the file" : "`" + path_ + "`"),
                meant.empty() ? "known here: " + fmt::format("{}", fmt::join(known_, ", "))
                              : fmt::format("did you mean `{}`?", meant));
        }
    }

private:
    const Node* find(std::string_view key) {
        known_.push_back(key);
        return node_.find(key);
    }

    Reading& reading_;
    const Node& node_;
    std::string path_;
    T& out_;
    std::vector<std::string_view> known_;
};

}  // namespace

std::string_view nearest(std::string_view text, const std::vector<std::string_view>& known) {
    std::string_view best;
    std::size_t least = std::max<std::size_t>(2, text.size() / 3) + 1;
    if (text.size() > 40) return best;
    for (std::string_view k : known)
        if (const auto d = edit_distance(text, k); d < least) least = d, best = k;
    return best;
}

template <class T>
bool Struct<T>::read(Reading& r, const Node& n, const std::string& path, T& out) const {
    if (!is_kind(r, n, path, Node::Kind::map, "a map")) return false;
    if constexpr (requires { out.place; }) out.place = n.place;
    MapReader<T> io(r, n, path, out);
    describe(io, Type<T>{});
    io.report_unknown();
    return true;
}

template <class Codec>
template <class T>
bool List<Codec>::read(Reading& r, const Node& n, const std::string& path, std::vector<T>& out) const {
    if (!is_kind(r, n, path, Node::Kind::sequence, "a list")) return false;
    for (const Node& child : n.children) {
        if (r.report.full()) return false;
        const std::string here = fmt::format("{}[{}]", path, out.size());
        r.places.at[here] = child.place;
        codec.read(r, child, here, out.emplace_back());
    }
    return true;
}

template <class T>
bool Named<T>::read(Reading& r, const Node& n, const std::string& path, std::map<std::string, T>& out) const {
    if (!is_kind(r, n, path, Node::Kind::map, "a map of names")) return false;
    for (std::size_t i = 0; i < n.keys.size() && !r.report.full(); ++i) {
        if (!name.check(r, n.keys[i].place, n.keys[i].text, path)) continue;
        const std::string here = below(path, n.keys[i].text);
        r.places.at[here] = n.keys[i].place;
        Struct<T>{}.read(r, n.children[i], here, out[n.keys[i].text]);
    }
    return true;
}

bool WorkersCodec::read(Reading& r, const Node& n, const std::string& path, Workers& out) const {
    if (!Struct<Workers>{}.read(r, n, path, out)) return false;
    if (!out.cores.empty() && !n.find("count")) out.count = static_cast<std::uint32_t>(out.cores.size());
    return true;
}

bool VlanStackCodec::read(Reading& r, const Node& n, const std::string& path, net::VlanStack& out) const {
    if (!is_kind(r, n, path, Node::Kind::sequence, "a list of tags")) return false;
    if (n.children.size() > out.tags.size()) {
        r.report.add(n.place, rule::vlan_depth, fmt::format("`{}` has {} tags", path, n.children.size()),
                     "write at most two");
        return false;
    }
    for (const Node& child : n.children) {
        const std::string here = fmt::format("{}[{}]", path, out.depth);
        r.places.at[here] = child.place;
        net::VlanTag& tag = out.tags[out.depth++];
        if (child.kind == Node::Kind::scalar)
            NumberCodec{}.read(r, child, here, tag.vid);
        else
            Struct<net::VlanTag>{}.read(r, child, here, tag);
    }
    return true;
}

Model read_model(const Node& root, Report& report) {
    Model model;
    Reading reading{report, model.places};
    Node map = Node::of(Node::Kind::map);
    map.place = {1, 1};
    Struct<Model>{}.read(reading, root.kind == Node::Kind::null ? map : root, "", model);
    return model;
}

}  // namespace config
