// So much time and no more: what ends a loop over pieces of work whose number is known and whose
// price is the kernel's (closing, accepting). One clock read per piece, so for pieces that take
// microseconds. On a clock that stands still (a test's, a simulation's) a slice has no end: such a
// loop has a bound by count, too.
//
//   const ae::TimeSlice slice(clock, ae::Microseconds(100));
//   do work.take_one(); while (!work.empty() && !slice.over());   // at least one, for progress
#pragma once

#include "ae/base/clock.h"

namespace ae {

class TimeSlice {
 public:
  TimeSlice(Clock& clock, Nanoseconds length) : clock_(clock), end_(clock.now() + length) {}
  bool over() const { return clock_.now() >= end_; }

 private:
  Clock& clock_;
  TimePoint end_;
};

}  // namespace ae
