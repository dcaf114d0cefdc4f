// demarcd: reads the configuration, becomes a router, and is one until SIGTERM.
//
// 1. arguments and configuration: whatever is wrong is said before anything is touched;
// 2. signals are blocked before DPDK starts threads, and read from a descriptor;
// 3. the router starts; 4. the control loop runs; 5. the router stops.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "config/validate.h"
#include "tools/demarcd/event_loop.h"
#include "tools/demarcd/log.h"
#include "tools/demarcd/router.h"

namespace {

struct Arguments {
    std::string config{"/etc/demarc/demarc.yaml"};
    bool check{};
    std::string log_level;
};

int print_diagnostics(const demarcd::Diagnostics& diagnostics, const std::string& file) {
    for (const auto& d : diagnostics) fmt::print(stderr, "{}\n", config::render(d, file));
    return 1;
}

int block_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, s);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void on_signal(int fd, demarcd::EventLoop& loop, demarcd::Router& router) {
    signalfd_siginfo info;
    while (read(fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo != SIGHUP) return loop.stop();
        if (const auto changes = router.reload(); !changes)
            for (const auto& d : changes.error()) spdlog::error("reload: {}", config::render(d, router.config_file()));
    }
}

// Keys are locked in memory; BPF maps and AF_XDP buffers count there, too.
void raise_limits() {
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MEMLOCK, &unlimited);
    prctl(PR_SET_TIMERSLACK, 1000UL);
}

int run(const Arguments& arguments) {
    auto model = demarcd::read_config(arguments.config);
    if (!model) return print_diagnostics(model.error(), arguments.config);
    if (arguments.check) {
        fmt::print("{}: ok\n", arguments.config);
        return 0;
    }
    demarcd::start_log();
    demarcd::set_log_level(model->log_level);
    if (!arguments.log_level.empty()) spdlog::set_level(spdlog::level::from_str(arguments.log_level));
    raise_limits();
    const int signals = block_signals();
    demarcd::EventLoop loop;
    auto router = demarcd::Router::start(loop, arguments.config, std::move(*model));
    if (!router) {
        print_diagnostics(router.error(), arguments.config);
        return 1;
    }
    loop.watch(signals, EPOLLIN, [&](std::uint32_t) { on_signal(signals, loop, **router); });
    loop.run();
    (*router)->stop();
    close(signals);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    CLI::App app{"Demarc, a software edge router with MACsec"};
    app.set_version_flag("--version", "demarcd " DEMARC_VERSION);
    app.add_option("--config", arguments.config, "the configuration file");
    app.add_option_function<std::string>(
        "--check",
        [&](const std::string& file) {
            arguments.config = file;
            arguments.check = true;
        },
        "read FILE, say what is wrong with it, and end");
    app.add_option("--log-level", arguments.log_level, "debug, info, warning or error; overrides the configuration");
    CLI11_PARSE(app, argc, argv);
    return run(arguments);
}
