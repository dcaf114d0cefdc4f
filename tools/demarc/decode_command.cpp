// 1. the keys, out of a file that is wiped as soon as they are read
// 2. the capture, and the plaintext capture
// 3. frame by frame: decode, show, write
// 4. totals
#include "tools/demarc/decode_command.h"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <memory>
#include <optional>
#include <utility>

#include "tools/demarc/decode.h"
#include "tools/demarc/decode_capture.h"
#include "tools/demarc/decode_key_file.h"
#include "tools/demarc/decode_keys.h"
#include "tools/demarc/decode_view.h"

namespace cli {
namespace {

Output failed(std::string_view what) { return {kUsage, "", fmt::format("demarc: {}\n", what)}; }

// The keys of the file, and which file it was; or lines for standard error.
std::expected<FileId, std::string> add_keys(const std::string& path, Decoder& decoder) {
    const auto file = KeyFileText::read(path);
    if (!file) return std::unexpected(fmt::format("demarc: {}\n", file.error()));
    auto keys = parse_decode_keys(file->text());
    if (keys) {
        for (DecodeKey& key : *keys) decoder.add(std::move(key));
        return file->id();
    }
    std::string lines;
    for (const KeyMistake& m : keys.error())
        lines += fmt::format("{}:{}:{}: {}\n", escaped(path), m.place.line, m.place.column, m.text);
    return std::unexpected(lines);
}

// What one run holds.
struct Run {
    Decoder& decoder;
    CaptureReader& capture;
    std::optional<CaptureWriter> plain;
    std::unique_ptr<DecodeView> view;
    DecodeEnd end;
};

std::unique_ptr<DecodeView> view_for(const Options& o, const Style& style) {
    if (o.json) return std::make_unique<DecodeJson>();
    return std::make_unique<DecodeTable>(style);
}

// Frames that are not MACsec as they are, opened ones without MACsec.
std::expected<void, std::string> write_plain(Run& run, const CapturedFrame& captured, const DecodedFrame& frame) {
    if (!run.plain || (frame.kind == FrameKind::macsec && !frame.is_ok())) return {};
    ++*run.end.written;
    return frame.is_ok() ? run.plain->write(frame.plaintext, frame.plaintext.size(), captured.time)
                         : run.plain->write(captured.octets, captured.octets_on_wire, captured.time);
}

// Until the end of the capture; Output::code other than kOk: it stops before.
Output decode_frames(Run& run, const std::function<bool(std::string_view)>& print) {
    for (;;) {
        const auto captured = run.capture.next();
        if (!captured) run.end.error = captured.error();
        if (!captured || !*captured) return {};
        const DecodedFrame frame = run.decoder.decode(**captured);
        run.end.totals.count(frame);
        if (const auto written = write_plain(run, **captured, frame); !written) return failed(written.error());
        if (const std::string due = run.view->add(**captured, frame); !due.empty() && !print(due))
            return {kUsage, "", ""};
    }
}

Output finish(Run& run, const std::function<bool(std::string_view)>& print) {
    if (run.plain)
        if (const auto written = run.plain->finish(); !written) return failed(written.error());
    for (std::size_t i = 0; i < run.decoder.keys(); ++i) run.end.keys.push_back(run.decoder.report(i));
    if (!print(run.view->end(run.end))) return {kUsage, "", ""};
    if (!run.end.error.empty()) return failed(run.end.error);
    return {run.end.totals.all_ok() ? kOk : kNotOk, "", ""};
}

}  // namespace

Output decode_capture(const Options& o, const Style& style, const std::function<bool(std::string_view)>& print) {
    prctl(PR_SET_DUMPABLE, 0);  // from here on a core would hold plaintext
    Decoder decoder(o.replay_window);
    const auto key_file = add_keys(o.keys, decoder);
    if (!key_file) return {kUsage, "", key_file.error()};
    auto capture = CaptureReader::open(o.operand);
    if (!capture) return failed(capture.error());
    Run run{.decoder = decoder, .capture = *capture, .plain = {}, .view = view_for(o, style), .end = {}};
    if (!o.write.empty()) {
        auto plain = CaptureWriter::create(o.write, run.capture.is_in_microseconds(), {*key_file, run.capture.id()});
        if (!plain) return failed(plain.error());
        run.plain = std::move(*plain);
        run.end.written = 0;
    }
    Output stopped = decode_frames(run, print);
    return stopped.code == kOk ? finish(run, print) : stopped;
}

}  // namespace cli
