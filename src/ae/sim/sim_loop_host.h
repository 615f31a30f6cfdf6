// A loop host (threads/loop_host.h) without a thread: the test makes its ticks, in turn with those
// of other loops, so that what runs on several threads can be run in one order after the other.
//
//   std::vector<ae::sim::SimLoopHost*> hosts;
//   auto starter = [&](ae::LoopHostOptions options) { ... options.loop.os = &os; ... };
//   for (SimLoopHost* host : hosts) host->loop().run_once(ae::Nanoseconds(0));
//
// Between two ticks every loop stands still, so hold() has nothing to do.
//
// Thread: one, that of all loops.
#pragma once

#include <memory>
#include <utility>

#include "ae/threads/loop_host.h"

namespace ae::sim {

class SimLoopHost final : public LoopHost {
 public:
  // `on_gone` is called when the host is destroyed, for who keeps a list.
  static Result<std::unique_ptr<SimLoopHost>> start(LoopHostOptions options,
                                                    Callback<void(SimLoopHost&)> on_gone) {
    auto loop = EventLoop::create(std::move(options.loop));
    if (!loop) return fail(loop.error());
    std::unique_ptr<SimLoopHost> host(new SimLoopHost);
    host->loop_ = std::move(*loop);
    host->on_stop_ = std::move(options.on_stop);
    host->on_gone_ = std::move(on_gone);
    if (options.on_start) options.on_start(*host->loop_);
    return host;
  }
  ~SimLoopHost() override {
    if (on_stop_) on_stop_(*loop_);
    if (on_gone_) on_gone_(*this);
  }

  EventLoop& loop() override { return *loop_; }
  void hold() override {}
  void release() override {}
  void call(Callback<void()> task) override { task(); }

 private:
  SimLoopHost() = default;

  std::unique_ptr<EventLoop> loop_;
  Callback<void(EventLoop&)> on_stop_;
  Callback<void(SimLoopHost&)> on_gone_;
};

}  // namespace ae::sim
