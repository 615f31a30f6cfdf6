// A loop that somebody runs: a thread of its own (loop_thread.h), or a test that makes its ticks in
// turn with others' (ae/sim/sim_loop_host.h). Who spreads work over loops holds hosts and need not
// know which.
//
//   ae::LoopStarter start = [](ae::LoopHostOptions options) { return ae::LoopThread::start(...); };
//   auto host = start({.name = "io-1", .on_start = [](ae::EventLoop& loop) { ... }});
//   (*host)->loop().post([] { /* runs there */ });
//
// Thread: a host belongs to the thread that started it. From there only post() and wake() of loop()
// may be called, and anything at all while the loop is held. Destroying the host ends the loop
// after its current tick; on_stop has run then.
#pragma once

#include <memory>
#include <string>

#include "ae/base/callback.h"
#include "ae/base/result.h"
#include "ae/core/event_loop.h"

namespace ae {

struct LoopHostOptions {
  LoopOptions loop = {};
  // Seen in top, gdb and perf. The kernel keeps 15 bytes.
  std::string name = "ae-loop";
  Callback<void(EventLoop&)> on_start = nullptr;  // on the loop's thread, before the first tick
  Callback<void(EventLoop&)> on_stop = nullptr;   // there, after the last
};

class LoopHost {
 public:
  virtual ~LoopHost() = default;
  virtual EventLoop& loop() = 0;

  // Returns when the loop stands still, in the mailbox phase of a tick; it does until release().
  // What its thread wrote is visible then, and what is written meanwhile will be to it. For looking
  // into another loop's affairs all at once (a list of all clients), not for every request: it
  // costs both sides a sleep and a wake-up. The loop must be running, and its mailbox not full.
  virtual void hold() = 0;
  virtual void release() = 0;
  // Runs `task` on the loop's thread, in the mailbox phase, and returns when it is done.
  virtual void call(Callback<void()> task) = 0;
};

using LoopStarter = Callback<Result<std::unique_ptr<LoopHost>>(LoopHostOptions)>;

}  // namespace ae
