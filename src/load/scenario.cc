// The plain scenarios: connect, hold, sweep, random, sticky, saturate.
#include "load/scenario.h"

#include <algorithm>

#include "load/closed_loop.h"

namespace load {
namespace {

// The first phase: everybody comes in.
class Connect final : public Scenario {
 public:
  explicit Connect(const Stage& stage) : stage_(stage) {}
  void start() override { stage_.crowd.connect_missing(); }
  bool issued() override { return stage_.crowd.settled(); }

 private:
  Stage stage_;
};

class Hold final : public Scenario {
 public:
  explicit Hold(const Stage& stage) : stage_(stage) {}
  ~Hold() override { stage_.loop.cancel(alarm_); }
  // The timer's only purpose is that the loop does not sleep past the end.
  void start() override {
    alarm_ = stage_.loop.add_timer_at(stage_.end(), [] {});
  }
  bool issued() override { return stage_.loop.now() >= stage_.end(); }

 private:
  Stage stage_;
  ae::TimerId alarm_;
};

class Sweep final : public Scenario {
 public:
  explicit Sweep(const Stage& stage) : stage_(stage) {}
  void start() override {
    traffic_.emplace(stage_.loop, stage_.pace(stage_.phase.rate), stage_.crowd.size(),
                     [this](ae::TimePoint due) { stage_.ask(next_++, due); });
  }
  bool issued() override { return traffic_->over(); }

 private:
  Stage stage_;
  uint32_t next_ = 0;
  std::optional<Traffic> traffic_;
};

class Random final : public Scenario {
 public:
  explicit Random(const Stage& stage) : stage_(stage) {}
  void start() override {
    if (stage_.options.closed > 0) closed_loop_.emplace(stage_);
    traffic_ = make_background(stage_);
  }
  bool issued() override { return traffic_->over(); }
  void finish() override {
    if (closed_loop_) closed_loop_->stop();
  }

 private:
  Stage stage_;
  std::optional<ClosedLoop> closed_loop_;
  std::unique_ptr<Traffic> traffic_;
};

// Several requests in one write. They are due together, so their rate is kept by fewer writes.
class Sticky final : public Scenario {
 public:
  explicit Sticky(const Stage& stage) : stage_(stage) {}
  void start() override {
    const Pace pace = stage_.pace(stage_.phase.rate / stage_.options.pipeline);
    traffic_.emplace(stage_.loop, pace, pace.count_within(stage_.phase.duration),
                     [this](ae::TimePoint due) { burst(due); });
  }
  bool issued() override { return traffic_->over(); }

 private:
  // What is queued in one tick leaves in one write.
  void burst(ae::TimePoint due) {
    const std::optional<uint32_t> client = stage_.crowd.pick(stage_.random);
    if (!client) return void(stage_.result.unasked += stage_.options.pipeline);
    for (uint32_t i = 0; i < stage_.options.pipeline; ++i) stage_.ask(*client, due);
  }

  Stage stage_;
  std::optional<Traffic> traffic_;
};

// As fast as the server answers. Latencies of a closed loop say little (closed_loop.h); the rate is
// what it is for.
class Saturate final : public Scenario {
 public:
  explicit Saturate(const Stage& stage) : stage_(stage) {}
  ~Saturate() override { finish(); }
  void start() override {
    stage_.exchange.set_on_reply([this](uint32_t client) { ask(client); });
    const uint32_t asking = std::min(uint32_t(stage_.phase.rate), stage_.options.connections);
    const uint32_t ours = std::min(stage_.share.part(asking), stage_.crowd.size());
    for (uint32_t client = 0; client < ours; ++client) ask(client);
    alarm_ = stage_.loop.add_timer_at(stage_.end(), [this] { over_ = true; });
  }
  bool issued() override { return over_; }
  void finish() override {
    stage_.exchange.set_on_reply(nullptr);
    stage_.loop.cancel(alarm_);
  }

 private:
  // Each reply's own time, not the tick's: the next request is due when this one is answered.
  void ask(uint32_t client) { stage_.ask(client, stage_.loop.clock().now()); }

  Stage stage_;
  bool over_ = false;
  ae::TimerId alarm_;
};

}  // namespace

void Stage::ask(uint32_t client, ae::TimePoint due) {
  const ae::Connection connection = crowd.connection(client);
  if (connection.state() != ae::ConnectionState::kOpen) return void(++result.unasked);
  exchange.ask(client, connection, due, request.next(random));
}

void Stage::ask_anyone(ae::TimePoint due) {
  const std::optional<uint32_t> client = crowd.pick(random);
  if (!client) return void(++result.unasked);
  ask(*client, due);
}

std::unique_ptr<Traffic> make_background(Stage& stage) {
  const Pace pace = stage.pace(stage.phase.rate);
  return std::make_unique<Traffic>(stage.loop, pace, pace.count_within(stage.phase.duration),
                                   [&stage](ae::TimePoint due) { stage.ask_anyone(due); });
}

std::unique_ptr<Scenario> make_scenario(const Stage& stage) {
  switch (stage.phase.kind) {
    case ScenarioKind::kConnect:
      return std::make_unique<Connect>(stage);
    case ScenarioKind::kHold:
      return std::make_unique<Hold>(stage);
    case ScenarioKind::kSweep:
      return std::make_unique<Sweep>(stage);
    case ScenarioKind::kRandom:
      return std::make_unique<Random>(stage);
    case ScenarioKind::kSticky:
      return std::make_unique<Sticky>(stage);
    case ScenarioKind::kSaturate:
      return std::make_unique<Saturate>(stage);
    case ScenarioKind::kDribble:
      return make_dribble(stage);
    case ScenarioKind::kSlow:
      return make_slow(stage);
    case ScenarioKind::kHalfOpen:
      return make_half_open(stage);
    case ScenarioKind::kStorm:
      return make_storm(stage);
  }
  return nullptr;
}

}  // namespace load
