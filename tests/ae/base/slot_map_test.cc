#include "ae/base/slot_map.h"

#include <gtest/gtest.h>

#include <map>
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

// Random operations against std::map; every id ever given is asked for again.
TEST(SlotMap, AgreesWithAModel) {
  constexpr uint64_t kSeed = 20240607;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  Prng random(kSeed);
  SlotMap<Record> map;
  std::map<std::pair<uint32_t, uint32_t>, int> model;
  std::vector<SlotId> given;
  for (int step = 0; step < 20000; ++step) {
    if (given.empty() || random.one_in(2)) {
      const SlotId id = map.emplace(std::to_string(step), step);
      EXPECT_TRUE(id.valid());
      EXPECT_TRUE(model.emplace(std::pair(id.slot, id.generation), step).second);
      given.push_back(id);
    } else {
      const SlotId id = given[random.below(given.size())];
      EXPECT_EQ(map.erase(id), model.erase({id.slot, id.generation}) == 1);
    }
    const SlotId probe = given[random.below(given.size())];
    const auto expected = model.find({probe.slot, probe.generation});
    const Record* found = map.find(probe);
    ASSERT_EQ(map.size(), model.size());
    ASSERT_EQ(found != nullptr, expected != model.end());
    if (found == nullptr) continue;
    ASSERT_EQ(found->number, expected->second);
  }
}

}  // namespace
}  // namespace ae
