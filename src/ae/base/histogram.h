// Durations in a fixed memory, with a bounded relative error: buckets that double, each cut into
// 2^kSubBits. The idea is Gil Tene's HdrHistogram. With kSubBits = 3:
//
//   0 .. 7 ns      8 buckets of 1 ns
//   8 .. 15 ns     8 buckets of 1 ns
//   16 .. 31 ns    8 buckets of 2 ns
//   ...            up to 2^37 ns (137 s); what is longer counts as that
//
// The error is below 2^-kSubBits: an eighth with 3 (280 buckets, 2.2 KiB: one per command, several
// per loop), a thousandth with 10 (224 KiB: the load tester's). All buckets are kept, so that a
// percentile is read off and not estimated, and so that histograms can be added. A plain record.
//
// Cell is what counts: uint64_t, or Tally where another thread looks on.
//
// Thread: its owner's. record() is a shift and four additions.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "ae/base/clock.h"

namespace ae {

template <int kSubBits, typename Cell = uint64_t>
class Histogram {
 public:
  static constexpr int kMaxBits = 37;
  static constexpr size_t kBuckets = size_t(kMaxBits - kSubBits + 1) << kSubBits;

  // A negative duration (a clock read a moment before the event) counts as none.
  void record(Nanoseconds duration) {
    const auto ns = uint64_t(std::max<int64_t>(duration.count(), 0));
    ++counts_[bucket(std::min(ns, kLongestNs))];
    ++total_;
    sum_ns_ += ns;
    if (ns > max_ns_) max_ns_ = ns;
  }
  void add(const Histogram& other) {
    for (size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
    sum_ns_ += other.sum_ns_;
    max_ns_ = std::max(uint64_t(max_ns_), uint64_t(other.max_ns_));
  }

  uint64_t total() const { return total_; }
  Nanoseconds sum() const { return Nanoseconds(int64_t(uint64_t(sum_ns_))); }
  Nanoseconds max() const { return Nanoseconds(int64_t(uint64_t(max_ns_))); }
  Nanoseconds mean() const { return total() == 0 ? Nanoseconds(0) : sum() / int64_t(total()); }
  // What `percent` of all durations stay below or at: the upper end of its bucket, but never more
  // than the largest duration. Zero where there is none.
  Nanoseconds percentile(double percent) const {
    // The rank is rounded up: the median of three is the second. The small subtrahend takes back
    // what a percent like 99.9, which no double holds exactly, would push beyond a whole number.
    const double exact = percent / 100 * double(total());
    const auto rank = uint64_t(std::max(1.0, std::ceil(exact - 1e-6)));
    uint64_t seen = 0;
    for (size_t i = 0; i < kBuckets; ++i) {
      seen += counts_[i];
      if (seen >= rank) return std::min(Nanoseconds(int64_t(upper_end_ns(i))), max());
    }
    return max();
  }
  // visitor(upper end, count) for each bucket that holds something, the shortest first.
  template <typename Visitor>
  void each_bucket(Visitor&& visitor) const {
    for (size_t i = 0; i < kBuckets; ++i) {
      if (const uint64_t count = counts_[i]) visitor(Nanoseconds(int64_t(upper_end_ns(i))), count);
    }
  }

 private:
  static constexpr uint64_t kLongestNs = (uint64_t{1} << kMaxBits) - 1;
  static constexpr size_t kSubBuckets = size_t{1} << kSubBits;

  static size_t bucket(uint64_t ns) {
    const int shift = std::max(0, int(std::bit_width(ns)) - 1 - kSubBits);
    return (size_t(shift) << kSubBits) + size_t(ns >> shift);
  }
  static uint64_t upper_end_ns(size_t bucket) {
    if (bucket < 2 * kSubBuckets) return bucket;
    const size_t shift = (bucket >> kSubBits) - 1;
    const uint64_t low = (bucket & (kSubBuckets - 1)) | kSubBuckets;
    return ((low + 1) << shift) - 1;
  }

  std::array<Cell, kBuckets> counts_{};
  Cell total_ = 0;
  Cell sum_ns_ = 0;
  Cell max_ns_ = 0;
};

}  // namespace ae
