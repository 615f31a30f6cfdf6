#include "server/ds/int_set.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/server/ds/redis_blobs.h"

namespace millrace::ds {
namespace {

std::vector<std::int64_t> members(const IntSet& set) {
  std::vector<std::int64_t> all;
  set.for_each([&all](std::int64_t member) { all.push_back(member); });
  return all;
}

TEST(IntSet, EmptyHasNoBlock) {
  IntSet set;
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set.allocated_bytes(), 0U);
  EXPECT_EQ(set.width(), 2U);
  EXPECT_FALSE(set.contains(0));
  EXPECT_FALSE(set.erase(0));
  EXPECT_TRUE(set.check());
}

TEST(IntSet, WidensAtTheEdgesOnly) {
  struct Case {
    std::int64_t value;
    std::uint32_t width;
  };
  for (const Case& test :
       {Case{32767, 2}, Case{32768, 4}, Case{-32768, 2}, Case{-32769, 4}, Case{2147483647, 4},
        Case{2147483648, 8}, Case{-2147483648LL, 4}, Case{-2147483649LL, 8}}) {
    IntSet set;
    set.insert(1);
    set.insert(-1);
    EXPECT_TRUE(set.insert(test.value));
    EXPECT_EQ(set.width(), test.width) << test.value;
    EXPECT_TRUE(set.contains(test.value) && set.contains(1) && set.contains(-1));
    EXPECT_FALSE(set.insert(test.value));
    EXPECT_TRUE(set.check());
  }
}

TEST(IntSet, WidensFromTwoToEightAtBothEnds) {
  IntSet set;
  for (std::int64_t value = -5; value <= 5; ++value) set.insert(value);
  set.insert(std::numeric_limits<std::int64_t>::min());
  set.insert(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(set.front(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(set.back(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(set.size(), 13U);
  EXPECT_TRUE(set.check());
}

TEST(IntSet, KeepsItsWidthWhenWideMembersGo) {
  IntSet set;
  set.insert(1);
  set.insert(1 << 20);
  set.erase(1 << 20);
  EXPECT_EQ(set.width(), 4U);
  EXPECT_EQ(members(set), std::vector<std::int64_t>{1});
}

TEST(IntSet, RandomReachesEveryMember) {
  IntSet set;
  for (int i = 0; i < 7; ++i) set.insert(i);
  std::set<std::int64_t> seen;
  std::mt19937_64 random(1);
  for (int i = 0; i < 500; ++i) seen.insert(set.random(random()));
  EXPECT_EQ(seen.size(), 7U);
  EXPECT_EQ(set.random(UINT64_MAX), 6);
  EXPECT_EQ(set.random(0), 0);
}

TEST(IntSet, ReadsWhatRedisWrote) {
  for (const RedisBlob& blob : kRedisIntSets) {
    const std::optional<IntSet> set = IntSet::from_bytes(blob.bytes);
    ASSERT_TRUE(set.has_value()) << blob.name;
    IntSet again;
    for (std::int64_t member : members(*set)) again.insert(member);
    EXPECT_EQ(again.raw(), blob.bytes) << blob.name;
  }
}

TEST(IntSet, FromBytesRefusesWhatIsNotOne) {
  IntSet set;
  for (int i = 0; i < 4; ++i) set.insert(i);
  const std::string good(set.raw());
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(IntSet::from_bytes(good.substr(0, size)));
  }
  EXPECT_FALSE(IntSet::from_bytes(good + "x"));
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int value = 0; value < 256; ++value) {
      std::string bytes = good;
      bytes[i] = static_cast<char>(value);
      const std::optional<IntSet> read = IntSet::from_bytes(bytes);
      EXPECT_TRUE(!read || read->check());
    }
  }
  EXPECT_FALSE(IntSet::from_bytes(IntSet().raw()));
}

TEST(IntSet, BehavesLikeASet) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    std::set<std::int64_t> model;
    IntSet set;
    for (int step = 0; step < 2000; ++step) {
      const int shift = random() % 50 == 0 ? static_cast<int>(random() % 64) : 56;
      const std::int64_t value = static_cast<std::int64_t>(random()) >> shift;
      ASSERT_EQ(set.contains(value), model.count(value) == 1);
      if (random() % 2 == 0) {
        ASSERT_EQ(set.insert(value), model.insert(value).second);
      } else {
        ASSERT_EQ(set.erase(value), model.erase(value) == 1);
      }
      ASSERT_EQ(set.size(), model.size());
    }
    ASSERT_TRUE(set.check());
    EXPECT_EQ(members(set), std::vector<std::int64_t>(model.begin(), model.end()));
    EXPECT_EQ(IntSet::copy_of(set).raw(), set.raw());
  }
}

}  // namespace
}  // namespace millrace::ds
