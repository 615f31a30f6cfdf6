// HashTable against std::unordered_map, and the promises of its scans while it grows and shrinks.
#include "server/ds/hash_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace millrace::ds {
namespace {

// An element whose hash the test chooses.
struct Item {
  uint64_t hash;
  std::string key;
};

struct ItemPolicy {
  using Element = Item;
  static std::string_view key(const Item& item) { return item.key; }
  static uint64_t hash(const Item& item) { return item.hash; }
};

using Table = HashTable<ItemPolicy>;

// Owns items and keeps table and model in step.
class Pair {
 public:
  ~Pair() {
    table.clear([](Item* item) { delete item; });
  }

  void insert(const std::string& key, uint64_t hash) {
    auto* item = new Item{hash, key};
    table.insert(item, hash);
    model.emplace(key, item);
  }
  void insert(const std::string& key) { insert(key, hash_bytes(key)); }
  void remove(const std::string& key) {
    auto known = model.find(key);
    ASSERT_NE(known, model.end());
    Item* item = table.remove(key, known->second->hash);
    ASSERT_EQ(item, known->second);
    delete item;
    model.erase(known);
  }
  Item* find(const std::string& key) { return table.find(key, hash_bytes(key)); }
  void compare() {
    table.check();
    ASSERT_EQ(table.size(), model.size());
    for (const auto& [key, item] : model) ASSERT_EQ(table.find(key, item->hash), item);
  }

  Table table;
  std::unordered_map<std::string, Item*> model;
};

std::string name(uint64_t i) {
  return "key:" + std::to_string(i);
}

uint64_t seed_of_run() {
  static const uint64_t seed = [] {
    const uint64_t drawn = std::random_device{}();
    std::printf("seed %llu\n", static_cast<unsigned long long>(drawn));
    return drawn;
  }();
  return seed;
}

TEST(HashTable, AnEmptyTableOwnsNothingAndFindsNothing) {
  Table table;
  EXPECT_EQ(table.memory_bytes(), 0u);
  EXPECT_EQ(table.find("a", 1), nullptr);
  EXPECT_EQ(table.remove("a", 1), nullptr);
  std::mt19937_64 random(1);
  EXPECT_EQ(table.random(random), nullptr);
  EXPECT_EQ(table.scan(0, [](Item&) { FAIL(); }), 0u);
  EXPECT_EQ(table.scan(0x123456789abcdef0, [](Item&) { FAIL(); }), 0u);
  EXPECT_EQ(table.scan_marked(0, 100, [](Item&) { FAIL(); }), 0u);
  table.prefetch_bucket(5);
  table.prefetch_element(5);
  table.check();
}

TEST(HashTable, EightElementsAreOneCacheLine) {
  Pair pair;
  for (int i = 0; i < 8; ++i) pair.insert(name(i));
  EXPECT_EQ(pair.table.bucket_count(), 1u);
  EXPECT_EQ(pair.table.memory_bytes(), 64u);
  pair.compare();
  pair.insert("ninth");
  EXPECT_GT(pair.table.bucket_count(), 1u);
  pair.compare();
}

TEST(HashTable, GrowsThroughSplitsAndShrinksBack) {
  Pair pair;
  constexpr uint64_t kCount = 30'000;
  for (uint64_t i = 0; i < kCount; ++i) {
    pair.insert(name(i));
    if (i % 1000 == 0) pair.table.check();
  }
  pair.compare();
  EXPECT_LT(pair.table.memory_bytes(), kCount * 12);
  for (uint64_t i = 0; i < kCount; ++i) {
    pair.remove(name(i));
    if (i % 1000 == 0) pair.table.check();
  }
  pair.compare();
  EXPECT_EQ(pair.table.bucket_count(), 1u);
  EXPECT_LE(pair.table.memory_bytes(), 64u);
}

TEST(HashTable, MemoryStaysBetweenEightAndTwelveBytesAnElement) {
  Pair pair;
  for (uint64_t i = 0; i < 100'000; ++i) {
    pair.insert(name(i));
    if (i < 2'000) continue;
    ASSERT_LT(pair.table.memory_bytes(), pair.table.size() * 12) << i;
  }
  EXPECT_GT(pair.table.memory_bytes(), pair.table.size() * 8);
}

TEST(HashTable, ModelUnderRandomOperations) {
  std::mt19937_64 random(seed_of_run());
  Pair pair;
  uint64_t universe = 20;
  for (int step = 0; step < 60'000; ++step) {
    // Phases of growing and of shrinking, in universes of several sizes.
    if (step % 10'000 == 0) universe = uint64_t{10} << (random() % 12);
    const std::string key = name(random() % universe);
    const bool grow = (step / 5'000) % 2 == 0;
    const bool known = pair.model.contains(key);
    if (!known && (grow || random() % 4 == 0)) {
      pair.insert(key);
    } else if (known && (!grow || random() % 4 == 0)) {
      pair.remove(key);
    } else {
      ASSERT_EQ(pair.find(key) != nullptr, known);
    }
    if (step % 4'999 == 0) pair.compare();
  }
  pair.compare();
}

TEST(HashTable, SlotsMarkReplaceAndRemove) {
  Pair pair;
  for (int i = 0; i < 5'000; ++i) pair.insert(name(i));
  for (int i = 0; i < 5'000; i += 7) {
    const std::string key = name(i);
    Table::Slot slot = pair.table.find_slot(key, hash_bytes(key));
    ASSERT_TRUE(slot);
    pair.table.mark(slot);
    pair.table.mark(slot);  // twice is once
    auto* moved = new Item(*slot.element());
    delete slot.element();
    slot.replace(moved);
    pair.model[key] = moved;
    ASSERT_TRUE(slot.marked());
    ASSERT_TRUE(pair.table.slot_of(moved, moved->hash).marked());
  }
  EXPECT_EQ(pair.table.marked_count(), 715u);
  pair.compare();
  for (int i = 0; i < 5'000; i += 14) pair.remove(name(i));
  EXPECT_EQ(pair.table.marked_count(), 357u);
  pair.compare();
  for (int i = 7; i < 5'000; i += 14) {
    const std::string key = name(i);
    pair.table.unmark(pair.table.find_slot(key, hash_bytes(key)));
  }
  EXPECT_EQ(pair.table.marked_count(), 0u);
  pair.compare();
}

TEST(HashTable, KeysOfOneTagAreToldApart) {
  Pair pair;
  // 16 tag bits equal, at any depth a table of this size has.
  for (uint64_t i = 0; i < 500; ++i) pair.insert(name(i), 0x4242'4242'0000'0000 + i);
  pair.compare();
  for (uint64_t i = 0; i < 500; i += 2) pair.remove(name(i));
  pair.compare();
}

TEST(HashTable, SurvivesABrokenHashAsOneSlowSegment) {
  Pair pair;
  for (uint64_t i = 0; i < 3'000; ++i) pair.insert(name(i), 7);
  pair.compare();
  // The directory has not run away.
  EXPECT_LT(pair.table.memory_bytes(), 3'000u * 60);
  for (uint64_t i = 0; i < 3'000; ++i) pair.remove(name(i));
  pair.compare();
}

TEST(HashTable, SkewedPrefixesGiveSegmentsOfDifferentDepth) {
  std::mt19937_64 random(seed_of_run());
  Pair pair;
  for (uint64_t i = 0; i < 20'000; ++i) {
    const uint64_t shift = random() % 8;
    pair.insert(name(i), random() >> shift);
  }
  pair.compare();
  std::set<std::string> seen;
  uint64_t cursor = 0;
  do {
    cursor =
        pair.table.scan(cursor, [&](Item& item) { ASSERT_TRUE(seen.insert(item.key).second); });
  } while (cursor != 0);
  EXPECT_EQ(seen.size(), 20'000u);
  for (uint64_t i = 0; i < 20'000; ++i) {
    pair.remove(name(i));
    if (i % 1'111 == 0) pair.compare();
  }
}

// The scan's promise: what is there throughout is seen exactly once, what is not may be seen or
// not, but never twice while it stays.
void scan_while(size_t start, const std::function<void(Pair&, std::mt19937_64&)>& change) {
  std::mt19937_64 random(seed_of_run());
  Pair pair;
  for (uint64_t i = 0; i < start; ++i) pair.insert(name(i));
  std::unordered_map<std::string, int> seen;
  uint64_t cursor = 0;
  do {
    const uint64_t before = cursor;
    cursor = pair.table.scan(cursor, [&](Item& item) {
      ++seen[item.key];
      EXPECT_GE(item.hash, before);
    });
    ASSERT_TRUE(cursor == 0 || cursor > before);
    change(pair, random);
  } while (cursor != 0);
  for (uint64_t i = 0; i < start; i += 2) ASSERT_EQ(seen[name(i)], 1) << name(i);
  pair.compare();
}

TEST(HashTable, ScanSeesEachOnceWhileTheTableGrows) {
  for (const size_t start : {4, 100, 1'000, 3'000}) {
    uint64_t next = 1'000'000;
    scan_while(start, [&](Pair& pair, std::mt19937_64&) {
      for (int i = 0; i < 40 && pair.table.size() < 40'000; ++i) pair.insert(name(next++));
    });
  }
}

TEST(HashTable, ScanSeesEachOnceWhileTheTableShrinks) {
  // The even names stay, so the table shrinks to about half and then to far less by `extra`.
  constexpr size_t kStart = 2'000;
  uint64_t victim = 1;
  scan_while(kStart, [&](Pair& pair, std::mt19937_64&) {
    for (int i = 0; i < 20 && victim < kStart; ++i, victim += 2) pair.remove(name(victim));
  });
}

TEST(HashTable, ScanSeesEachOnceWhileTheTableCollapsesAndGrowsAgain) {
  std::mt19937_64 random(seed_of_run());
  Pair pair;
  std::set<std::string> stay;
  for (uint64_t i = 0; i < 30'000; ++i) pair.insert(name(i));
  for (uint64_t i = 0; i < 30'000; i += 100) stay.insert(name(i));
  std::unordered_map<std::string, int> seen;
  uint64_t cursor = 0;
  int step = 0;
  do {
    cursor = pair.table.scan(cursor, [&](Item& item) { ++seen[item.key]; });
    if (++step == 300) {
      for (uint64_t i = 0; i < 30'000; ++i) {
        if (i % 100 != 0) pair.remove(name(i));
      }
    }
    if (step == 330) {
      for (uint64_t i = 0; i < 30'000; ++i) {
        if (i % 100 != 0) pair.insert(name(i));
      }
    }
  } while (cursor != 0);
  for (const std::string& key : stay) ASSERT_EQ(seen[key], 1) << key;
  pair.compare();
}

TEST(HashTable, MarkedScanSeesEveryMarkedElementAndNoOther) {
  Pair pair;
  std::set<std::string> marked;
  for (uint64_t i = 0; i < 20'000; ++i) {
    pair.insert(name(i));
    if (i % 97 != 0) continue;
    pair.table.mark(pair.table.find_slot(name(i), hash_bytes(name(i))));
    marked.insert(name(i));
  }
  std::set<std::string> seen;
  uint64_t cursor = 0;
  do {
    cursor = pair.table.scan_marked(cursor, 10,
                                    [&](Item& item) { ASSERT_TRUE(seen.insert(item.key).second); });
  } while (cursor != 0);
  EXPECT_EQ(seen, marked);
}

TEST(HashTable, MarkedScanSkipsSegmentsWithoutMarks) {
  Pair pair;
  for (uint64_t i = 0; i < 50'000; ++i) pair.insert(name(i));
  pair.table.mark(pair.table.find_slot(name(5), hash_bytes(name(5))));
  size_t calls = 0;
  size_t found = 0;
  uint64_t cursor = 0;
  do {
    cursor = pair.table.scan_marked(cursor, 1, [&](Item&) { ++found; });
    ++calls;
  } while (cursor != 0);
  EXPECT_EQ(found, 1u);
  EXPECT_LT(calls, 400u);  // one segment of at most 251 buckets, and some 50 words of the directory
}

TEST(HashTable, RandomReachesEveryElementAboutEquallyOften) {
  std::mt19937_64 random(42);
  for (const size_t count : {1, 3, 100, 4'000}) {
    Pair pair;
    for (uint64_t i = 0; i < count; ++i) pair.insert(name(i));
    std::unordered_map<std::string, size_t> hits;
    constexpr size_t kDrawsEach = 60;
    for (size_t i = 0; i < count * kDrawsEach; ++i) ++hits[pair.table.random(random)->key];
    ASSERT_EQ(hits.size(), count);
    double chi_square = 0;
    for (const auto& [key, hit] : hits) {
      const double off = static_cast<double>(hit) - kDrawsEach;
      chi_square += off * off / kDrawsEach;
    }
    // Mean count - 1, deviation sqrt(2 count); segments of unequal fill add their few percent.
    EXPECT_LT(chi_square, static_cast<double>(count) * 1.25 + 20);
  }
}

TEST(HashTable, SamplesAreElements) {
  std::mt19937_64 random(7);
  Pair pair;
  for (uint64_t i = 0; i < 5'000; ++i) pair.insert(name(i));
  for (uint64_t i = 0; i < 5'000; i += 50) {
    pair.table.mark(pair.table.find_slot(name(i), hash_bytes(name(i))));
  }
  std::vector<Item*> out(40);
  EXPECT_EQ(pair.table.sample(random, out), 40u);
  for (Item* item : out) EXPECT_EQ(pair.model.at(item->key), item);
  std::set<Item*> distinct;
  for (int round = 0; round < 50; ++round) {
    EXPECT_EQ(pair.table.sample_marked(random, out), 40u);
    EXPECT_EQ(std::set<Item*>(out.begin(), out.end()).size(), 40u);
    distinct.insert(out.begin(), out.end());
  }
  EXPECT_EQ(distinct.size(), 100u);
  out.resize(500);
  EXPECT_EQ(pair.table.sample_marked(random, out), 100u);  // all there are
}

TEST(HashTable, ClearsInSlices) {
  Pair pair;
  for (uint64_t i = 0; i < 10'000; ++i) pair.insert(name(i));
  pair.model.clear();
  int steps = 1;
  size_t before = pair.table.size();
  while (!pair.table.clear_step(100, [](Item* item) { delete item; })) {
    ++steps;
    EXPECT_LE(before - pair.table.size(), 107u);
    before = pair.table.size();
  }
  EXPECT_GE(steps, 90);
  EXPECT_EQ(pair.table.size(), 0u);
  EXPECT_EQ(pair.table.memory_bytes(), 0u);
  pair.insert("again");
  pair.compare();
}

TEST(HashTable, AHalfClearedTableFreesItsBlocks) {
  Pair pair;
  for (uint64_t i = 0; i < 10'000; ++i) pair.insert(name(i));
  pair.model.clear();
  std::vector<Item*> rest;
  pair.table.for_each([&](Item& item) { rest.push_back(&item); });
  Table moved = std::move(pair.table);
  size_t freed = 0;
  moved.clear_step(5'000, [&](Item*) { ++freed; });
  EXPECT_EQ(freed + moved.size(), 10'000u);
  for (Item* item : rest) delete item;
}

TEST(HashTable, Moves) {
  Pair pair;
  for (uint64_t i = 0; i < 100; ++i) pair.insert(name(i));
  Table other = std::move(pair.table);
  EXPECT_EQ(other.size(), 100u);
  EXPECT_EQ(pair.table.size(), 0u);
  pair.table.check();
  pair.table = std::move(other);
  pair.compare();
}

TEST(HashTable, PrefetchChangesNothing) {
  Pair pair;
  for (uint64_t i = 0; i < 3'000; ++i) pair.insert(name(i));
  for (uint64_t i = 0; i < 6'000; ++i) {
    pair.table.prefetch_bucket(hash_bytes(name(i)));
    pair.table.prefetch_element(hash_bytes(name(i)));
  }
  pair.compare();
}

// A copy is right at any point of growth and of shrinking, and goes on to grow and shrink by
// itself.
TEST(HashTable, CopiesAtAnySize) {
  Pair original;
  size_t inserted = 0;
  for (const size_t size : {0, 1, 8, 9, 100, 901, 5'000, 60'000}) {
    while (inserted < size) {
      original.insert("key:" + std::to_string(inserted++));
      if (inserted % 3 == 0)
        original.table.mark(
            original.table.find_slot("key:" + std::to_string(inserted - 1),
                                     hash_bytes("key:" + std::to_string(inserted - 1))));
    }
    Pair copy;
    copy.table.copy_from(original.table, [&](const Item& item) {
      auto* twin = new Item(item);
      copy.model.emplace(twin->key, twin);
      return twin;
    });
    copy.compare();
    EXPECT_EQ(copy.table.marked_count(), original.table.marked_count());
    EXPECT_EQ(copy.table.memory_bytes(), original.table.memory_bytes());
    for (size_t i = 0; i < size; ++i) copy.insert("more:" + std::to_string(i));
    for (size_t i = 0; i < size; ++i) copy.remove("key:" + std::to_string(i));
    copy.compare();
    original.compare();
  }
}

}  // namespace
}  // namespace millrace::ds
