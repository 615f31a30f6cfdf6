// What the simulated world will do on its own, and when: a peer that answers in 3 ms, a host that
// comes back after a minute. The simulated poller runs the agenda while it waits.
//
// Actions of one instant run in the order they were entered. An action may enter further ones.
//
// Thread: one. Example:
//
//   agenda.after(ae::Milliseconds(3), [&] { peer.send("+PONG\r\n"); });
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>

#include "ae/base/clock.h"
#include "ae/sim/sim_clock.h"

namespace ae::sim {

class Agenda {
 public:
  explicit Agenda(SimClock& clock) : clock_(clock) {}

  void at(TimePoint when, std::function<void()> action) {
    actions_.emplace(when < clock_.now() ? clock_.now() : when, std::move(action));
  }
  void after(Nanoseconds delay, std::function<void()> action) {
    at(clock_.now() + delay, std::move(action));
  }

  std::optional<TimePoint> next() const {
    if (actions_.empty()) return std::nullopt;
    return actions_.begin()->first;
  }
  size_t size() const { return actions_.size(); }
  void clear() { actions_.clear(); }

  // Runs what is due now, including what the actions themselves enter for now. Returns how many
  // ran.
  size_t run_due() {
    size_t ran = 0;
    while (!actions_.empty() && actions_.begin()->first <= clock_.now()) {
      auto node = actions_.extract(actions_.begin());
      node.mapped()();
      ++ran;
    }
    return ran;
  }
  // Moves the clock to `deadline` and runs everything on the way at its own instant.
  void run_until(TimePoint deadline) {
    while (next() && *next() <= deadline) {
      clock_.advance_to(*next());
      run_due();
    }
    clock_.advance_to(deadline);
  }

  SimClock& clock() { return clock_; }

 private:
  SimClock& clock_;
  std::multimap<TimePoint, std::function<void()>> actions_;
};

}  // namespace ae::sim
