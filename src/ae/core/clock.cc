#include "ae/base/clock.h"

#include <time.h>

namespace ae {
namespace {

Nanoseconds read_clock(clockid_t id) {
  timespec time;
  ::clock_gettime(id, &time);  // from the vDSO: no kernel entry; cannot fail for these two clocks
  return Seconds(time.tv_sec) + Nanoseconds(time.tv_nsec);
}

class RealClock final : public Clock {
 public:
  TimePoint now() override { return TimePoint(read_clock(CLOCK_MONOTONIC)); }
  int64_t unix_us() override {
    return std::chrono::duration_cast<Microseconds>(read_clock(CLOCK_REALTIME)).count();
  }
};

}  // namespace

Clock& real_clock() {
  static RealClock clock;
  return clock;
}

}  // namespace ae
