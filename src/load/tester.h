// One process's part of a run: a loop's worth of connections, and the phase under way.
//
//   Tester tester(*loop, target, options, share);
//   tester.begin({.kind = ScenarioKind::kConnect}, loop->now());
//   while (!tester.over()) loop->run_once();
//   use(tester.result());
//
// Thread: the loop's. Dies before the loop.
#pragma once

#include <memory>
#include <optional>

#include "load/crowd.h"
#include "load/exchange.h"
#include "load/options.h"
#include "load/request_template.h"
#include "load/result.h"
#include "load/scenario.h"

namespace load {

class Tester {
 public:
  Tester(ae::EventLoop& loop, const ae::Address& target, const Options& options, Share share);
  ~Tester();
  Tester(const Tester&) = delete;
  Tester& operator=(const Tester&) = delete;

  // The phase's first request is due at `start` or soon after. The one before is over.
  void begin(const Phase& phase, ae::TimePoint start);
  // To be asked after each tick: everything was asked and answered, or given up.
  bool over();
  const PhaseResult& result() const { return *result_; }

 private:
  enum class Step : uint8_t { kBefore, kIssuing, kEnding };

  ae::EventLoop& loop_;
  const Options& options_;
  const Share share_;
  std::unique_ptr<PhaseResult> result_ = std::make_unique<PhaseResult>();
  Exchange exchange_;
  Crowd crowd_;
  RequestTemplate request_;
  ae::Prng random_;
  std::unique_ptr<Scenario> scenario_;
  Step step_ = Step::kBefore;
  ae::TimePoint start_;
  ae::TimerId start_timer_;
  ae::Nanoseconds cpu_before_{0};
};

}  // namespace load
