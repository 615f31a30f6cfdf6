// A thread that runs an event loop.
//
//   auto thread = ae::LoopThread::start({.name = "io-1"}).value();
//   thread->loop().post([] { /* runs there */ });
//   thread->stop();
//
// The loop is made, run and set up on its own thread, because it has only one: io_uring refuses a
// ring that is used by another thread than its maker. What lives on the loop (listeners, connection
// tables) is made in `on_start` and must be gone at the end of `on_stop`, which runs there too.
//
// It takes no signals but those of its own faults.
//
// From other threads only post(), wake() and stop() of loop() may be called; they are safe until
// the LoopThread is destroyed, also after the thread has ended (a task posted then never runs).
//
// Thread: the LoopThread itself belongs to the thread that started it.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>

#include "ae/base/callback.h"
#include "ae/base/result.h"
#include "ae/core/event_loop.h"
#include "ae/threads/loop_host.h"

namespace ae {

using LoopThreadOptions = LoopHostOptions;

class LoopThread final : public LoopHost {
 public:
  // Returns once on_start has run, or with the reason why there is no loop.
  static Result<std::unique_ptr<LoopThread>> start(LoopThreadOptions options = {});
  ~LoopThread() override;  // stops and joins
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  EventLoop& loop() override { return *loop_; }
  void hold() override;
  void release() override { may_go_on_.release(); }
  void call(Callback<void()> task) override;

  // Asks the loop to end after its current tick. Thread-safe.
  void stop();
  // Waits for it; stop() comes first. Twice is once.
  void join();

  // What this thread has to do, in any unit its users agree on (connections, say), for LoopPool to
  // choose by. Thread-safe.
  size_t load() const { return load_.load(std::memory_order_relaxed); }
  void add_load(size_t amount) { load_.fetch_add(amount, std::memory_order_relaxed); }
  void remove_load(size_t amount) { load_.fetch_sub(amount, std::memory_order_relaxed); }

 private:
  explicit LoopThread(LoopThreadOptions options);
  void body();

  LoopThreadOptions options_;
  std::unique_ptr<EventLoop> loop_;  // this and the next are set before ready_ is released
  Status created_;
  std::atomic<size_t> load_{0};
  std::binary_semaphore ready_{0};
  std::binary_semaphore stands_{0}, may_go_on_{0};  // hold() and call()
  std::thread thread_;                              // last: starts when the rest exists
};

}  // namespace ae
