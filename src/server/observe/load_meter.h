// How busy each loop has been of late: what `instantaneous_...` is to a counter. The cron takes a
// sample of every loop's account, and the last kSamples of them are kept (1.6 s at hz 10).
//
// Thread: the command loop's; the accounts may be other loops'.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ae/base/clock.h"
#include "server/command/lifecycle.h"

namespace millrace {

class LoadMeter {
 public:
  static constexpr size_t kSamples = 16;

  // What a loop did between the oldest sample and the newest.
  struct Recent {
    uint64_t ticks = 0;
    ae::Nanoseconds useful{0};
    ae::Nanoseconds busy{0};
    ae::Nanoseconds elapsed{0};

    double useful_percent() const { return percent_of_elapsed(useful); }
    double busy_percent() const { return percent_of_elapsed(busy); }
    double ticks_per_second() const {
      return elapsed.count() == 0 ? 0 : double(ticks) * 1e9 / double(elapsed.count());
    }

   private:
    double percent_of_elapsed(ae::Nanoseconds part) const;
  };

  void sample(std::span<const LoopView> loops, ae::TimePoint now);
  // By its number; nothing yet: all zero. One that took the number of another in the last second
  // has nothing yet either.
  Recent recent(size_t number) const;

 private:
  struct Sample {
    uint64_t ticks = 0;
    ae::Nanoseconds useful{0};
    ae::Nanoseconds busy{0};
  };

  std::vector<std::array<Sample, kSamples>> loops_;  // rings, by number
  std::array<ae::TimePoint, kSamples> times_{};
  size_t taken_ = 0;
};

}  // namespace millrace
