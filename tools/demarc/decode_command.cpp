// 1. the keys, out of files that are wiped as soon as they are read
// 2. the capture, and the plaintext capture
// 3. frame by frame: decode, show, write; keys that MKA tells open the frames behind it
// 4. totals
#include "tools/demarc/decode_command.h"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "tools/demarc/decode.h"
#include "tools/demarc/decode_caks.h"
#include "tools/demarc/decode_capture.h"
#include "tools/demarc/decode_key_file.h"
#include "tools/demarc/decode_keys.h"
#include "tools/demarc/decode_mka.h"
#include "tools/demarc/decode_view.h"

namespace cli {
namespace {

Output failed(std::string_view what) { return {kUsage, "", fmt::format("demarc: {}\n", what)}; }

std::string lines_of(const std::string& path, const std::vector<KeyMistake>& mistakes) {
    std::string lines;
    for (const KeyMistake& m : mistakes)
        lines += fmt::format("{}:{}:{}: {}\n", escaped(path), m.place.line, m.place.column, m.text);
    return lines;
}

// parse: of the file's text, which is wiped behind it. Nothing for no path. Error: lines for standard error.
template <class Keys>
std::expected<std::vector<Keys>, std::string> read_keys(const std::string& path,
                                                        KeysOrMistakes<Keys> (*parse)(std::string_view),
                                                        std::vector<FileId>& inputs) {
    if (path.empty()) return std::vector<Keys>{};
    const auto file = KeyFileText::read(path);
    if (!file) return std::unexpected(fmt::format("demarc: {}\n", file.error()));
    inputs.push_back(file->id());
    auto keys = parse(file->text());
    if (!keys) return std::unexpected(lines_of(path, keys.error()));
    return std::move(*keys);
}

// Who reads MKA, if anybody; the CAKs themselves are wiped when this returns. Error: lines for standard error.
std::expected<std::optional<MkaDecoder>, std::string> read_mka_keys(const std::string& path,
                                                                    std::vector<FileId>& inputs) {
    if (path.empty()) return std::nullopt;
    const auto caks = read_keys(path, parse_caks, inputs);
    if (!caks) return std::unexpected(caks.error());
    auto mka = MkaDecoder::create(*caks);
    if (!mka) return std::unexpected(fmt::format("demarc: {}: {}\n", escaped(path), mka.error()));
    return std::move(*mka);
}

// What one run holds.
struct Run {
    Decoder& decoder;
    std::optional<MkaDecoder>& mka;
    CaptureReader& capture;
    std::optional<CaptureWriter> plain;
    std::unique_ptr<DecodeView> view;
    DecodeEnd end;
};

std::unique_ptr<DecodeView> view_for(const Options& o, const Style& style) {
    if (o.json) return std::make_unique<DecodeJson>();
    return std::make_unique<DecodeTable>(style, !o.mka_keys.empty());
}

// Frames that are not MACsec as they are, opened ones without MACsec.
std::expected<void, std::string> write_plain(Run& run, const CapturedFrame& captured, const DecodedFrame& frame) {
    if (!run.plain || (frame.kind == FrameKind::macsec && !frame.is_ok())) return {};
    ++*run.end.written;
    return frame.is_ok() ? run.plain->write(frame.plaintext, frame.plaintext.size(), captured.time)
                         : run.plain->write(captured.octets, captured.octets_on_wire, captured.time);
}

// What is now due on standard output. Error: why the plaintext capture cannot be written.
std::expected<std::string, std::string> take_frame(Run& run, const CapturedFrame& captured) {
    const auto mkpdu = run.mka ? run.mka->decode(captured) : std::nullopt;
    const DecodedFrame frame = mkpdu ? DecodedFrame{} : run.decoder.decode(captured);
    mkpdu ? run.end.totals.count(*mkpdu) : run.end.totals.count(frame);
    if (const auto written = write_plain(run, captured, frame); !written) return std::unexpected(written.error());
    return mkpdu ? run.view->add(captured, *mkpdu) : run.view->add(captured, frame);
}

// What the frame before told. Error: there is no memory for it.
std::expected<void, std::string> take_new_keys(Run& run) {
    if (!run.mka) return {};
    auto keys = run.mka->take_new_keys(run.end.totals.frames - 1);
    if (!keys) return std::unexpected(std::move(keys.error()));
    for (DecodeKey& key : *keys) run.decoder.add(std::move(key));
    return {};
}

// Until the end of the capture; Output::code other than kOk: it stops before.
Output decode_frames(Run& run, const std::function<bool(std::string_view)>& print) {
    while (run.end.error.empty()) {
        const auto captured = run.capture.next();
        if (!captured) run.end.error = captured.error();
        if (!captured || !*captured) return {};
        const auto due = take_frame(run, **captured);
        if (!due) return failed(due.error());
        if (!due->empty() && !print(*due)) return {kUsage, "", ""};
        if (const auto taken = take_new_keys(run); !taken) run.end.error = taken.error();
    }
    return {};
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
    std::vector<FileId> inputs;
    auto keys = read_keys(o.keys, parse_decode_keys, inputs);
    if (!keys) return {kUsage, "", keys.error()};
    for (DecodeKey& key : *keys) decoder.add(std::move(key));
    auto mka = read_mka_keys(o.mka_keys, inputs);
    if (!mka) return {kUsage, "", mka.error()};
    auto capture = CaptureReader::open(o.operand);
    if (!capture) return failed(capture.error());
    inputs.push_back(capture->id());
    Run run{.decoder = decoder, .mka = *mka, .capture = *capture, .plain = {}, .view = view_for(o, style), .end = {}};
    if (!o.write.empty()) {
        auto plain = CaptureWriter::create(o.write, run.capture.is_in_microseconds(), inputs);
        if (!plain) return failed(plain.error());
        run.plain = std::move(*plain);
        run.end.written = 0;
    }
    Output stopped = decode_frames(run, print);
    return stopped.code == kOk ? finish(run, print) : stopped;
}

}  // namespace cli
