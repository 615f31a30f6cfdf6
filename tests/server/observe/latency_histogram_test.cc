// The histogram against the sorted durations themselves.
#include "server/observe/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ae/base/prng.h"

namespace millrace {
namespace {

TEST(LatencyHistogramTest, PercentilesAreWithinABucketOfTheTruth) {
  const uint64_t seed = uint64_t(testing::UnitTest::GetInstance()->random_seed()) + 1;
  SCOPED_TRACE(seed);
  ae::Prng prng(seed);
  LatencyHistogram histogram;
  std::vector<uint64_t> durations;
  for (int i = 0; i < 5000; ++i) {
    const uint64_t ns = prng.next() >> (28 + prng.below(36));  // all sizes up to 68 s
    durations.push_back(ns);
    histogram.record(ns);
  }
  std::sort(durations.begin(), durations.end());
  EXPECT_EQ(histogram.total(), durations.size());
  for (double percent : {0.0, 1.0, 25.0, 50.0, 99.0, 99.9, 100.0}) {
    const size_t rank = std::max<size_t>(1, size_t(std::ceil(5000 * percent / 100)));
    const double truth = double(durations[rank - 1]);
    const double reported = double(histogram.percentile_ns(percent));
    EXPECT_GE(reported, truth) << percent;
    EXPECT_LE(reported, truth * 1.125 + 1) << percent;
  }
}

TEST(LatencyHistogramTest, WhatIsTooLongFallsIntoTheLastBucket) {
  LatencyHistogram histogram;
  histogram.record(UINT64_MAX);
  histogram.record(uint64_t{1} << LatencyHistogram::kMaxBits);
  EXPECT_EQ(histogram.percentile_ns(1), (uint64_t{1} << LatencyHistogram::kMaxBits) - 1);
  EXPECT_EQ(LatencyHistogram().percentile_ns(50), 0u);
}

TEST(LatencyHistogramTest, PowersOfTwoAreCumulative) {
  LatencyHistogram histogram;
  for (uint64_t us : {1, 1, 3, 7, 200}) histogram.record(us * 1000 - 500);
  const auto rows = histogram.cumulative_by_power_of_two_us();
  const std::vector<std::pair<uint64_t, uint64_t>> expected = {{1, 2}, {4, 3}, {8, 4}, {256, 5}};
  EXPECT_EQ(rows, expected);
}

}  // namespace
}  // namespace millrace
