#include "ae/base/prng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace ae {
namespace {

// The first outputs published for SplitMix64 with seed 1234567 (rosettacode.org, "Pseudo-random
// numbers/Splitmix64").
TEST(Prng, SplitMixMatchesPublishedValues) {
  uint64_t state = 1234567;
  EXPECT_EQ(split_mix(state), 6457827717110365317u);
  EXPECT_EQ(split_mix(state), 3203168211198807973u);
  EXPECT_EQ(split_mix(state), 9817491932198370423u);
}

TEST(Prng, TheSameSeedIsTheSameSequence) {
  Prng a(7), b(7), c(8);
  EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(a.next(), c.next());
}

TEST(Prng, BelowStaysBelowAndCoversAll) {
  Prng random(1);
  std::array<int, 10> seen{};
  for (int i = 0; i < 10000; ++i) ++seen.at(random.below(10));
  // 1000 expected each; ten standard deviations are 300.
  EXPECT_GT(*std::min_element(seen.begin(), seen.end()), 700);
  EXPECT_LT(*std::max_element(seen.begin(), seen.end()), 1300);
  EXPECT_EQ(random.below(0), 0u);
  EXPECT_EQ(random.below(1), 0u);
}

TEST(Prng, BetweenIncludesBothEnds) {
  Prng random(1);
  bool low = false, high = false;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t value = random.between(3, 5);
    ASSERT_TRUE(value >= 3 && value <= 5);
    low |= value == 3;
    high |= value == 5;
  }
  EXPECT_TRUE(low && high);
}

TEST(Prng, FractionIsInTheHalfOpenUnitInterval) {
  Prng random(1);
  double sum = 0;
  for (int i = 0; i < 10000; ++i) {
    const double value = random.fraction();
    ASSERT_TRUE(value >= 0 && value < 1);
    sum += value;
  }
  EXPECT_NEAR(sum / 10000, 0.5, 0.02);
}

}  // namespace
}  // namespace ae
