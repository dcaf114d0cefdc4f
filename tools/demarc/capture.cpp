// 1. the filter is compiled: what is wrong with it is said before the daemon is asked
// 2. the daemon is asked; what it refuses leaves no file
// 3. records become blocks of the file, until a signal, a limit, or the end of the daemon
// 4. the daemon is told that it is enough: what was on its way still comes, then its counts
#include "tools/demarc/capture.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pcap/pcap.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>

#include "tools/demarc/client.h"
#include "tools/demarc/pcapng.h"
#include "tools/demarc/plaintext_file.h"
#include "tools/demarc/render.h"
#include "tools/demarc/stop_signals.h"
#include "tools/demarc/value.h"
#include "tools/demarc/watch_stream.h"

namespace cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{100};  // at signals and limits
constexpr std::chrono::seconds kFarewell{5};     // until the daemon has sent the rest
constexpr std::uint32_t kWholeFrames = 65535;

struct Failure {
    int code{};
    std::string why;
};
using Done = std::expected<void, Failure>;

std::uint64_t realtime() {
    timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

class Filter {
public:
    Filter() = default;
    Filter(const Filter&) = delete;
    ~Filter() { pcap_freecode(&program_); }

    // Error: what libpcap says.
    std::expected<void, std::string> compile(const std::string& text) {
        const std::unique_ptr<pcap_t, decltype(&pcap_close)> dead(pcap_open_dead(DLT_EN10MB, kWholeFrames), pcap_close);
        if (!dead) return std::unexpected("out of memory");
        if (pcap_compile(dead.get(), &program_, text.c_str(), 1, PCAP_NETMASK_UNKNOWN) == 0) return {};
        return std::unexpected(
            fmt::format("--filter {}: {}; see pcap-filter(7)", escaped(text), escaped(pcap_geterr(dead.get()))));
    }
    bool passes(const CapturedFrame& f) const {
        pcap_pkthdr head{};
        head.caplen = f.record.captured;
        head.len = f.record.length;
        return pcap_offline_filter(&program_, &head, reinterpret_cast<const u_char*>(f.octets.data())) != 0;
    }

private:
    bpf_program program_{};
};

class File {
public:
    File() = default;
    File(const File&) = delete;
    ~File() {
        if (fd_ > STDERR_FILENO) close(fd_);
    }
    // Only its owner reads it: it may hold plain text.
    Done open(const std::string& path) {
        name_ = path == "-" ? "standard output" : escaped(path);
        fd_ = path == "-" ? STDOUT_FILENO : ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd_ < 0) return failed();
        if (path == "-") return {};
        if (!keep_from_others(fd_))
            return std::unexpected(Failure{kNotOk, "others may read " + name_ + ", which is not yours: name another"});
        (void)ftruncate(fd_, 0);  // what is no regular file has nothing to lose
        return {};
    }
    Done write(std::string_view octets) {
        while (!octets.empty()) {
            const ssize_t n = ::write(fd_, octets.data(), octets.size());
            if (n < 0 && errno == EINTR && stop_signals() < 2) continue;
            if (n < 0) return failed();
            octets.remove_prefix(static_cast<std::size_t>(n));
        }
        return {};
    }

private:
    Done failed() const {
        return std::unexpected(Failure{kNotOk, fmt::format("cannot write {}: {}", name_, std::strerror(errno))});
    }
    int fd_{-1};
    std::string name_;
};

class Capture {
public:
    Capture(const Options& o, const Filter& filter, Stream& stream, File& file)
        : o_(o.capture), filter_(filter), stream_(stream), file_(file) {
        if (o_.seconds)
            deadline_ =
                Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(*o_.seconds));
    }

    // Until its end. Error: why it ended early; what came before that is in the file.
    Done run() {
        while (!end_) {
            finish_if_due();
            if (finishing_ && (Clock::now() > last_moment_ || stop_signals() > 1))
                return lost("demarcd did not end the capture in time; it may have dropped frames");
            const auto octets = stream_.read(kLook);
            if (!octets) return lost("demarcd ended before the capture did; look at its log");
            records_.feed(*octets);
            if (auto done = take_records(); !done) return done;
        }
        return {};
    }
    std::uint64_t written() const { return written_; }
    std::uint64_t seen() const { return seen_; }
    const std::optional<dataplane::EndRecord>& end() const { return end_; }

private:
    static Done lost(std::string why) { return std::unexpected(Failure{kNoDaemon, std::move(why)}); }
    bool enough() const { return o_.count && written_ >= *o_.count; }

    void finish_if_due() {
        const bool due = stop_signals() != 0 || enough() || (deadline_ && Clock::now() >= *deadline_);
        if (finishing_ || !due) return;
        finishing_ = true;
        last_moment_ = Clock::now() + kFarewell;
        stream_.finish();
    }

    Done take_records() {
        std::string blocks;
        for (;;) {
            const auto record = records_.next();
            if (!record) return lost(record.error());
            if (const auto* frame = std::get_if<CapturedFrame>(&*record))
                take(*frame, blocks);
            else if (const auto* end = std::get_if<dataplane::EndRecord>(&*record))
                end_ = *end;
            else
                return file_.write(blocks);
        }
    }

    void take(const CapturedFrame& frame, std::string& blocks) {
        ++seen_;
        if (enough() || !filter_.passes(frame)) return;
        ++written_;
        blocks +=
            pcapng::enhanced_packet({frame.record.when, frame.record.length, frame.record.out != 0, frame.octets});
    }

    const CaptureOptions& o_;
    const Filter& filter_;
    Stream& stream_;
    File& file_;
    WatchStream records_;
    std::optional<Clock::time_point> deadline_;
    Clock::time_point last_moment_;
    bool finishing_{};
    std::uint64_t seen_{}, written_{};
    std::optional<dataplane::EndRecord> end_;
};

std::string beginning(const Options& o) {
    const auto& c = o.capture;
    return pcapng::section_header("demarc " DEMARC_VERSION) +
           pcapng::interface_description(
               {o.operand, c.before ? "before MACsec" : "after MACsec", c.filter, c.snaplen.value_or(kWholeFrames)});
}

std::string summary(const Options& o, const Capture& c) {
    std::string text = fmt::format("{} frame{} captured", c.written(), c.written() == 1 ? "" : "s");
    if (!o.capture.filter.empty()) text += fmt::format(" of {} seen", c.seen());
    return text + (c.end() ? fmt::format(", {} dropped by demarcd\n", c.end()->dropped) : "\n");
}

Output failed(const Failure& f, const Style& err) {
    return {f.code, "", fmt::format("{} {}\n", paint("demarc:", Tone::bad, err), f.why)};
}

Output run_capture(const Options& o, const Filter& filter, Stream& stream, const Style& err) {
    File file;
    if (auto opened = file.open(o.capture.file); !opened) return failed(opened.error(), err);
    const std::uint64_t began = realtime();
    Capture c(o, filter, stream, file);
    auto done = file.write(beginning(o));
    if (done) done = c.run();
    if (c.end()) {
        auto ended = file.write(pcapng::interface_statistics(
            {began, realtime(), c.end()->kept + c.end()->dropped, c.end()->dropped, c.written()}));
        if (done) done = ended;
    }
    if (done) return {kOk, "", summary(o, c)};
    Output output = failed(done.error(), err);
    output.err += summary(o, c);
    return output;
}

}  // namespace

Output capture(const Options& o, const std::string& request, const Style& err) {
    if (o.json) return failed({kUsage, "--json does not go with capture"}, err);
    if (o.capture.file == "-" && isatty(STDOUT_FILENO) == 1)
        return failed({kUsage, "a capture is not for a terminal; name a file with -w, or pipe it: -w - | tcpdump -r -"},
                      err);
    Filter filter;
    if (auto compiled = filter.compile(o.capture.filter); !compiled) return failed({kUsage, compiled.error()}, err);
    count_stop_signals();
    auto stream = Stream::open(o.socket, request);
    if (!stream) return failed({kNoDaemon, stream.error()}, err);
    const auto answer = parse_answer(stream->answer());
    const auto ok = answer ? flag(*answer, "ok") : std::nullopt;
    if (ok == false) return {kNotOk, "", render_refusal(*answer, err)};
    if (!ok)
        return failed({kNoDaemon, "the answer is not one of demarcd's; are demarc and demarcd of one version?"}, err);
    return run_capture(o, filter, *stream, err);
}

}  // namespace cli
