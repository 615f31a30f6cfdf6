// Keyspace and entries against a map of strings, and each change of a value's shape.
#include "server/db/keyspace.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

#include "server/db/lazy_free.h"
#include "server/ds/slab.h"

namespace millrace {
namespace {

using Limit = ds::ListLimit;

class KeyspaceTest : public testing::Test {
 protected:
  KeyspaceTest() { clock_.set_now(1'700'000'000'000); }

  static std::string text(const Entry* entry) {
    TextBuffer buffer;
    return entry == nullptr ? "(none)" : std::string(entry->text(buffer));
  }
  std::string get(const std::string& name) { return text(db_.find(Keyspace::key(name))); }
  Entry* set(const std::string& name, std::string_view value, int64_t expiry = kNoExpiry) {
    return db_.set_string(Keyspace::key(name), value, expiry);
  }
  Entry* add_list(const std::string& name, size_t elements) {
    ds::QuickList list;
    for (size_t i = 0; i < elements; ++i) list.push(ds::End::kBack, "element", Limit());
    return db_.add(Keyspace::key(name), std::move(list));
  }

  AccessClock clock_;
  Keyspace db_{clock_};
};

TEST_F(KeyspaceTest, SetsAndFinds) {
  EXPECT_EQ(get("a"), "(none)");
  set("a", "1");
  set("b", "hello");
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(get("b"), "hello");
  EXPECT_EQ(db_.size(), 2u);
  EXPECT_TRUE(db_.erase(Keyspace::key("a")));
  EXPECT_FALSE(db_.erase(Keyspace::key("a")));
  EXPECT_EQ(get("a"), "(none)");
  db_.check();
}

TEST_F(KeyspaceTest, EncodingsAreThoseOfRedis) {
  EXPECT_EQ(set("k", "12345")->encoding(), Encoding::kInt);
  EXPECT_EQ(set("k", "-9223372036854775808")->encoding(), Encoding::kInt);
  EXPECT_EQ(set("k", "012")->encoding(), Encoding::kEmbedded);
  EXPECT_EQ(set("k", "9223372036854775808")->encoding(), Encoding::kEmbedded);
  EXPECT_EQ(set("k", "")->encoding(), Encoding::kEmbedded);
  EXPECT_EQ(set("k", std::string(44, 'x'))->encoding(), Encoding::kEmbedded);
  EXPECT_EQ(set("k", std::string(45, 'x'))->encoding(), Encoding::kRaw);
  EXPECT_EQ(set("k", std::string(5000, 'x'))->encoding(), Encoding::kRaw);
  EXPECT_EQ(encoding_name(Encoding::kEmbedded), "embstr");
  EXPECT_EQ(type_name(Type::kZSet), "zset");
}

TEST_F(KeyspaceTest, TheUsualEntryTakesFiftySixBytes) {
  const std::string name = "key:000000000001";
  EXPECT_EQ(set(name, std::string(32, 'v'))->memory_bytes(), 56u);
  EXPECT_EQ(set(name, std::string(32, 'v'), 5)->memory_bytes(), 64u);
  EXPECT_EQ(set(name, "123456789012345")->memory_bytes(), 32u);
}

TEST_F(KeyspaceTest, KeysAndValuesOfEveryLengthAroundTheSteps) {
  for (const size_t key_bytes : {0, 1, 250, 254, 255, 256, 505, 600, 70'000}) {
    for (const size_t value_bytes : {0, 1, 44, 45, 250, 254, 255, 256, 470, 600, 70'000}) {
      for (const int64_t expiry : {kNoExpiry, int64_t{5}}) {
        const std::string name(key_bytes, 'k');
        const std::string value(value_bytes, 'v');
        const Entry* entry = set(name, value, expiry);
        ASSERT_EQ(entry->key(), name);
        ASSERT_EQ(text(entry), value);
        ASSERT_EQ(entry->text_length(), value_bytes);
        ASSERT_EQ(entry->expire_at_ms(), expiry);
      }
    }
  }
  db_.check();
}

TEST_F(KeyspaceTest, OverwritingASameSizedValueAllocatesNothing) {
  const Entry* first = set("key", "aaaa");
  EXPECT_EQ(set("key", "bbbb"), first);
  Entry* number = set("n", "1");
  EXPECT_EQ(db_.set_integer(Keyspace::key("n"), 1'000'000'000'000, kKeepExpiry, number), number);
  EXPECT_EQ(get("n"), "1000000000000");
  // A string on the heap keeps its block too.
  const Entry* heap = set("big", std::string(3000, 'a'));
  TextBuffer buffer;
  const char* bytes = heap->text(buffer).data();
  EXPECT_EQ(set("big", std::string(3000, 'b'))->text(buffer).data(), bytes);
}

TEST_F(KeyspaceTest, ExpiryIsSetKeptAndCleared) {
  Entry* entry = set("k", "value", 1000);
  EXPECT_EQ(db_.expiring(), 1u);
  entry = set("k", "value2", kKeepExpiry);
  EXPECT_EQ(entry->expire_at_ms(), 1000);
  entry = db_.set_expiry(entry, 2000);
  EXPECT_EQ(entry->expire_at_ms(), 2000);
  entry = db_.clear_expiry(entry);
  EXPECT_EQ(entry->expire_at_ms(), kNoExpiry);
  EXPECT_EQ(db_.expiring(), 0u);
  entry = db_.set_expiry(Keyspace::key("k"), entry, 3000);
  EXPECT_EQ(text(entry), "value2");
  entry = set("k", "v", kNoExpiry);
  EXPECT_FALSE(entry->has_expiry());
  EXPECT_EQ(set("new", "v", kKeepExpiry)->expire_at_ms(), kNoExpiry);
  db_.check();
}

TEST_F(KeyspaceTest, ExpiryMovesEveryKindOfValue) {
  for (const std::string& value : {std::string("17"), std::string("short"), std::string(400, 'm'),
                                   std::string(499, 'n'), std::string(9000, 'l')}) {
    Entry* entry = set("k", value);
    entry = db_.set_expiry(entry, 77);
    ASSERT_EQ(text(entry), value);
    entry = db_.clear_expiry(entry);
    ASSERT_EQ(text(entry), value);
  }
  Entry* list = add_list("list", 300);
  list = db_.set_expiry(list, 5);
  EXPECT_EQ(list->list().size(), 300u);
  EXPECT_EQ(list->expire_at_ms(), 5);
  list = db_.clear_expiry(list);
  EXPECT_EQ(list->collection_size(), 300u);
  db_.check();
}

TEST_F(KeyspaceTest, EditingGrowsFromEveryShape) {
  for (const size_t start : {0, 3, 44, 45, 200, 300, 480, 2'000}) {
    std::string expected(start, 's');
    Entry* entry = set("k", expected, start % 2 == 0 ? kNoExpiry : 99);
    for (const size_t step : {1, 7, 60, 200, 300, 4'000, 1}) {
      const size_t old_length = expected.size();
      const ae::MutableBytes bytes = db_.edit_string(Keyspace::key("k"), entry, old_length + step);
      ASSERT_EQ(bytes.size(), old_length + step);
      std::fill(bytes.begin() + static_cast<ptrdiff_t>(old_length), bytes.end(), 'z');
      expected.append(step, 'z');
      ASSERT_EQ(get("k"), expected);
      ASSERT_EQ(entry->encoding(), Encoding::kRaw);
      ASSERT_EQ(db_.find(Keyspace::key("k")), entry);
    }
    EXPECT_EQ(entry->has_expiry(), start % 2 != 0);
  }
  Entry* number = set("n", "1234");
  const ae::MutableBytes bytes = db_.edit_string(Keyspace::key("n"), number, 6);
  bytes[4] = bytes[5] = 'x';
  EXPECT_EQ(get("n"), "1234xx");
  db_.check();
}

TEST_F(KeyspaceTest, AppendingIsAmortized) {
  Entry* entry = set("log", std::string(600, 'x'));
  TextBuffer buffer;
  const char* place = nullptr;
  int moves = 0;
  for (int i = 0; i < 10'000; ++i) {
    db_.edit_string(Keyspace::key("log"), entry, entry->text_length() + 10);
    const char* now = entry->text(buffer).data();
    moves += now != place ? 1 : 0;
    place = now;
  }
  EXPECT_LT(moves, 12);
}

TEST_F(KeyspaceTest, CollectionsLiveInTheEntry) {
  Entry* list = add_list("list", 3);
  EXPECT_EQ(list->type(), Type::kList);
  EXPECT_EQ(list->encoding(), Encoding::kListpack);
  EXPECT_EQ(list->collection_size(), 3u);
  Entry* board = db_.add(Keyspace::key("board"), ds::SortedSet());
  board->sorted_set().add("alice", 12, {}, {});
  EXPECT_EQ(board->collection_size(), 1u);
  EXPECT_EQ(board->encoding(), Encoding::kListpack);
  Entry* tags = db_.add(Keyspace::key("tags"), ds::StringSet());
  tags->set().add("1", {});
  EXPECT_EQ(tags->encoding(), Encoding::kIntSet);
  tags->set().add("red", {});
  EXPECT_EQ(tags->encoding(), Encoding::kListpack);
  Entry* user = db_.add(Keyspace::key("user"), ds::FieldMap());
  user->hash().set("name", std::string(100, 'a'), {});
  EXPECT_EQ(user->encoding(), Encoding::kHashTable);
  EXPECT_GT(user->memory_bytes(), 100u);
  // A string takes the place of a collection and frees it.
  set("user", "text");
  EXPECT_EQ(get("user"), "text");
  db_.check();
}

TEST_F(KeyspaceTest, DetachAttachRenames) {
  set("old", "value", 44);
  Detached detached = db_.detach(Keyspace::key("old"));
  ASSERT_TRUE(detached);
  EXPECT_EQ(db_.size(), 0u);
  const Entry* entry = db_.attach(Keyspace::key("a much longer name"), std::move(detached));
  EXPECT_EQ(entry->key(), "a much longer name");
  EXPECT_EQ(text(entry), "value");
  EXPECT_EQ(entry->expire_at_ms(), 44);
  EXPECT_EQ(db_.expiring(), 1u);
  EXPECT_FALSE(db_.detach(Keyspace::key("old")));
  Keyspace other(clock_);
  other.attach(Keyspace::key("a much longer name"),
               db_.detach(Keyspace::key("a much longer name")));
  EXPECT_EQ(db_.size(), 0u);
  EXPECT_EQ(other.size(), 1u);
  other.check();
}

TEST_F(KeyspaceTest, CopiesAreDeep) {
  for (const std::string& value :
       {std::string("17"), std::string("short"), std::string(9000, 'l')}) {
    Entry* original = set("k", value, 8);
    Entry* twin = db_.attach(Keyspace::key("twin"), Detached::copy_of(*original));
    set("k", "changed");
    EXPECT_EQ(text(twin), value);
    EXPECT_EQ(twin->expire_at_ms(), 8);
    db_.erase(Keyspace::key("twin"));
  }
  Entry* list = add_list("list", 400);
  Entry* twin = db_.attach(Keyspace::key("twin"), Detached::copy_of(*list));
  list->list().erase_range(0, 400);
  EXPECT_EQ(twin->list().size(), 400u);
}

TEST_F(KeyspaceTest, AccessBits) {
  Entry* entry = set("k", "v");
  clock_.set_now(1'700'000'010'000);
  EXPECT_EQ(clock_.idle_seconds(*entry), 10u);
  clock_.touch(*entry);
  EXPECT_EQ(clock_.idle_seconds(*entry), 0u);
  clock_.set_now(1'700'000'020'000);
  entry = db_.set_expiry(entry, 5);  // moves it; it is as old as it was
  EXPECT_EQ(clock_.idle_seconds(*entry), 10u);
  entry = set("k", "longer than before");
  EXPECT_EQ(clock_.idle_seconds(*entry), 0u);
}

TEST_F(KeyspaceTest, FrequencyCountsAndDecays) {
  clock_.configure({AccessClock::Measure::kFrequency, 10, 1});
  Entry* entry = set("k", "v");
  EXPECT_EQ(clock_.frequency(*entry), AccessClock::kInitialCount);
  for (int i = 0; i < 1'000; ++i) clock_.touch(*entry);
  const int after = clock_.frequency(*entry);
  EXPECT_GT(after, 10);  // Redis' documentation gives 18 for a thousand hits at factor 10
  EXPECT_LT(after, 30);
  entry = set("k", "another value, of another size");
  EXPECT_EQ(clock_.frequency(*entry), after);
  clock_.set_now(1'700'000'000'000 + 5 * 60'000);
  EXPECT_EQ(clock_.frequency(*entry), after - 5);
  clock_.set_now(1'700'000'000'000 + 500 * 60'000);
  EXPECT_EQ(clock_.frequency(*entry), 0);
  clock_.configure({AccessClock::Measure::kFrequency, 10, 0});
  EXPECT_EQ(clock_.frequency(*entry), after);
}

TEST_F(KeyspaceTest, SwapsContents) {
  Keyspace other(clock_);
  set("a", "1");
  other.set_string(Keyspace::key("b"), "2", 9);
  db_.swap(other);
  EXPECT_EQ(get("b"), "2");
  EXPECT_EQ(db_.expiring(), 1u);
  EXPECT_EQ(text(other.find(Keyspace::key("a"))), "1");
}

TEST_F(KeyspaceTest, ModelUnderRandomOperations) {
  static const uint64_t seed = std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  struct Known {
    std::string value;
    int64_t expiry;
  };
  std::map<std::string, Known> model;
  const size_t before = ds::slab().stats().live_bytes;
  for (int step = 0; step < 40'000; ++step) {
    const std::string name = "key:" + std::to_string(random() % 3'000);
    const Key key = Keyspace::key(name);
    Entry* entry = db_.find(key);
    const auto known = model.find(name);
    ASSERT_EQ(entry != nullptr, known != model.end());
    switch (random() % 8) {
      case 0:
      case 1:
      case 2: {
        const std::string value(random() % 5 == 0 ? random() % 1'500 : random() % 60, 'v');
        const int64_t expiry =
            random() % 2 == 0 ? kNoExpiry : static_cast<int64_t>(random() % 1000);
        entry = db_.set_string(key, value, expiry, entry);
        model[name] = {value, expiry};
        break;
      }
      case 3:
        db_.set_integer(key, step, kKeepExpiry);
        model[name] = {std::to_string(step),
                       known == model.end() ? kNoExpiry : known->second.expiry};
        break;
      case 4:
        ASSERT_EQ(db_.erase(key), known != model.end());
        model.erase(name);
        break;
      case 5:
        if (entry == nullptr) break;
        db_.set_expiry(entry, step);
        known->second.expiry = step;
        break;
      case 6:
        if (entry == nullptr) break;
        db_.clear_expiry(entry);
        known->second.expiry = kNoExpiry;
        break;
      default: {
        if (entry == nullptr) break;
        const size_t old_length = entry->text_length();
        db_.edit_string(key, entry, old_length + 1)[old_length] = '+';
        known->second.value += '+';
      }
    }
    if (step % 9'999 == 0) db_.check();
  }
  db_.check();
  ASSERT_EQ(db_.size(), model.size());
  for (const auto& [name, known] : model) {
    const Entry* entry = db_.find(Keyspace::key(name));
    ASSERT_EQ(text(entry), known.value);
    ASSERT_EQ(entry->expire_at_ms(), known.expiry);
  }
  db_.clear();
  EXPECT_EQ(ds::slab().stats().live_bytes, before);
}

TEST_F(KeyspaceTest, LazyFreeFreesInSlices) {
  LazyFree lazy;
  const size_t before = ds::slab().stats().live_bytes;
  set("small", "x");
  lazy.add(db_.detach(Keyspace::key("small")));
  EXPECT_TRUE(lazy.empty());
  EXPECT_EQ(ds::slab().stats().live_bytes, before);

  Entry* board = db_.add(Keyspace::key("board"), ds::SortedSet());
  for (int i = 0; i < 5'000; ++i) board->sorted_set().add(std::to_string(i), i, {}, {});
  lazy.add(db_.detach(Keyspace::key("board")));
  EXPECT_EQ(lazy.pending(), 1u);
  EXPECT_FALSE(lazy.step(1'000));
  EXPECT_EQ(lazy.pending(), 1u);
  int steps = 1;
  while (!lazy.step(1'000)) ++steps;
  EXPECT_GE(steps, 4);
  EXPECT_EQ(lazy.freed(), 1u);
  EXPECT_EQ(ds::slab().stats().live_bytes, before);

  for (int i = 0; i < 3'000; ++i) set(std::to_string(i), "value");
  for (int i = 0; i < 20; ++i) add_list("list" + std::to_string(i), 500);
  lazy.add(db_.detach_all());
  EXPECT_EQ(db_.size(), 0u);
  EXPECT_EQ(lazy.pending(), 3'020u);
  set("new", "x");
  while (!lazy.step(200)) {
  }
  EXPECT_EQ(lazy.freed(), 3'021u);
  EXPECT_EQ(db_.size(), 1u);
  db_.clear();
  EXPECT_EQ(ds::slab().stats().live_bytes, before);
}

TEST_F(KeyspaceTest, AnUnfinishedLazyFreeFreesTheRest) {
  LazyFree lazy;
  for (int i = 0; i < 3'000; ++i) set(std::to_string(i), "value");
  lazy.add(db_.detach_all());
  lazy.step(100);
}

}  // namespace
}  // namespace millrace
