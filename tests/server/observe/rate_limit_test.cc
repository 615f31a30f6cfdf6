#include "server/observe/rate_limit.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

using ae::Seconds;

TEST(RateLimit, OncePerIntervalAndTheRestIsCounted) {
  RateLimit limit(Seconds(60));
  EXPECT_EQ(limit.admit(1, Seconds(0)), 0u);
  EXPECT_EQ(limit.admit(1, Seconds(1)), std::nullopt);
  EXPECT_EQ(limit.admit(1, Seconds(59)), std::nullopt);
  EXPECT_EQ(limit.admit(1, Seconds(60)), 2u);
  EXPECT_EQ(limit.admit(1, Seconds(61)), std::nullopt);
  EXPECT_EQ(limit.admit(1, Seconds(500)), 1u);
  EXPECT_EQ(limit.admit(1, Seconds(600)), 0u);
}

TEST(RateLimit, KeysHaveAllowancesOfTheirOwn) {
  RateLimit limit(Seconds(60));
  EXPECT_EQ(limit.admit(1, Seconds(0)), 0u);
  EXPECT_EQ(limit.admit(2, Seconds(0)), 0u);
  EXPECT_EQ(limit.admit(1, Seconds(0)), std::nullopt);
}

TEST(RateLimit, InventedKeysGetNoMoreThanTheSlots) {
  RateLimit limit(Seconds(60));
  size_t let_through = 0;
  for (uint64_t key = 0; key < 100'000; ++key) let_through += limit.admit(key, Seconds(1)) ? 1 : 0;
  EXPECT_LE(let_through, RateLimit::kSlots);
  EXPECT_GT(let_through, RateLimit::kSlots / 2);  // and they are spread
}

}  // namespace
}  // namespace millrace
