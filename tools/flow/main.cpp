// flow: sequence-numbered UDP in many flows, to see what a network loses, reorders or doubles. One side sends, the
// other receives; each prints one JSON document.
#include <csignal>
#include <atomic>
#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/flow/payload.h"
#include "tools/flow/report.h"

namespace {

std::atomic<bool> stop{false};

void on_signal(int) { stop = true; }

// `flow send | head` must not die, and a test ends a receiver with SIGTERM and still wants its counts.
void catch_signals() {
    struct sigaction action {};
    action.sa_handler = on_signal;
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

int print(const nlohmann::json& document) {
    fmt::print("{}\n", document.dump());
    return std::fflush(stdout) == 0 ? 0 : 1;
}

int fail(const std::string& error) {
    fmt::print(stderr, "flow: {}\n", error);
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Sequence-numbered UDP in many flows: counts loss, reorder and duplicates, per flow."};
    app.require_subcommand(1);
    flow::SendOptions out;
    auto* sender = app.add_subcommand("send", "send flows to an address");
    sender->add_option("--to", out.to, "IPv4 or IPv6 address")->required();
    sender->add_option("--port", out.port, "UDP port of the receiver");
    sender->add_option("--source-port", out.source_port, "source port of the first flow");
    sender->add_option("--flows", out.flows, "number of flows")->check(CLI::Range(1u, flow::kMaxFlows));
    sender->add_option("--rate", out.rate, "packets per second, all flows together")->check(CLI::Range(0.1, 1e7));
    sender->add_option("--seconds", out.seconds, "how long")->check(CLI::Range(0.01, 86400.0));
    sender->add_option("--size", out.size, "octets of UDP payload")->check(CLI::Range(28u, 9000u));
    sender->add_option("--session", out.session, "number that tells this run from others");
    flow::ReceiveOptions in;
    auto* receiver = app.add_subcommand("receive", "receive flows; says 'ready' on standard error first");
    receiver->add_option("--port", in.port, "UDP port");
    receiver->add_option("--seconds", in.seconds, "how long; SIGTERM ends it earlier")
        ->check(CLI::Range(0.01, 86400.0));
    receiver->add_option("--session", in.session, "count only this run; 0: the first one seen");
    bool json{};  // the only form there is: accepted so that every tool takes it
    for (auto* command : {sender, receiver}) command->add_flag("--json", json, "print JSON (always so)");
    CLI11_PARSE(app, argc, argv);
    catch_signals();

    if (sender->parsed()) {
        if (out.source_port + out.flows > 65536) return fail("source ports would pass 65535; lower --source-port");
        auto sent = flow::send(out, stop);
        return sent ? print(flow::report(out, *sent)) : fail(sent.error());
    }
    auto received = flow::receive(in, 2, stop);
    return received ? print(flow::report(*received)) : fail(received.error());
}
