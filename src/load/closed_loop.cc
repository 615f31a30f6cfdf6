#include "load/closed_loop.h"

#include <algorithm>

namespace load {

ClosedLoop::ClosedLoop(const Stage& stage)
    : stage_(stage),
      interval_(int64_t(1e9 * stage.options.closed / stage.phase.rate)),
      runners_(stage.share.part(stage.options.closed)) {
  stage_.exchange.set_on_reply([this](uint32_t client) { on_reply(client); });
  for (size_t i = 0; i < runners_.size(); ++i) {
    const std::optional<uint32_t> client = stage_.crowd.pick(stage_.random);
    if (!client) {
      runners_.resize(i);
      break;
    }
    stage_.crowd.reserve(*client);
    stage_.exchange.set_closed_loop(*client, true);
    runners_[i].client = *client;
    go_at(runners_[i], stage_.start + interval_ * int64_t(i) / int64_t(runners_.size()));
  }
}

void ClosedLoop::stop() {
  stage_.exchange.set_on_reply(nullptr);
  for (const Runner& runner : runners_) stage_.loop.cancel(runner.timer);
}

ClosedLoop::~ClosedLoop() {
  stop();
  for (const Runner& runner : runners_) {
    stage_.exchange.set_closed_loop(runner.client, false);
    stage_.crowd.rejoin(runner.client);
  }
}

void ClosedLoop::on_reply(uint32_t client) {
  if (!stage_.exchange.closed_loop(client)) return;
  const auto runner = std::ranges::find(runners_, client, &Runner::client);
  if (runner != runners_.end()) {
    go_at(*runner, std::max(runner->due + interval_, stage_.loop.now()));
  }
}

void ClosedLoop::go_at(Runner& runner, ae::TimePoint when) {
  runner.due = when;
  runner.timer = stage_.loop.add_timer_at(when, [this, &runner] { send(runner); });
}

void ClosedLoop::send(Runner& runner) {
  runner.timer = {};
  stage_.ask(runner.client, stage_.loop.clock().now());  // here is where it goes wrong
}

}  // namespace load
