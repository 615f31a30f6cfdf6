// Time that stands still until somebody moves it.
//
// A SimClock moves in two ways only: a test calls advance(), or a simulated poller waits with
// nothing ready and the wait is what takes the time (sim_poller.h). A tick therefore takes no time
// at all, an hour of idle timeouts takes one wait, and a run is the same run every time.
//
// Thread: one. Example:
//
//   ae::sim::SimClock clock;
//   clock.advance(ae::Seconds(3600));
#pragma once

#include "ae/base/assert.h"
#include "ae/base/clock.h"

namespace ae::sim {

class SimClock final : public Clock {
 public:
  // 2024-01-01T00:00:00Z: any fixed day serves, zero would hide a missing conversion.
  static constexpr int64_t kDefaultUnixUs = 1'704'067'200'000'000;
  // Not zero either: code that takes TimePoint{} for "never" must be able to tell.
  static constexpr Nanoseconds kDefaultStart = Seconds(1000);

  explicit SimClock(int64_t unix_us = kDefaultUnixUs) : unix_at_start_us_(unix_us) {}

  TimePoint now() override { return now_; }
  int64_t unix_us() override {
    return unix_at_start_us_ +
           std::chrono::duration_cast<Microseconds>(now_ - TimePoint(kDefaultStart)).count();
  }

  void advance(Nanoseconds by) {
    AE_ASSERT(by >= Nanoseconds::zero());
    now_ += by;
  }
  void advance_to(TimePoint when) {
    if (when > now_) now_ = when;
  }
  // The administrator or NTP sets the calendar; the monotonic clock does not notice.
  void step_calendar(Microseconds by) { unix_at_start_us_ += by.count(); }

 private:
  TimePoint now_{kDefaultStart};
  int64_t unix_at_start_us_;
};

}  // namespace ae::sim
