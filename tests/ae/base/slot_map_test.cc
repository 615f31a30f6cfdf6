#include "ae/base/slot_map.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ae/base/prng.h"

namespace ae {
namespace {

struct Record {
  std::string text;
  int number;
};

TEST(SlotMap, FindsWhatWasPutIn) {
  SlotMap<Record> map;
  const SlotId id = map.emplace("one", 1);
  ASSERT_NE(map.find(id), nullptr);
  EXPECT_EQ(map.find(id)->text, "one");
  EXPECT_EQ(map.size(), 1u);
  EXPECT_TRUE(map.erase(id));
  EXPECT_EQ(map.find(id), nullptr);
  EXPECT_FALSE(map.erase(id));
  EXPECT_TRUE(map.empty());
}

TEST(SlotMap, AReusedSlotHasANewGeneration) {
  SlotMap<Record> map;
  const SlotId old = map.emplace("old", 1);
  map.erase(old);
  const SlotId fresh = map.emplace("new", 2);
  EXPECT_EQ(old.slot, fresh.slot) << "the slot freed last is reused first";
  EXPECT_NE(old.generation, fresh.generation);
  EXPECT_EQ(map.find(old), nullptr);
  EXPECT_EQ(map.find(fresh)->number, 2);
}

TEST(SlotMap, ForeignIdsFindNothing) {
  SlotMap<Record> map;
  EXPECT_EQ(map.find({}), nullptr);
  EXPECT_EQ(map.find({0, 1}), nullptr);
  const SlotId id = map.emplace("x", 1);
  map.erase(id);
  EXPECT_EQ(map.find({id.slot, id.generation + 1}), nullptr) << "the generation of a free slot";
  EXPECT_EQ(map.find({id.slot, 0}), nullptr);
  EXPECT_EQ(map.find({UINT32_MAX, 1}), nullptr);
}

TEST(SlotMap, RecordsNeverMove) {
  SlotMap<uint64_t> map;
  const SlotId first = map.emplace(42u);
  const uint64_t* place = map.find(first);
  for (uint64_t i = 0; i < 3 * map.kSlotsPerChunk; ++i) map.emplace(i);
  EXPECT_EQ(map.find(first), place);
  EXPECT_EQ(*place, 42u);
}

TEST(SlotMap, FourBytesOverTheRecord) {
  using Map = SlotMap<std::array<char, 24>>;
  EXPECT_LE(Map::kSlotsPerChunk * (24 + 4), Map::kChunkBytes);
  EXPECT_GE(Map::kSlotsPerChunk * (24 + 4), Map::kChunkBytes / 2);
}

TEST(SlotMap, LiveRecordsDieWithTheTable) {
  auto counter = std::make_shared<int>();
  {
    SlotMap<std::shared_ptr<int>> map;
    map.emplace(counter);
    map.erase(map.emplace(counter));
    map.emplace(counter);
    EXPECT_EQ(counter.use_count(), 3);
  }
  EXPECT_EQ(counter.use_count(), 1);
}

TEST(SlotMap, VisitingInSlicesMeetsAllOnce) {
  SlotMap<uint64_t> map;
  std::set<uint64_t> expected;
  std::vector<SlotId> ids;
  for (uint64_t i = 0; i < 1000; ++i) ids.push_back(map.emplace(i));
  for (uint64_t i = 0; i < 1000; ++i) {
    i % 3 == 0 ? void(map.erase(ids[i])) : void(expected.insert(i));
  }
  std::set<uint64_t> seen;
  uint32_t cursor = 0;
  do {
    cursor = map.visit(cursor, 7, [&](SlotId id, uint64_t& value) {
      EXPECT_EQ(map.find(id), &value);
      EXPECT_TRUE(seen.insert(value).second);
    });
  } while (cursor != 0);
  EXPECT_EQ(seen, expected);
}

TEST(SlotMap, VisitorsMayErase) {
  SlotMap<uint64_t> map;
  for (uint64_t i = 0; i < 100; ++i) map.emplace(i);
  map.visit(0, 100, [&](SlotId id, uint64_t&) { map.erase(id); });
  EXPECT_TRUE(map.empty());
}

TEST(SlotMap, GivesItsMemoryBack) {
  SlotMap<uint64_t> map;
  constexpr uint64_t kChunks = 5;
  std::vector<SlotId> ids;
  for (uint64_t i = 0; i < kChunks * map.kSlotsPerChunk; ++i) ids.push_back(map.emplace(i));
  const size_t full = map.reserved_bytes();
  for (const SlotId id : ids) map.erase(id);
  EXPECT_EQ(map.reserved_bytes(), full / kChunks) << "one chunk is kept";
  for (const SlotId id : ids) ASSERT_EQ(map.find(id), nullptr);
  // The same slots again; no old id names one of them.
  std::set<uint32_t> slots;
  for (uint64_t i = 0; i < ids.size(); ++i) slots.insert(map.emplace(i).slot);
  EXPECT_EQ(slots.size(), ids.size());
  EXPECT_EQ(*slots.rbegin(), ids.size() - 1) << "slots stay dense";
  EXPECT_EQ(map.reserved_bytes(), full);
  for (const SlotId id : ids) ASSERT_EQ(map.find(id), nullptr);
}

TEST(SlotMap, AtTheEdgeOfAChunkNothingIsAllocated) {
  SlotMap<uint64_t> map;
  for (uint64_t i = 0; i < map.kSlotsPerChunk; ++i) map.emplace(i);
  map.erase(map.emplace(0u));
  const size_t before = map.reserved_bytes();
  for (int i = 0; i < 10; ++i) {
    map.erase(map.emplace(0u));
    EXPECT_EQ(map.reserved_bytes(), before);
  }
}

// Random operations against std::map; every id ever given is asked for again. Records so large that
// a chunk holds few, and tides, so that chunks come and go.
struct LargeRecord {
  std::string text;
  int number;
  std::array<char, 8000> ballast{};
};

TEST(SlotMap, AgreesWithAModel) {
  constexpr uint64_t kSeed = 20240607;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  Prng random(kSeed);
  SlotMap<LargeRecord> map;
  std::map<std::pair<uint32_t, uint32_t>, int> model;
  std::vector<SlotId> given;
  std::vector<SlotId> live;
  size_t fewest_bytes = SIZE_MAX, most_bytes = 0;
  for (int step = 0; step < 20000; ++step) {
    const bool flood = step / 200 % 2 == 0;
    if (live.empty() || random.below(10) < (flood ? 7 : 3)) {
      const SlotId id = map.emplace(std::to_string(step), step);
      EXPECT_TRUE(id.valid());
      EXPECT_TRUE(model.emplace(std::pair(id.slot, id.generation), step).second);
      given.push_back(id);
      live.push_back(id);
    } else {
      std::swap(live[random.below(live.size())], live.back());
      EXPECT_TRUE(map.erase(live.back()));
      EXPECT_FALSE(map.erase(live.back()));
      model.erase({live.back().slot, live.back().generation});
      live.pop_back();
    }
    if (step > 1000) fewest_bytes = std::min(fewest_bytes, map.reserved_bytes());
    most_bytes = std::max(most_bytes, map.reserved_bytes());
    const SlotId probe = given[random.below(given.size())];
    const auto expected = model.find({probe.slot, probe.generation});
    const LargeRecord* found = map.find(probe);
    ASSERT_EQ(map.size(), model.size());
    ASSERT_EQ(found != nullptr, expected != model.end());
    if (found == nullptr) continue;
    ASSERT_EQ(found->number, expected->second);
  }
  EXPECT_LT(fewest_bytes, most_bytes / 2);
}

}  // namespace
}  // namespace ae
