// What a phase does with the connections. One class per scenario; scenario.cc, peer_scenarios.cc,
// storm.cc.
//
// The life of one: made; start() at the phase's first moment; issued() is asked each tick until it
// says true; then finish(), which asks nothing more; and destroyed when all replies are here and
// whoever finish() has dropped is back: the crowd is whole again.
#pragma once

#include <memory>

#include "ae/base/prng.h"
#include "load/crowd.h"
#include "load/exchange.h"
#include "load/options.h"
#include "load/request_template.h"
#include "load/traffic.h"

namespace load {

// Which of the processes this is.
struct Share {
  uint32_t index = 0;
  uint32_t of = 1;

  // This share of `total` things; all shares together are all of them.
  uint32_t part(uint32_t total) const { return begin(total, index + 1) - begin(total, index); }
  // How many are in the shares before.
  uint32_t before(uint32_t total) const { return begin(total, index); }

 private:
  uint32_t begin(uint32_t total, uint32_t i) const { return uint32_t(uint64_t(total) * i / of); }
};

// All that a scenario may use. Plain references: the tester owns everything and outlives it.
struct Stage {
  ae::EventLoop& loop;
  Crowd& crowd;
  Exchange& exchange;
  PhaseResult& result;
  RequestTemplate& request;
  ae::Prng& random;
  const Options& options;
  Share share;
  Phase phase;
  ae::TimePoint start;

  ae::TimePoint end() const { return start + phase.duration; }
  // This process's share of `per_second` for all: every so-many-th of their times.
  Pace pace(double per_second) const {
    return {Pace{start, per_second}.at(share.index), per_second / share.of};
  }
  // Asks one client what the template says; counts if it has no connection.
  void ask(uint32_t client, ae::TimePoint due);
  void ask_anyone(ae::TimePoint due);
};

class Scenario {
 public:
  virtual ~Scenario() = default;
  virtual void start() = 0;
  // All that was to be asked has been.
  virtual bool issued() = 0;
  virtual void finish() {}
};

std::unique_ptr<Scenario> make_scenario(const Stage& stage);

// --- the pieces, for make_scenario
std::unique_ptr<Scenario> make_dribble(const Stage& stage);
std::unique_ptr<Scenario> make_slow(const Stage& stage);
std::unique_ptr<Scenario> make_half_open(const Stage& stage);
std::unique_ptr<Scenario> make_storm(const Stage& stage);

// Requests at the phase's rate to anyone on the roster, as long as the phase lasts: what most
// scenarios have in the background.
std::unique_ptr<Traffic> make_background(Stage& stage);

}  // namespace load
