#include "load/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "ae/base/prng.h"

namespace load {
namespace {

using ae::Nanoseconds;

std::unique_ptr<Histogram> histogram_of(const std::vector<int64_t>& values) {
  auto histogram = std::make_unique<Histogram>();
  for (const int64_t value : values) histogram->record(Nanoseconds(value));
  return histogram;
}

TEST(HistogramTest, NothingInIt) {
  const Histogram histogram;
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

TEST(HistogramTest, WithinAThousandthOfTheSortedList) {
  const uint64_t seed = 20'25;
  SCOPED_TRACE(seed);
  ae::Prng random(seed);
  std::vector<int64_t> values;
  for (int i = 0; i < 20'000; ++i)
    values.push_back(int64_t(random.next() >> random.between(27, 60)));
  const auto histogram = histogram_of(values);
  std::ranges::sort(values);
  for (const double percent : {0.1, 10.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
    const auto rank =
        size_t(std::max(1.0, std::ceil(percent / 100 * double(values.size()) - 1e-6)));
    const auto exact = double(values[rank - 1]);
    const auto told = double(histogram->percentile(percent).count());
    EXPECT_GE(told, exact) << percent;
    EXPECT_LE(told, exact * 1.001 + 1) << percent;
  }
}

TEST(HistogramTest, TooLongAndNegative) {
  const auto histogram = histogram_of({-5, int64_t{1} << 40});
  EXPECT_EQ(histogram->percentile(50), Nanoseconds(0));
  EXPECT_EQ(histogram->max(), Nanoseconds(int64_t{1} << 40));
  EXPECT_EQ(histogram->percentile(100).count(), (int64_t{1} << Histogram::kMaxBits) - 1);
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
}  // namespace load
