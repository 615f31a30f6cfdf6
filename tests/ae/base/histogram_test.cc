// Histograms against the sorted durations themselves.
#include "ae/base/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "ae/base/prng.h"
#include "ae/base/tally.h"

namespace ae::test {
namespace {

using Fine = Histogram<10>;
// As the loop has them: coarse, and looked at by other threads.
using Coarse = Histogram<3, Tally>;
template <typename Kind = Fine>
std::unique_ptr<Kind> histogram_of(const std::vector<int64_t>& values) {
  auto histogram = std::make_unique<Kind>();
  for (const int64_t value : values) histogram->record(Nanoseconds(value));
  return histogram;
}

TEST(HistogramTest, NothingInIt) {
  const Fine histogram;
  EXPECT_EQ(histogram.total(), 0u);
  EXPECT_EQ(histogram.percentile(50), Nanoseconds(0));
  EXPECT_EQ(histogram.max(), Nanoseconds(0));
  EXPECT_EQ(histogram.mean(), Nanoseconds(0));
}

TEST(HistogramTest, SmallNumbersAreExact) {
  const auto histogram = histogram_of({3, 1, 2});
  EXPECT_EQ(histogram->percentile(0), Nanoseconds(1));
  EXPECT_EQ(histogram->percentile(50), Nanoseconds(2));
  EXPECT_EQ(histogram->percentile(66), Nanoseconds(2));
  EXPECT_EQ(histogram->percentile(67), Nanoseconds(3));
  EXPECT_EQ(histogram->percentile(100), Nanoseconds(3));
  EXPECT_EQ(histogram->mean(), Nanoseconds(2));
}

TEST(HistogramTest, ARankIsNotRoundedBeyondItself) {
  std::vector<int64_t> thousand(1000);
  for (int64_t i = 0; i < 1000; ++i) thousand[size_t(i)] = i + 1;
  EXPECT_EQ(histogram_of(thousand)->percentile(99.9), Nanoseconds(999));
  EXPECT_EQ(histogram_of(thousand)->percentile(99), Nanoseconds(990));
}

// Percentiles of random durations of all sizes up to a minute: never below the truth, and above it
// by no more than the promised part.
template <typename Kind>
void expect_percentiles_within(double part, uint64_t seed) {
  SCOPED_TRACE(seed);
  Prng random(seed);
  std::vector<int64_t> values;
  for (int i = 0; i < 20'000; ++i)
    values.push_back(int64_t(random.next() >> random.between(28, 60)));
  const auto histogram = histogram_of<Kind>(values);
  std::ranges::sort(values);
  for (const double percent : {0.1, 10.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
    const auto rank =
        size_t(std::max(1.0, std::ceil(percent / 100 * double(values.size()) - 1e-6)));
    const auto exact = double(values[rank - 1]);
    const auto told = double(histogram->percentile(percent).count());
    EXPECT_GE(told, exact) << percent;
    EXPECT_LE(told, exact * (1 + part) + 1) << percent;
  }
}

TEST(HistogramTest, PercentilesAreWithinABucketOfTheSortedList) {
  const uint64_t seed = uint64_t(testing::UnitTest::GetInstance()->random_seed()) + 1;
  expect_percentiles_within<Fine>(1.0 / 1024, seed);
  expect_percentiles_within<Coarse>(1.0 / 8, seed);
}

TEST(HistogramTest, BucketsThatHoldSomethingInOrder) {
  const auto histogram = histogram_of<Coarse>({5, 5, 17, 1000});
  std::vector<std::pair<int64_t, uint64_t>> buckets;
  histogram->each_bucket(
      [&](Nanoseconds end, uint64_t count) { buckets.emplace_back(end.count(), count); });
  const std::vector<std::pair<int64_t, uint64_t>> expected = {{5, 2}, {17, 1}, {1023, 1}};
  EXPECT_EQ(buckets, expected);
  EXPECT_EQ(histogram->sum(), Nanoseconds(1027));
  const Coarse copy = *histogram;
  EXPECT_EQ(copy.total(), 4u);
}

TEST(HistogramTest, TooLongAndNegative) {
  const auto histogram = histogram_of({-5, int64_t{1} << 40});
  EXPECT_EQ(histogram->percentile(50), Nanoseconds(0));
  EXPECT_EQ(histogram->max(), Nanoseconds(int64_t{1} << 40));
  EXPECT_EQ(histogram->percentile(100).count(), (int64_t{1} << Fine::kMaxBits) - 1);
}

TEST(HistogramTest, AddedIsAsIfRecordedTogether) {
  auto both = histogram_of({1, 5'000'000});
  both->add(*histogram_of({70'000, 9'000'000'000}));
  const auto together = histogram_of({1, 5'000'000, 70'000, 9'000'000'000});
  EXPECT_EQ(both->total(), 4u);
  EXPECT_EQ(both->mean(), together->mean());
  EXPECT_EQ(both->max(), together->max());
  for (const double percent : {25, 50, 75, 100}) {
    EXPECT_EQ(both->percentile(percent), together->percentile(percent));
  }
}

}  // namespace
}  // namespace ae::test
