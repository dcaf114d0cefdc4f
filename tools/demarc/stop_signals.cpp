#include "tools/demarc/stop_signals.h"

#include <signal.h>

#include <initializer_list>

namespace cli {
namespace {

volatile sig_atomic_t signals = 0;

}  // namespace

// Without SA_RESTART: a write to a pipe that nobody reads ends, too.
void count_stop_signals() {
    struct sigaction action {};
    action.sa_handler = [](int) { signals = signals + 1; };
    for (int s : {SIGINT, SIGTERM, SIGHUP}) sigaction(s, &action, nullptr);
    signal(SIGPIPE, SIG_IGN);
}

int stop_signals() { return signals; }

}  // namespace cli
