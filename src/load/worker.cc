#include "load/worker.h"

#include <signal.h>
#include <sys/prctl.h>

#include <cstdio>

#include "ae/core/event_loop.h"
#include "load/control.h"
#include "load/tester.h"

namespace load {

int work(int control, const ae::Address& target, const Options& options,
         const std::vector<Phase>& phases, Share share) {
  // Without its conductor it has nobody to report to.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The kernel lets timers of ordinary processes be 50 us late, to save wake-ups.
  ::prctl(PR_SET_TIMERSLACK, 1);
  const auto loop = ae::EventLoop::create();
  if (!loop) {
    std::fprintf(stderr, "worker %u: %s\n", share.index, loop.error().message().c_str());
    return 1;
  }
  Tester tester(**loop, target, options, share);
  Order order;
  while (receive_record(control, order)) {
    tester.begin(phases[order.phase], order.start);
    while (!tester.over()) (*loop)->run_once();
    if (!send_record(control, tester.result())) return 1;
  }
  return 0;
}

}  // namespace load
