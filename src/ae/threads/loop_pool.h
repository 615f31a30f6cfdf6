// Several loop threads, and the choice of one for new work.
//
//   auto pool = ae::LoopPool::start(4, [](size_t i) {
//     return ae::LoopThreadOptions{.name = "io-" + std::to_string(i)};
//   });
//   (*pool)->least_loaded().loop().post(...);
//
// Thread: the one that started it; what LoopThread calls thread-safe is so here.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "ae/threads/loop_thread.h"

namespace ae {

class LoopPool {
 public:
  // More would be a mistake in a configuration file: a loop each is made for a core each.
  static constexpr size_t kMaxThreads = 256;

  // `options` is asked once for each thread. If one fails to start, those before it are stopped.
  static Result<std::unique_ptr<LoopPool>> start(size_t threads,
                                                 Callback<LoopThreadOptions(size_t index)> options);
  ~LoopPool() { stop(); }

  size_t size() const { return threads_.size(); }
  LoopThread& at(size_t index) { return *threads_.at(index); }
  // Each in turn.
  LoopThread& next() { return *threads_[turn_++ % threads_.size()]; }
  // The one with the smallest load(); the earliest of several.
  LoopThread& least_loaded();

  // Asks all to end, then waits for all. Twice is once.
  void stop();

 private:
  LoopPool() = default;

  std::vector<std::unique_ptr<LoopThread>> threads_;
  size_t turn_ = 0;
};

}  // namespace ae
