// Durations in a fixed small memory, with bounded relative error: buckets that double, each cut
// into eight. The idea is G. Tene's HdrHistogram; three significant bits are enough to tell 1.0 ms
// from 1.2.
//
//   8 buckets of 1 ns, then per power of two 8 buckets of 1/8 of it ... up to 2^37 ns (137 s)
//
// Thread: its owner's. record() is a shift and an increment.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace millrace {

class LatencyHistogram {
 public:
  static constexpr int kSubBits = 3;
  static constexpr int kMaxBits = 37;
  static constexpr size_t kBuckets = size_t(kMaxBits - kSubBits + 1) << kSubBits;

  void record(uint64_t ns) {
    ++counts_[bucket(ns)];
    ++total_;
  }
  uint64_t total() const { return total_; }
  // The duration that `percent` of all stay below or at, as the upper end of its bucket.
  uint64_t percentile_ns(double percent) const;
  // LATENCY HISTOGRAM's form: for each power of two of microseconds that something falls into, how
  // many durations are at most that long.
  std::vector<std::pair<uint64_t, uint64_t>> cumulative_by_power_of_two_us() const;

 private:
  static size_t bucket(uint64_t ns) {
    if (ns < (1u << kSubBits)) return size_t(ns);
    const int width = std::bit_width(ns);
    if (width > kMaxBits) return kBuckets - 1;
    const int shift = width - 1 - kSubBits;
    return (size_t(shift + 1) << kSubBits) + size_t((ns >> shift) & ((1u << kSubBits) - 1));
  }
  static uint64_t upper_end_ns(size_t bucket);

  std::array<uint32_t, kBuckets> counts_{};
  uint64_t total_ = 0;
};

}  // namespace millrace
