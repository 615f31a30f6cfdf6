#include "load/histogram.h"

#include <cmath>

namespace load {
namespace {

constexpr uint64_t kLongestNs = (uint64_t{1} << Histogram::kMaxBits) - 1;

}  // namespace

void Histogram::record(ae::Nanoseconds duration) {
  const auto ns = uint64_t(std::max<int64_t>(duration.count(), 0));
  ++counts_[bucket(std::min(ns, kLongestNs))];
  ++total_;
  sum_ns_ += ns;
  max_ns_ = std::max(max_ns_, ns);
}

void Histogram::add(const Histogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  total_ += other.total_;
  sum_ns_ += other.sum_ns_;
  max_ns_ = std::max(max_ns_, other.max_ns_);
}

ae::Nanoseconds Histogram::mean() const {
  return ae::Nanoseconds(total_ == 0 ? 0 : int64_t(sum_ns_ / total_));
}

ae::Nanoseconds Histogram::percentile(double percent) const {
  // The rank is rounded up: the median of three is the second. The small subtrahend takes back what
  // a percent like 99.9, which no double holds exactly, would push beyond a whole number.
  const double exact = percent / 100 * double(total_);
  const auto rank = uint64_t(std::max(1.0, std::ceil(exact - 1e-6)));
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen < rank || seen == 0) continue;
    return ae::Nanoseconds(int64_t(std::min(upper_end_ns(i), max_ns_)));
  }
  return max();
}

uint64_t Histogram::upper_end_ns(size_t bucket) {
  constexpr size_t kSubBuckets = size_t{1} << kSubBits;
  if (bucket < 2 * kSubBuckets) return bucket;
  const size_t shift = (bucket >> kSubBits) - 1;
  const uint64_t low = (bucket & (kSubBuckets - 1)) | kSubBuckets;
  return ((low + 1) << shift) - 1;
}

}  // namespace load
