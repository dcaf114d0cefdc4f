// SIGINT, SIGTERM and SIGHUP as a number, for commands that run until interrupted. Main thread.
#pragma once

namespace cli {

// From here on they are counted instead of ending the program, and interrupt what waits; SIGPIPE is ignored.
void count_stop_signals();
int stop_signals();

}  // namespace cli
