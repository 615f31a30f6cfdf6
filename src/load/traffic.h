// An open loop: calls go out at times that were fixed beforehand, whatever became of the calls
// before.
//
//   Traffic traffic(loop, {start, 1000.0}, 5000, [&](ae::TimePoint due) { ask(due); });
//
// A call is never early and none is left out: after a moment in which this process could not run,
// the calls that fell into it are made at once, each with the time it was due at.
//
// Thread: the loop's. Ends itself after `count` calls, or with its life.
#pragma once

#include <cmath>
#include <cstdint>

#include "ae/core/event_loop.h"

namespace load {

// The times: the i-th is computed from the first, not from the one before, so that nothing adds up.
struct Pace {
  ae::TimePoint first;
  double per_second = 1;

  ae::TimePoint at(uint64_t i) const {
    return first + ae::Nanoseconds(int64_t(double(i) * 1e9 / per_second));
  }
  // How many fall into this time.
  uint64_t count_within(ae::Nanoseconds duration) const {
    return uint64_t(std::llround(double(duration.count()) * per_second / 1e9));
  }
};

class Traffic {
 public:
  Traffic(ae::EventLoop& loop, Pace pace, uint64_t count,
          ae::Callback<void(ae::TimePoint due)> call);
  ~Traffic() { stop(); }
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  bool over() const { return next_ >= count_; }
  void stop();

 private:
  void turn();

  ae::EventLoop& loop_;
  const Pace pace_;
  uint64_t count_;
  uint64_t next_ = 0;
  ae::Callback<void(ae::TimePoint)> call_;
  ae::TimerId timer_;
};

}  // namespace load
