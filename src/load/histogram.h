// Durations in a fixed memory, with a relative error below a thousandth: buckets that double, each
// cut into 1024. The idea is Gil Tene's HdrHistogram.
//
//   0 .. 1023 ns        1024 buckets of 1 ns
//   1024 .. 2047 ns     1024 buckets of 1 ns
//   2048 .. 4095 ns     1024 buckets of 2 ns
//   ...                 up to 2^37 ns (137 s); what is longer counts as that
//
// All of them are kept, so that a percentile is read off and not estimated, and so that the
// histograms of several processes can be added. A plain record of 224 KiB: it travels as bytes.
//
// Thread: its owner's. record() is a shift and an increment.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "ae/base/clock.h"

namespace load {

class Histogram {
 public:
  static constexpr int kSubBits = 10;
  static constexpr int kMaxBits = 37;
  static constexpr size_t kBuckets = size_t(kMaxBits - kSubBits + 1) << kSubBits;

  // A negative duration (a clock read a moment before the event) counts as none.
  void record(ae::Nanoseconds duration);
  void add(const Histogram& other);

  uint64_t total() const { return total_; }
  ae::Nanoseconds max() const { return ae::Nanoseconds(int64_t(max_ns_)); }
  ae::Nanoseconds mean() const;
  // What `percent` of all durations stay below or at: the upper end of its bucket, but never more
  // than the largest duration. Zero where there is none.
  ae::Nanoseconds percentile(double percent) const;

 private:
  static size_t bucket(uint64_t ns) {
    const int shift = std::max(0, int(std::bit_width(ns)) - 1 - kSubBits);
    return (size_t(shift) << kSubBits) + size_t(ns >> shift);
  }
  static uint64_t upper_end_ns(size_t bucket);

  std::array<uint64_t, kBuckets> counts_{};
  uint64_t total_ = 0;
  uint64_t sum_ns_ = 0;
  uint64_t max_ns_ = 0;
};

}  // namespace load
