// Leaving the terminal.
//
// The process that was started stays until the daemon is ready or has failed, and then exits with 0
// or 1, so that `millrace-server --daemonize yes && redis-cli ping` works, and a port in use is
// seen by the shell. (Redis' parent exits with 0 at once.)
#pragma once

#include <string_view>

#include "ae/base/result.h"

namespace millrace {

// Returns in the daemon only: a child without terminal, in a session of its own, standard input,
// output and error on /dev/null. `log_name` is where the parent points to if the daemon does not
// become ready. Before any thread is started. supervision::notify_ready() releases the parent.
ae::Status daemonize(std::string_view log_name);

}  // namespace millrace
