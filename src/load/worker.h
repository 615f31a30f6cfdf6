// A worker process: a loop and a Tester that does what the conductor orders, until he hangs up.
#pragma once

#include <vector>

#include "ae/net/address.h"
#include "load/options.h"
#include "load/scenario.h"

namespace load {

// The body of the process; returns its exit status.
int work(int control, const ae::Address& target, const Options& options,
         const std::vector<Phase>& phases, Share share);

}  // namespace load
