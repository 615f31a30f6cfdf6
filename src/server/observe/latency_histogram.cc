#include "server/observe/latency_histogram.h"

#include <algorithm>
#include <cmath>

namespace millrace {

uint64_t LatencyHistogram::upper_end_ns(size_t bucket) {
  if (bucket < (1u << kSubBits)) return bucket;
  const int shift = int(bucket >> kSubBits) - 1;
  const uint64_t step = bucket & ((1u << kSubBits) - 1);
  return ((((uint64_t{1} << kSubBits) | step) + 1) << shift) - 1;
}

uint64_t LatencyHistogram::percentile_ns(double percent) const {
  const auto wanted = uint64_t(std::ceil(double(total_) * percent / 100));
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen >= std::max<uint64_t>(wanted, 1)) return upper_end_ns(i);
  }
  return 0;
}

std::vector<std::pair<uint64_t, uint64_t>> LatencyHistogram::cumulative_by_power_of_two_us() const {
  std::vector<std::pair<uint64_t, uint64_t>> rows;
  uint64_t seen = 0;
  uint64_t limit_us = 1;
  for (size_t i = 0; i < kBuckets; ++i) {
    if (counts_[i] == 0) continue;
    while (limit_us * 1000 < upper_end_ns(i)) limit_us *= 2;
    seen += counts_[i];
    if (!rows.empty() && rows.back().first == limit_us) {
      rows.back().second = seen;
    } else {
      rows.emplace_back(limit_us, seen);
    }
  }
  return rows;
}

}  // namespace millrace
