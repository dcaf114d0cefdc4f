#include "tools/demarc/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <utility>

namespace cli {
namespace {

constexpr double kLeastWatch = 0.1, kMostWatch = 3600;

// What the parser writes to before it becomes Options.
struct Raw {
    Options options;
    std::string watch;
    unsigned width{};
    std::string color{"auto"};
    std::uint32_t replay_window{};
    std::string before, after;
};

void add_global_options(CLI::App& app, Raw& raw) {
    app.add_option("--socket", raw.options.socket, "control socket of demarcd; or DEMARC_SOCKET")->option_text("PATH");
    app.add_flag("--json", raw.options.json, "print the daemon's answer unchanged; for decode, one document");
    app.add_flag("--watch{2}", raw.watch, "ask again every SECONDS (2) until interrupted")->option_text("[=SECONDS]");
    app.add_option("--width", raw.width, "columns to use, 40 to 1000")
        ->option_text("N")
        ->check(CLI::Range(kMinWidth, kMaxWidth));
    app.add_option("--color", raw.color, "when to use colour")
        ->option_text("auto|always|never")
        ->check(CLI::IsMember({"auto", "always", "never"}));
    app.set_version_flag("--version", "demarc " DEMARC_VERSION);
}

void add_show(CLI::App& app, Raw& raw) {
    CLI::App* show = app.add_subcommand("show", "one part of the router's state")->fallthrough();
    show->require_subcommand(1);
    constexpr std::pair<const char*, const char*> parts[] = {
        {"ports", "Ethernet devices, their drivers and counters"},
        {"interfaces", "layer 3: tags, addresses, carrier, MACsec"},
        {"macsec", "SecYs: packet numbers, keys by fingerprint, counters by their IEEE names"},
        {"mka", "KaYs: peers, key server, SAKs, keys of the ring, why not secured"},
        {"history", "the last 64 transitions of a port's KaY, with reasons"},
        {"routes", "what the FIB holds"},
        {"next-hops", "adjacencies and whether they are usable"},
        {"neighbors", "ARP and ND entries"},
        {"drops", "frames dropped and punted, by reason"},
        {"fpm", "the connection from zebra"},
        {"stages", "what each stage costs a frame, if stage clocks are or were on"},
    };
    for (const auto& [name, description] : parts) show->add_subcommand(name, description)->fallthrough();
    show->get_subcommand("history")->add_option("PORT", raw.options.operand, "a port with mka")->required();
    show->get_subcommand("routes")->add_option("PREFIX", raw.options.operand,
                                               "this prefix and more specific ones only");
}

void add_mka(CLI::App& app, Raw& raw) {
    CLI::App* mka = app.add_subcommand("mka", "tell a KaY what to do")->fallthrough();
    mka->require_subcommand(1);
    mka->add_subcommand("rekey", "as key server, distribute a new SAK now")
        ->fallthrough()
        ->add_option("PORT", raw.options.operand, "a port with mka")
        ->required();
}

void add_offline(CLI::App& app, Raw& raw) {
    constexpr std::pair<const char*, const char*> commands[] = {
        {"check", "say what is wrong with a configuration file; asks no daemon"},
        {"print", "print a configuration file in canonical form; asks no daemon"},
        {"frr-config", "turn a configuration file into FRR's; asks no daemon"},
    };
    for (const auto& [name, description] : commands)
        app.add_subcommand(name, description)
            ->fallthrough()
            ->add_option("FILE", raw.options.operand, "configuration file, YAML")
            ->required();
    CLI::App* frr = app.get_subcommand("frr-config");
    frr->add_option("--daemon", raw.options.daemon, "whose configuration")
        ->option_text("zebra|bgpd|staticd|all")
        ->check(CLI::IsMember({"zebra", "bgpd", "staticd", "all"}));
    frr->add_flag("--show-passwords", raw.options.show_passwords, "print BGP passwords even to a terminal");
}

void add_decode(CLI::App& app, Raw& raw) {
    CLI::App* decode =
        app.add_subcommand("decode", "open the MACsec frames and MKPDUs of a capture; asks no daemon")->fallthrough();
    decode
        ->add_option("FILE", raw.options.operand, "capture of an Ethernet link, pcap or pcapng; - reads standard input")
        ->required();
    decode->add_option("--keys", raw.options.keys, "list of keys, JSON, mode 0600")->option_text("KEYS.json");
    decode->add_option("--mka-keys", raw.options.mka_keys, "list of CAKs, JSON, mode 0600: MKPDUs, and keys from them")
        ->option_text("KEYS.json");
    decode->add_option("-w,--write", raw.options.write, "write the frames in clear to a capture")
        ->option_text("PLAIN.pcap");
    decode->add_option("--replay-window", raw.replay_window, "replay protection with so many PNs; without it, none")
        ->option_text("N")
        ->check(CLI::Range(0u, UINT32_MAX));
}

void add_capture(CLI::App& app, Raw& raw) {
    CaptureOptions& c = raw.options.capture;
    CLI::App* capture = app.add_subcommand("capture", "a port's frames into a pcapng file, until interrupted");
    capture->fallthrough();
    capture->add_option("PORT", raw.options.operand, "name of a port")->required();
    const CLI::IsMember macsec({"macsec"});
    CLI::Option* before =
        capture->add_option("--before", raw.before, "frames in clear")->option_text("macsec")->check(macsec);
    capture->add_option("--after", raw.after, "frames as on the wire")
        ->option_text("macsec")
        ->check(macsec)
        ->excludes(before);
    capture->add_option("-w,--write", c.file, "the file; - for standard output")->option_text("FILE")->required();
    capture->add_option("--filter", c.filter, "which frames, as pcap-filter(7) says")->option_text("FILTER");
    capture->add_option("--direction", c.direction, "which frames, seen from the port")
        ->option_text("in|out|both")
        ->check(CLI::IsMember({"in", "out", "both"}));
    capture->add_option("--count", c.count, "end after N frames")->option_text("N")->check(CLI::Range(1ul, ~0ul));
    capture->add_option("--seconds", c.seconds, "end after N seconds")->option_text("N")->check(CLI::Range(0.1, 1e6));
    capture->add_option("--snaplen", c.snaplen, "octets kept of a frame, 14 to 65535; without it, all")
        ->option_text("N")
        ->check(CLI::Range(14, 65535));
}

void add_trace(CLI::App& app, Raw& raw) {
    TraceOptions& t = raw.options.trace;
    CLI::App* trace = app.add_subcommand("trace", "what every stage says to frames that a port receives");
    trace->fallthrough();
    trace->add_option("PORT", raw.options.operand, "name of a port")->required();
    trace->add_option("--count", t.count, "tell of N frames, 10 by default")
        ->option_text("N")
        ->check(CLI::Range(1, 1'000'000));
    CLI::Option* drops = trace->add_flag("--drops", t.drops, "only frames that are dropped");
    trace->add_option("--filter-verdict", t.verdict, "only frames that VERDICT stops, as `show drops` prints it")
        ->option_text("VERDICT")
        ->excludes(drops);
    CLI::App* clocks = app.add_subcommand("clocks", "whether stages are timed; see `show stages`")->fallthrough();
    clocks->require_subcommand(1);
    clocks->add_subcommand("on", "one turn of a worker in 64 is timed")->fallthrough();
    clocks->add_subcommand("off", "none is, as at start")->fallthrough();
}

void build(CLI::App& app, Raw& raw) {
    app.name("demarc");
    app.require_subcommand(1);
    add_global_options(app, raw);
    app.add_subcommand("status", "are the links secured and the routes in?")->fallthrough();
    add_show(app, raw);
    app.add_subcommand("lookup", "where a packet to ADDRESS goes")
        ->fallthrough()
        ->add_option("ADDRESS", raw.options.operand, "IPv4 or IPv6 address")
        ->required();
    app.add_subcommand("reload", "read the configuration file again and apply it, all or nothing")->fallthrough();
    add_mka(app, raw);
    add_capture(app, raw);
    add_trace(app, raw);
    add_offline(app, raw);
    add_decode(app, raw);
}

std::string chosen_command(const CLI::App& app) {
    std::string words;
    for (const CLI::App* a = &app; !a->get_subcommands().empty();) {
        a = a->get_subcommands().front();
        words += (words.empty() ? "" : " ") + a->get_name();
    }
    return words;
}

Leave usage(std::string_view message) {
    return {kUsage, fmt::format("demarc: {}\nRun `demarc --help` for what it understands.\n", message)};
}

std::expected<std::optional<double>, Leave> watch_seconds(const std::string& text) {
    if (text.empty()) return std::nullopt;
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || end != text.data() + text.size() || !(seconds >= kLeastWatch && seconds <= kMostWatch))
        return std::unexpected(usage(fmt::format("--watch={}: want seconds, 0.1 to 3600", escaped(text))));
    return seconds;
}

std::expected<Options, Leave> finish(const CLI::App& app, Raw&& raw, const char* socket_from_environment) {
    Options o = std::move(raw.options);
    o.command = chosen_command(app);
    const auto watch = watch_seconds(raw.watch);
    if (!watch) return std::unexpected(watch.error());
    o.watch_seconds = *watch;
    if (o.watch_seconds && o.command != "status" && o.command != "lookup" && !o.command.starts_with("show"))
        return std::unexpected(usage(fmt::format("--watch does not go with {}", o.command)));
    if (o.command == "capture" && raw.before.empty() == raw.after.empty())
        return std::unexpected(usage("capture wants --before macsec or --after macsec"));
    o.capture.before = !raw.before.empty();
    if (raw.width != 0) o.width = raw.width;
    if (o.command == "decode" && app.get_subcommand("decode")->count("--replay-window") != 0)
        o.replay_window = raw.replay_window;
    if (o.command == "decode" && o.keys.empty() && o.mka_keys.empty())
        return std::unexpected(usage("decode wants --keys KEYS.json, --mka-keys KEYS.json, or both"));
    if (o.write == "-") return std::unexpected(usage("-w wants the name of a file; standard output is taken"));
    o.color = raw.color == "always" ? ColorChoice::always
            : raw.color == "never"  ? ColorChoice::never
                                    : ColorChoice::automatic;
    if (o.socket.empty() && socket_from_environment != nullptr) o.socket = socket_from_environment;
    if (o.socket.empty()) o.socket = kDefaultSocket;
    return o;
}

void add_words(const CLI::App& app, const std::string& parents, std::vector<std::string>& words) {
    for (const CLI::Option* option : app.get_options({})) {
        for (const auto& name : option->get_snames()) words.push_back(parents + "-" + name);
        for (const auto& name : option->get_lnames()) words.push_back(parents + "--" + name);
    }
    for (const CLI::App* sub : app.get_subcommands({})) {
        words.push_back(parents + sub->get_name());
        add_words(*sub, parents + sub->get_name() + " ", words);
    }
}

}  // namespace

std::expected<Options, Leave> parse_options(const std::vector<std::string>& arguments,
                                            const char* socket_from_environment) {
    CLI::App app{"Asks a running demarcd; reads configuration files and captures.", "demarc"};
    Raw raw;
    build(app, raw);
    try {
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 wants them reversed
    } catch (const CLI::CallForVersion& e) {
        return std::unexpected(Leave{kOk, std::string(e.what()) + "\n"});
    } catch (const CLI::CallForHelp&) {
        return std::unexpected(Leave{kOk, app.help()});  // of the chosen subcommand, if there is one
    } catch (const CLI::ParseError& e) {
        return std::unexpected(usage(escaped(e.what())));
    }
    return finish(app, std::move(raw), socket_from_environment);
}

std::vector<std::string> documented_words() {
    CLI::App app{"", "demarc"};
    Raw raw;
    build(app, raw);
    std::vector<std::string> words;
    add_words(app, "", words);
    return words;
}

}  // namespace cli
