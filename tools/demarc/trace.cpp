// 1. a record becomes part of a frame's story
// 2. a story that has its end is printed: a line a stage, then what became of the frame
// 3. the connection, until enough is told
#include "tools/demarc/trace.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <ctime>

#include "tools/demarc/cells.h"
#include "tools/demarc/client.h"
#include "tools/demarc/render.h"
#include "tools/demarc/stop_signals.h"

namespace cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{100};  // at signals
constexpr std::chrono::seconds kFarewell{5};     // until the daemon has sent the rest
constexpr std::chrono::seconds kPatience{1};     // until a frame that is told in part is given up
constexpr std::size_t kMostLine = 1 << 16;       // octets of a record

std::string clock_text(std::uint64_t ns) {
    const auto seconds = static_cast<std::time_t>(ns / 1'000'000'000);
    std::tm t{};
    localtime_r(&seconds, &t);
    return fmt::format("{:02}:{:02}:{:02}.{:09}", t.tm_hour, t.tm_min, t.tm_sec, ns % 1'000'000'000);
}

void add_if(std::vector<std::string>& words, const Json& step, std::string_view key, std::string_view format) {
    if (!member(step, key).is_null()) words.push_back(fmt::format(fmt::runtime(format), text(step, key)));
}
void add_id_if(std::vector<std::string>& words, const Json& step, std::string_view key, std::string_view format) {
    if (number(step, key)) words.push_back(fmt::format(fmt::runtime(format), id_text(step, key)));
}

// What a stage learned.
std::string learned(const Json& step) {
    const std::string stage = text(step, "stage");
    std::vector<std::string> words;
    if (stage == "receive" || stage == "transmit" || stage == "protect") {
        add_id_if(words, step, "octets", "{} octets");
        add_if(words, step, "type", "{}");
    }
    if (stage == "receive" || stage == "hand-over" || stage == "transmit") add_if(words, step, "port", "port {}");
    add_if(words, step, "destination", "to {}");
    if (text(step, "kind") != "group") add_if(words, step, "kind", "{}");
    add_id_if(words, step, "group", "group {}");
    add_id_if(words, step, "next_hop", "next hop {}");
    add_if(words, step, "mac", "{}");
    if (stage == "pop-vlan" || stage == "route" || stage == "push-vlan")
        add_if(words, step, "interface", "interface {}");
    add_if(words, step, "sci", "SCI {}");
    add_id_if(words, step, "an", "AN {}");
    add_id_if(words, step, "pn", "PN {}");
    add_id_if(words, step, "to_worker", "for worker {}");
    return fmt::format("{}", fmt::join(words, ", "));
}

bool goes_on(const Json& step) { return text(step, "outcome") == "on"; }

bool is_end(const Json& step) { return !goes_on(step) || text(step, "stage") == "transmit"; }

std::string end_text(const std::vector<Json>& ingress, const std::vector<Json>& egress, const Style& style) {
    const std::vector<Json>& last = egress.empty() ? ingress : egress;
    if (last.empty()) return "  nothing is known of it\n";
    const Json& step = last.back();
    const std::string stage = text(step, "stage"), verdict = text(step, "verdict");
    if (text(step, "outcome") == "drop")
        return "  " + paint(fmt::format("DROPPED by {}: {}", stage, verdict), Tone::bad, style) + "\n";
    if (!goes_on(step)) return fmt::format("  to the host: {}\n", verdict);
    if (stage == "transmit")
        return "  " + paint("transmitted", Tone::good, style) + fmt::format(" on port {}\n", text(step, "port"));
    return "  " + paint(fmt::format("not seen again after {}; see `demarc show drops`", stage), Tone::warning, style) +
           "\n";
}

}  // namespace

std::string Stories::text(const Story& story, const Style& style) {
    ++told_;
    std::string out =
        paint(fmt::format("frame {}", told_), Tone::strong, style) + "  " + clock_text(story.time_ns) + "\n";
    for (const auto* steps : {&story.ingress, &story.egress})
        for (const Json& step : *steps) {
            auto line = fmt::format("  {:<10} worker {:<2}  {:<8}  {}", cli::text(step, "stage"),
                                    id_text(step, "worker"), cli::text(step, "verdict"), learned(step));
            line.erase(line.find_last_not_of(' ') + 1);
            out += line + "\n";
        }
    return out + end_text(story.ingress, story.egress, style) + "\n";
}

std::string Stories::add(const Json& record, const Style& style) {
    const auto id = number(record, "frame");
    const Json& steps = list(record, "steps");
    if (!id || steps.empty()) return "";
    const bool ingress = cli::text(steps.front(), "stage") == "receive";
    Story& story = open_[*id];
    if (story.time_ns == 0 || ingress) story.time_ns = number(record, "time_ns").value_or(0);
    for (const Json& step : steps) (ingress ? story.ingress : story.egress).push_back(step);
    const auto& last = story.egress.empty() ? story.ingress : story.egress;
    if (!whole_ && (story.ingress.empty() || !is_end(last.back()))) return "";
    std::string out = text(story, style);
    open_.erase(*id);
    return out;
}

std::string Stories::rest(const Style& style) {
    std::string out;
    for (const auto& [id, story] : open_) out += text(story, style);
    open_.clear();
    return out;
}

namespace {

class Tracing {
public:
    Tracing(const Options& o, Stream& stream, const Style& out)
        : o_(o), stream_(stream), out_(out), stories_(o.trace.drops || !o.trace.verdict.empty()) {}

    // Until its end. False: the daemon ended first, or the output takes no more.
    bool run() {
        while (!ended_) {
            finish_if_due();
            if (finishing_ && (Clock::now() > last_moment_ || stop_signals() > 1)) return false;
            const auto octets = stream_.read(kLook);
            if (!octets || !take(*octets)) return false;
        }
        return o_.json || enough() || print(stories_.rest(out_));
    }
    std::uint64_t dropped() const { return dropped_; }

private:
    bool enough() const { return stories_.told() >= o_.trace.count; }
    // All are under way, and some of them have stopped somewhere.
    bool stuck() const {
        return stories_.told() + stories_.open() >= o_.trace.count && Clock::now() - last_record_ > kPatience;
    }
    void finish_if_due() {
        if (finishing_ || !(stop_signals() != 0 || enough() || stuck())) return;
        finishing_ = true;
        last_moment_ = Clock::now() + kFarewell;
        stream_.finish();
    }

    // False: it is no trace, or the output takes no more.
    bool take(const std::string& octets) {
        pending_ += octets;
        for (std::size_t end; (end = pending_.find('\n')) != std::string::npos; pending_.erase(0, end + 1))
            if (!take_line(pending_.substr(0, end))) return false;
        return pending_.size() < kMostLine;
    }
    bool take_line(const std::string& line) {
        const auto record = parse_answer(line);
        if (!record) return false;
        if (flag(*record, "end") == true) {
            ended_ = true;
            dropped_ = number(*record, "dropped").value_or(0);
            return true;
        }
        if (enough()) return true;
        last_record_ = Clock::now();
        const std::string story = stories_.add(*record, out_);
        return print(o_.json ? line + "\n" : story);
    }
    static bool print(const std::string& text) {
        std::fwrite(text.data(), 1, text.size(), stdout);
        return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
    }

    const Options& o_;
    Stream& stream_;
    const Style& out_;
    Stories stories_;
    std::string pending_;
    bool finishing_{}, ended_{};
    Clock::time_point last_moment_, last_record_{Clock::now()};
    std::uint64_t dropped_{};
};

std::string sentence(std::string_view text, const Style& err) {
    return fmt::format("{} {}\n", paint("demarc:", Tone::bad, err), text);
}

}  // namespace

Output trace(const Options& o, const std::string& request, const Style& out, const Style& err) {
    count_stop_signals();
    auto stream = Stream::open(o.socket, request);
    if (!stream) return {kNoDaemon, "", sentence(stream.error(), err)};
    const auto answer = parse_answer(stream->answer());
    const auto ok = answer ? flag(*answer, "ok") : std::nullopt;
    if (ok == false) return {kNotOk, "", render_refusal(*answer, err)};
    if (!ok)
        return {kNoDaemon, "",
                sentence("the answer is not one of demarcd's; are demarc and demarcd of one version?", err)};
    Tracing t(o, *stream, out);
    if (!t.run()) return {kNoDaemon, "", sentence("the trace ended before its time; look at demarcd's log", err)};
    if (t.dropped() == 0) return {};
    return {kOk, "", sentence(fmt::format("demarcd could not keep up: {} records are missing", t.dropped()), err)};
}

}  // namespace cli
