#include "ae/sim/enumerator.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

namespace ae::sim {
namespace {

// What the formula of the header must agree with: recursion over pieces and gaps.
uint64_t brute_force(size_t bytes, size_t cuts, size_t variations, size_t kinds) {
  // Gap 0 is before the first piece; each gap is ordinary or one of `kinds`.
  struct Counter {
    size_t kinds;
    uint64_t gaps(size_t left, size_t variations) const {
      if (left == 0) return 1;
      const uint64_t ordinary = gaps(left - 1, variations);
      return variations == 0 ? ordinary : ordinary + kinds * gaps(left - 1, variations - 1);
    }
    uint64_t pieces(size_t bytes, size_t made, size_t cuts, size_t variations) const {
      uint64_t total = gaps(made + 2, variations);  // what is left is one piece
      for (size_t first = 1; cuts > 0 && first < bytes; ++first) {
        total += pieces(bytes - first, made + 1, cuts - 1, variations);
      }
      return total;
    }
  };
  return Counter{kinds}.pieces(bytes, 0, cuts, variations);
}

const std::vector<Gap> kThree = {Gap::kNothing, Gap::kFin, Gap::kTime};

TEST(EnumeratorTest, CountsAsBruteForceDoes) {
  for (size_t bytes = 1; bytes <= 7; ++bytes) {
    for (size_t cuts = 0; cuts < bytes; ++cuts) {
      for (size_t variations = 0; variations <= 3; ++variations) {
        const Enumerator schedules({bytes, cuts, kThree, variations});
        EXPECT_EQ(schedules.count(), brute_force(bytes, cuts, variations, kThree.size()))
            << bytes << " bytes, " << cuts << " cuts, " << variations << " variations";
      }
    }
  }
}

TEST(EnumeratorTest, AllCutsAreAllCompositions) {
  for (size_t bytes = 1; bytes <= 16; ++bytes) {
    EXPECT_EQ(Enumerator({.bytes = bytes, .max_cuts = bytes - 1}).count(), 1u << (bytes - 1));
  }
}

TEST(EnumeratorTest, EveryScheduleIsSoundAndNoneComesTwice) {
  const Enumerator schedules({6, 4, kThree, 2});
  std::set<std::string> seen;
  for (uint64_t number = 0; number < schedules.count(); ++number) {
    Schedule schedule = schedules.at(number);
    ASSERT_EQ(std::accumulate(schedule.pieces.begin(), schedule.pieces.end(), size_t{0}), 6u);
    ASSERT_EQ(schedule.gaps.size(), schedule.pieces.size() + 1);
    ASSERT_EQ(schedule.number, number);
    schedule.number = 0;
    ASSERT_TRUE(seen.insert(describe(schedule)).second) << describe(schedule);
  }
}

}  // namespace
}  // namespace ae::sim
