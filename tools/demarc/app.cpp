// 1. the command line
// 2. a file: offline.h; or a question to the daemon, once or again and again
// 3. the answer, printed as it is or rendered
#include "tools/demarc/app.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "tools/demarc/capture.h"
#include "tools/demarc/client.h"
#include "tools/demarc/decode_command.h"
#include "tools/demarc/offline.h"
#include "tools/demarc/render.h"
#include "tools/demarc/request.h"
#include "tools/demarc/trace.h"

namespace cli {
namespace {

constexpr unsigned kWidthWithoutTerminal = 120;
constexpr const char* kClearScreen = "\x1b[H\x1b[2J\x1b[3J";

unsigned terminal_width() {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    if (const char* columns = std::getenv("COLUMNS")) return static_cast<unsigned>(std::strtoul(columns, nullptr, 10));
    return kWidthWithoutTerminal;
}

Style style_for(int descriptor, const Options& o) {
    unsigned width = o.width.value_or(terminal_width());
    if (width == 0) width = kWidthWithoutTerminal;
    const bool color = wants_color(o.color, isatty(descriptor) == 1, std::getenv("NO_COLOR"), std::getenv("TERM"));
    return {std::clamp(width, kMinWidth, kMaxWidth), color};
}

std::string sentence(std::string_view message, const Style& style) {
    return fmt::format("{} {}\n", paint("demarc:", Tone::bad, style), message);
}

Output ask_daemon(const Options& o, const std::string& request) {
    const Style err = style_for(STDERR_FILENO, o);
    const auto answer = ask(o.socket, request);
    if (!answer) return {kNoDaemon, "", sentence(answer.error(), err)};
    return render_answer(o, *answer, style_for(STDOUT_FILENO, o), err);
}

bool write_out(const Output& output) {
    std::fwrite(output.out.data(), 1, output.out.size(), stdout);
    const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
    std::fwrite(output.err.data(), 1, output.err.size(), stderr);
    return written;
}

int finish(const Output& output) {
    if (write_out(output)) return output.code;
    std::fputs("demarc: cannot write the output; is the disk full?\n", stderr);
    return std::max<int>(output.code, kNotOk);
}

// Until interrupted. A daemon that goes away is reported and asked again: it may come back.
int watch(const Options& o, const std::string& request) {
    const bool terminal = isatty(STDOUT_FILENO) == 1;
    for (;;) {
        Output output = ask_daemon(o, request);
        if (terminal && !o.json) output.out.insert(0, kClearScreen);
        if (!terminal && !o.json) output.out += '\n';
        if (!write_out(output)) return kNotOk;
        std::this_thread::sleep_for(std::chrono::duration<double>(*o.watch_seconds));
    }
}

Output offline(const Options& o) {
    if (o.command == "check") return check_file(o.operand);
    if (o.command == "print") return print_file(o.operand);
    return frr_config(o.operand, o.daemon, o.show_passwords, isatty(STDOUT_FILENO) == 1);
}

// What was printed before the end is not held: a capture may be longer than memory.
Output decode(const Options& o) {
    Output output = decode_capture(o, style_for(STDOUT_FILENO, o), [](std::string_view text) {
        return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
    });
    if (std::fflush(stdout) != 0) output.code = kUsage;
    return output;
}

int answer_command(const Options& o) {
    if (o.command == "decode") return finish(decode(o));
    const bool streams = o.command == "capture" || o.command == "trace";
    if (renderer_of(o.command) == nullptr && !streams) return finish(offline(o));
    const auto request = make_request(o);
    if (!request) return finish({kUsage, "", sentence(request.error(), style_for(STDERR_FILENO, o))});
    if (o.command == "capture") return finish(capture(o, *request, style_for(STDERR_FILENO, o)));
    if (streams)
        return finish(trace(o, *request, style_for(STDOUT_FILENO, o), style_for(STDERR_FILENO, o)));
    return o.watch_seconds ? watch(o, *request) : finish(ask_daemon(o, *request));
}

}  // namespace

Output render_answer(const Options& o, const std::string& answer, const Style& out, const Style& err) {
    const auto document = parse_answer(answer);
    const auto ok = document ? flag(*document, "ok") : std::nullopt;
    const Renderer renderer = renderer_of(o.command);
    if (!ok || renderer == nullptr)
        return {kNoDaemon, "",
                sentence(fmt::format("the answer on {} is not one of demarcd's; are demarc and demarcd of one version?",
                                     escaped(o.socket)),
                         err)};
    const int code = *ok ? kOk : kNotOk;
    if (o.json) return {code, answer + "\n", ""};
    if (!*ok) return {code, "", render_refusal(*document, err)};
    return {code, renderer(*document, out), ""};
}

int run(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    const auto options = parse_options(arguments, std::getenv("DEMARC_SOCKET"));
    if (options) return answer_command(*options);
    const Leave& leave = options.error();
    return leave.code == kOk ? finish({kOk, leave.text, ""}) : finish({leave.code, "", leave.text});
}

}  // namespace cli
