// The other kind of tester, for comparison: some connections that each send their next request only
// after the reply to the last, and start the watch when they send.
//
// Together they aim at the phase's rate, so that both kinds want the same of the server. While it
// stalls each of them has one request under way, and the requests they would have sent are never
// sent and never measured: that is coordinated omission, and why this is here.
//
// Thread: the loop's. After stop() the last replies still come and are measured as the others; it
// dies when they are here, and gives its connections back.
#pragma once

#include <vector>

#include "load/scenario.h"

namespace load {

class ClosedLoop {
 public:
  explicit ClosedLoop(const Stage& stage);
  ~ClosedLoop();
  ClosedLoop(const ClosedLoop&) = delete;
  ClosedLoop& operator=(const ClosedLoop&) = delete;

  void stop();

 private:
  struct Runner {
    uint32_t client = 0;
    ae::TimePoint due;  // of the request under way, or of the next
    ae::TimerId timer;
  };

  void on_reply(uint32_t client);
  void go_at(Runner& runner, ae::TimePoint when);
  void send(Runner& runner);

  Stage stage_;
  ae::Nanoseconds interval_;  // of each runner
  std::vector<Runner> runners_;
};

}  // namespace load
