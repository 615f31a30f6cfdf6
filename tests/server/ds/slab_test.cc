#include "server/ds/slab.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <vector>

namespace millrace::ds {
namespace {

// A fresh allocator for each test; the process' own is in use by other tests.
class SlabTest : public testing::Test {
 protected:
  ~SlabTest() override { slab_.trim(); }
  Slab slab_;
};

TEST_F(SlabTest, RoundsToEight) {
  EXPECT_EQ(Slab::rounded(1), 8u);
  EXPECT_EQ(Slab::rounded(54), 56u);
  EXPECT_EQ(Slab::rounded(512), 512u);
  EXPECT_EQ(Slab::rounded(513), 513u);
}

TEST_F(SlabTest, CellsAreAlignedDistinctAndKeepTheirBytes) {
  std::map<char*, std::pair<size_t, char>> live;
  std::mt19937_64 random(11);
  for (int step = 0; step < 40'000; ++step) {
    if (live.empty() || random() % 3 != 0) {
      const size_t bytes = 1 + random() % 520;
      auto* cell = static_cast<char*>(slab_.allocate(bytes));
      ASSERT_EQ(reinterpret_cast<uintptr_t>(cell) % 8, 0u);
      const char fill = static_cast<char>(random());
      std::memset(cell, fill, bytes);
      auto [where, fresh] = live.emplace(cell, std::pair(bytes, fill));
      ASSERT_TRUE(fresh);
      if (where != live.begin()) {
        auto before = std::prev(where);
        ASSERT_LE(before->first + before->second.first, cell);
      }
    } else {
      auto victim = live.lower_bound(reinterpret_cast<char*>(random() % (uint64_t{1} << 47)));
      if (victim == live.end()) victim = live.begin();
      const auto [bytes, fill] = victim->second;
      for (size_t i = 0; i < bytes; ++i) ASSERT_EQ(victim->first[i], fill);
      slab_.release(victim->first, bytes);
      live.erase(victim);
    }
    if (step % 5'000 == 0) slab_.check();
  }
  size_t expected = 0;
  for (const auto& [cell, what] : live) {
    if (what.first <= Slab::kMaxCellBytes) expected += Slab::rounded(what.first);
  }
  EXPECT_EQ(slab_.stats().live_bytes, expected);
  for (const auto& [cell, what] : live) slab_.release(cell, what.first);
  EXPECT_EQ(slab_.stats().live_bytes, 0u);
  EXPECT_EQ(slab_.stats().large_bytes, 0u);
  EXPECT_LE(slab_.stats().reserved_bytes, Slab::kSlabBytes);  // the spare
}

TEST_F(SlabTest, WastesUnderOnePercentOfASlabOnSmallCells) {
  std::vector<void*> cells;
  for (int i = 0; i < 100'000; ++i) cells.push_back(slab_.allocate(56));
  const Slab::Stats& stats = slab_.stats();
  EXPECT_LT(static_cast<double>(stats.reserved_bytes),
            static_cast<double>(stats.live_bytes) * 1.015);
  for (void* cell : cells) slab_.release(cell, 56);
  EXPECT_EQ(stats.reserved_bytes, Slab::kSlabBytes);
}

TEST_F(SlabTest, AReleasedCellIsTheNextOneHandedOut) {
  void* first = slab_.allocate(24);
  void* second = slab_.allocate(24);
  slab_.release(first, 24);
  EXPECT_EQ(slab_.allocate(20), first);
  slab_.release(first, 20);
  slab_.release(second, 24);
}

TEST_F(SlabTest, LargeBlocksAreCountedApart) {
  void* block = slab_.allocate(4096);
  EXPECT_EQ(slab_.stats().large_bytes, 4096u);
  EXPECT_EQ(slab_.stats().live_bytes, 0u);
  slab_.release(block, 4096);
  EXPECT_EQ(slab_.stats().large_bytes, 0u);
}

}  // namespace
}  // namespace millrace::ds
