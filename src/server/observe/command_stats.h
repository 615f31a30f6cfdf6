// Calls, time and failures per command: INFO's commandstats and latencystats, LATENCY HISTOGRAM.
//
// Time is not taken of every call: two clock reads cost as much as a GET. Commands whose cost does
// not depend on the data (kFast, kUntimed) are timed at their first call and then once in
// kSampleEvery, and their total is the sample's mean times the calls; all others are timed each.
// Calls and failures are always exact.
//
// Thread: the loop that runs commands.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ae/base/histogram.h"

namespace millrace {

// An eighth is enough to tell 1.0 ms from 1.2.
using LatencyHistogram = ae::Histogram<3>;

class CommandStats {
 public:
  static constexpr uint64_t kSampleEvery = 64;

  struct Row {
    uint64_t calls = 0;
    uint64_t rejected = 0;  // refused before they ran (arity, auth, OOM)
    uint64_t failed = 0;    // ran and answered an error
    uint64_t timed_calls = 0;
    uint64_t timed_ns = 0;
    std::unique_ptr<LatencyHistogram> histogram;  // of the timed calls; when latency-tracking is on

    double usec_per_call() const {
      return timed_calls == 0 ? 0 : double(timed_ns) / double(timed_calls) / 1000;
    }
    // So many of the histogram's calls as a share of all calls.
    uint64_t scaled_to_calls(uint64_t recorded) const;
    uint64_t usec() const { return uint64_t(usec_per_call() * double(calls)); }
  };

  explicit CommandStats(size_t commands);

  Row& row(uint16_t command_id) { return rows_[command_id]; }
  const Row& row(uint16_t command_id) const { return rows_[command_id]; }
  void record_time(uint16_t command_id, uint64_t ns);
  void set_tracking(bool on) { tracking_ = on; }
  void reset();

 private:
  std::vector<Row> rows_;
  bool tracking_ = true;
};

}  // namespace millrace
