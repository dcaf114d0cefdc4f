// 1. The file's size and its octets are checked. 2. yaml-cpp calls TreeBuilder event by event. 3. read_model() reads
// the tree.
#include "config/parse.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <new>
#include <optional>
#include <sstream>
#include <unordered_map>

#include "config/codec.h"
#include "config/node.h"
#include "config/read.h"
#include "config/report.h"

namespace config {
namespace {

// Thrown through yaml-cpp after a report that makes the rest of the file pointless.
struct Stop {};

Place place_from(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

// Events to a tree. Anchors, aliases, tags and second documents are refused: a file means what it shows.
class TreeBuilder final : public YAML::EventHandler {
public:
    explicit TreeBuilder(Report& report) : report_(report) {}
    Node take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (documents_++ > 0)
            refuse(place_from(mark), "a second document begins here", "keep one document in the file");
    }
    void OnDocumentEnd() override {}
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        refuse(place_from(mark), "an alias stands here", "write the value out");
    }
    void OnAnchor(const YAML::Mark& mark, const std::string&) override {
        refuse(place_from(mark), "an anchor stands here", "write the value out where it is needed");
    }
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        add(start(mark, "", anchor, Node::Kind::null));
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& v) override {
        Node n = start(mark, tag, anchor, Node::Kind::scalar);
        if (v.size() > kMaxScalarOctets)
            stop(n.place, rule::too_large, fmt::format("a value of {} octets stands here", v.size()),
                 fmt::format("keep values within {} octets", kMaxScalarOctets));
        n.plain = tag == "?" || tag.empty();
        n.text = v;
        add(std::move(n));
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value style) override {
        open(start(mark, tag, anchor, Node::Kind::sequence), style);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value style) override {
        open(start(mark, tag, anchor, Node::Kind::map), style);
    }
    void OnMapEnd() override { close(); }

private:
    // A map or list that is being read. `key`: the map's key whose value comes next.
    struct Open {
        Node node;
        std::optional<Key> key;
        std::unordered_map<std::string, int> lines;  // of the keys so far
    };

    [[noreturn]] void stop(Place place, std::string_view rule, std::string message, std::string remedy) {
        report_.add(place, rule, std::move(message), std::move(remedy));
        throw Stop{};
    }
    [[noreturn]] void refuse(Place place, std::string message, std::string remedy) {
        stop(place, rule::yaml_feature, std::move(message), std::move(remedy));
    }

    Node start(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind) {
        const Place place = place_from(mark);
        if (anchor != 0) refuse(place, "an anchor stands here", "write the value out where it is needed");
        if (tag != "" && tag != "?" && tag != "!") refuse(place, "a tag stands here", "write the value without `!`");
        if (++values_ > kMaxValues)
            stop(place, rule::too_large, fmt::format("more than {} values", kMaxValues), "split the configuration");
        Node n = Node::of(kind);
        n.place = place;
        return n;
    }

    void open(Node n, YAML::EmitterStyle::value style) {
        if (open_.size() >= kMaxDepth)
            stop(n.place, rule::too_large, fmt::format("more than {} maps and lists in one another", kMaxDepth),
                 "no key of ours is that deep");
        if (!open_.empty() && open_.back().node.kind == Node::Kind::map) {
            if (!open_.back().key) refuse(n.place, "a key that is no text", "write `name: value`");
            if (style == YAML::EmitterStyle::Block) n.place = open_.back().key->place;
        }
        open_.push_back({std::move(n), std::nullopt, {}});
    }

    void close() {
        Node n = std::move(open_.back().node);
        open_.pop_back();
        add(std::move(n));
    }

    void add(Node n) {
        if (open_.empty()) {
            root_ = std::move(n);
            return;
        }
        Open& into = open_.back();
        if (into.node.kind == Node::Kind::sequence) return into.node.children.push_back(std::move(n));
        if (!into.key) return set_key(into, n);
        put(into, std::move(n));
    }

    void set_key(Open& into, const Node& n) {
        if (n.kind != Node::Kind::scalar) refuse(n.place, "a key that is no text", "write `name: value`");
        into.key = Key{n.text, n.place};
    }

    void put(Open& into, Node value) {
        const Key key = *std::exchange(into.key, std::nullopt);
        if (value.kind == Node::Kind::null) value.place = key.place;
        const auto [first, is_new] = into.lines.emplace(key.text, key.place.line);
        if (!is_new) {
            report_.add(key.place, rule::duplicate_key,
                        fmt::format("{} stands in line {} already", quoted(key.text), first->second),
                        "keep one of the two");
            return;
        }
        into.node.keys.push_back(key);
        into.node.children.push_back(std::move(value));
    }

    Report& report_;
    Node root_;
    std::vector<Open> open_;
    std::size_t values_{};
    int documents_{};
};

// Octets YAML has no place for; yaml-cpp takes some of them for the end of the file.
bool check_octets(std::string_view text, Report& report) {
    Place place{1, 1};
    if (text.size() > kMaxFileOctets) {
        report.add(place, rule::too_large, fmt::format("the file has {} octets", text.size()),
                   fmt::format("keep it within {}", kMaxFileOctets));
        return false;
    }
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        if (octet == 0x7F || octet >= 0xF8 || (octet < 0x20 && c != '\n' && c != '\r' && c != '\t')) {
            report.add(place, rule::yaml_syntax, fmt::format("octet {:#04x} stands here", octet),
                       "save the file as UTF-8 text");
            return false;
        }
        place = c == '\n' ? Place{place.line + 1, 1} : Place{place.line, place.column + 1};
    }
    return true;
}

std::optional<Node> read_tree(std::string_view text, Report& report) {
    if (!check_octets(text, report)) return std::nullopt;
    try {
        std::istringstream in{std::string(text)};
        YAML::Parser parser(in);
        TreeBuilder builder(report);
        while (parser.HandleNextDocument(builder)) {
        }
        return builder.take();
    } catch (const Stop&) {
    } catch (const YAML::Exception& e) {
        report.add(place_from(e.mark), rule::yaml_syntax, e.msg,
                   "mend the YAML: spaces for indentation, `key: value`, brackets and quotes closed");
    }
    return std::nullopt;
}

}  // namespace

std::expected<Model, std::vector<Diagnostic>> parse(std::string_view text, std::string_view file_name) noexcept try {
    Report report;
    const auto root = read_tree(text, report);
    if (!root) return std::unexpected(report.take());
    Model model = read_model(*root, report);
    if (!report.empty()) return std::unexpected(report.take());
    model.places.file = file_name;
    return model;
} catch (const std::exception&) {  // yaml-cpp, or no memory
    return std::unexpected(std::vector<Diagnostic>{
        {{}, std::string(rule::too_large), "the file cannot be held in memory", "make it smaller"}});
}

}  // namespace config
