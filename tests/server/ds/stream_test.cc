// Stream and IdMap against models of std::map, and blocks against the bytes redis-server 7.0.15
// writes.
#include "server/ds/stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::ds {
namespace {

std::uint64_t seed() {
  const char* given = std::getenv("SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}

// --- IdMap

// Every value points here; the map looks at none.
int something;

void compare(const IdMap<int>& map, const std::map<StreamId, int*>& model) {
  map.check();
  ASSERT_EQ(map.size(), model.size());
  auto at = map.first();
  for (const auto& [id, value] : model) {
    ASSERT_TRUE(at && at.id() == id && at.value() == value);
    ++at;
  }
  ASSERT_FALSE(at);
}

void compare_search(const IdMap<int>& map, const std::map<StreamId, int*>& model, StreamId id) {
  const auto behind = model.lower_bound(id);
  const auto found = map.lower_bound(id);
  ASSERT_EQ(static_cast<bool>(found), behind != model.end());
  if (found) {
    ASSERT_EQ(found.id(), behind->first);
  }
  const auto above = model.upper_bound(id);
  const auto before = map.at_or_before(id);
  ASSERT_EQ(static_cast<bool>(before), above != model.begin());
  if (before) {
    ASSERT_EQ(before.id(), std::prev(above)->first);
  }
  ASSERT_EQ(static_cast<bool>(map.find(id)), model.contains(id));
}

// `forward`: in how many of ten steps the key is above all others.
void run_id_map(std::uint64_t seed, unsigned forward, std::uint64_t range) {
  SCOPED_TRACE("SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  IdMap<int> map;
  std::map<StreamId, int*> model;
  for (int phase = 0; phase < 6; ++phase) {
    const unsigned inserts = phase % 2 == 0 ? 8 : 2;  // of ten
    for (int step = 0; step < 3000; ++step) {
      StreamId id{random() % range, random() % 3};
      if (random() % 10 < forward && !model.empty()) id = {model.rbegin()->first.ms + 1, 0};
      if (random() % 10 < inserts) {
        ASSERT_EQ(map.insert(id, &something), model.emplace(id, &something).second);
      } else {
        if (random() % 2 == 0 && !model.empty()) id = model.begin()->first;
        ASSERT_EQ(map.erase(id), model.erase(id) == 1);
      }
      compare_search(map, model, {random() % range, random() % 3});
    }
    compare(map, model);
  }
  while (!model.empty()) {
    ASSERT_TRUE(map.erase(model.begin()->first));
    model.erase(model.begin());
  }
  compare(map, model);
}

TEST(IdMap, DoesWhatAMapDoes) {
  const std::uint64_t first = seed();
  run_id_map(first, 0, 100);
  run_id_map(first + 1, 0, 100'000);
  run_id_map(first + 2, 9, 1000);
  run_id_map(first + 3, 5, 1'000'000);
}

TEST(IdMap, AscendingKeysLeaveFullNodes) {
  IdMap<int> map;
  for (std::uint64_t i = 0; i < 100'000; ++i) map.insert({i, 0}, &something);
  map.check();
  EXPECT_LT(map.heap_bytes(), 25 * map.size());
}

TEST(IdMap, WalksBackwards) {
  IdMap<int> map;
  for (std::uint64_t i = 0; i < 1000; ++i) map.insert({i, 0}, &something);
  std::uint64_t left = 1000;
  for (auto at = map.last(); at; --at) ASSERT_EQ(at.id().ms, --left);
  EXPECT_EQ(left, 0U);
}

// --- Stream

using Fields = std::vector<std::string>;
using Model = std::map<StreamId, Fields>;

std::string text_of(const Element& element) {
  Element::TextBuffer buffer;
  return std::string(element.text(buffer));
}

Fields fields_of(const StreamEntry& entry) {
  Fields fields;
  entry.for_each([&](const Element& field, const Element& value) {
    fields.push_back(text_of(field));
    fields.push_back(text_of(value));
  });
  return fields;
}

std::vector<std::pair<StreamId, Fields>> range(const Stream& stream, StreamId from, StreamId to,
                                               Direction direction) {
  std::vector<std::pair<StreamId, Fields>> entries;
  StreamWalk walk(stream, from, to, direction);
  while (walk.next()) entries.emplace_back(walk.entry().id(), fields_of(walk.entry()));
  return entries;
}

void append(Stream& stream, StreamId id, const Fields& fields, const StreamLimits& limits) {
  const std::vector<std::string_view> views(fields.begin(), fields.end());
  stream.append(id, views, limits);
}

class StreamRun {
 public:
  StreamRun(std::uint64_t seed, StreamLimits limits) : random_(seed), limits_(limits) {}

  void step() {
    switch (below(10)) {
      case 0:
        return erase();
      case 1:
        return below(8) == 0 ? trim() : erase();
      case 2:
        return compare_range();
      case 3:
        return reload();
      default:
        return add();
    }
  }

  void compare() {
    stream_.check();
    ASSERT_EQ(stream_.size(), model_.size());
    ASSERT_EQ(stream_.first_id(), model_.empty() ? StreamId() : model_.begin()->first);
    ASSERT_EQ(stream_.newest_id(), model_.empty() ? StreamId() : model_.rbegin()->first);
    compare_range({}, StreamId::max());
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  StreamId some_id() {
    const StreamId last = stream_.last_id();
    return {below(last.ms + 2), below(4)};
  }

  void add() {
    StreamId id = stream_.last_id();
    below(2) == 0 ? id.sequence += 1 + below(200) : id.ms += 1 + below(300);
    if (id.ms != stream_.last_id().ms) id.sequence = below(100);
    Fields fields;
    const std::uint64_t count = below(4) == 0 ? 1 + below(5) : 2;
    for (std::uint64_t i = 0; i < count; ++i) {
      fields.push_back(below(10) == 0 ? std::to_string(below(300)) : "field" + std::to_string(i));
      fields.push_back(below(2) == 0 ? std::to_string(below(100'000))
                                     : std::string(below(200), 'v'));
    }
    append(stream_, id, fields, limits_);
    model_.emplace(id, fields);
  }

  void erase() {
    StreamId id = some_id();
    const auto near = model_.lower_bound(id);
    if (near != model_.end() && below(4) != 0) id = near->first;
    ASSERT_EQ(stream_.contains(id), model_.contains(id));
    ASSERT_EQ(stream_.erase(id), model_.erase(id) == 1);
  }

  void trim() {
    StreamTrim rule;
    rule.whole_blocks = below(2) == 0;
    rule.by = below(2) == 0 ? StreamTrim::By::kLength : StreamTrim::By::kId;
    rule.keep = below(model_.size() + 1);
    rule.from = some_id();
    std::uint64_t removed = stream_.trim(rule);
    const auto goes = [&] {
      if (model_.empty()) return false;
      return rule.by == StreamTrim::By::kLength ? model_.size() > rule.keep
                                                : model_.begin()->first < rule.from;
    };
    for (; removed != 0; --removed) {
      ASSERT_TRUE(goes());
      model_.erase(model_.begin());
    }
    if (!rule.whole_blocks) {
      ASSERT_FALSE(goes());
    }
  }

  void compare_range() { compare_range(some_id(), some_id()); }

  void compare_range(StreamId from, StreamId to) {
    std::vector<std::pair<StreamId, Fields>> expected;
    for (auto at = model_.lower_bound(from); at != model_.end() && at->first <= to; ++at)
      expected.push_back(*at);
    ASSERT_EQ(range(stream_, from, to, Direction::kForward), expected);
    std::reverse(expected.begin(), expected.end());
    ASSERT_EQ(range(stream_, from, to, Direction::kBackward), expected);
  }

  // What a writer and a loader of RDB would do; and a copy.
  void reload() {
    if (below(20) != 0) return;
    Stream loaded;
    stream_.for_each_block([&](StreamId master, std::string_view bytes) {
      ASSERT_TRUE(loaded.load_block(master, bytes));
      ASSERT_FALSE(loaded.load_block(master, bytes));
    });
    loaded.set_last_id(stream_.last_id());
    loaded.check();
    stream_ = loaded.copy();
  }

  std::mt19937_64 random_;
  StreamLimits limits_;
  Stream stream_;
  Model model_;
};

void run_stream(std::uint64_t seed, StreamLimits limits) {
  SCOPED_TRACE("SEED=" + std::to_string(seed));
  StreamRun run(seed, limits);
  for (int i = 0; i < 4000 && !testing::Test::HasFatalFailure(); ++i) {
    run.step();
    if (i % 50 == 0) run.compare();
  }
  run.compare();
}

TEST(Stream, DoesWhatAMapDoes) {
  const std::uint64_t first = seed();
  run_stream(first, {});
  run_stream(first + 1, {.max_block_bytes = 100, .max_block_entries = 0});
  run_stream(first + 2, {.max_block_bytes = 0, .max_block_entries = 3});
  run_stream(first + 3, {.max_block_bytes = 0, .max_block_entries = 300});
}

// `redis-cli XADD s 5-1 name ada age 36; XADD s 5-2 name bob age 7; XADD s 6-0 city ulm;
// XDEL s 5-2; DUMP s`: what stands in the one block.
TEST(Stream, WritesRedisBytes) {
  Stream stream;
  append(stream, {5, 1}, {"name", "ada", "age", "36"}, {});
  append(stream, {5, 2}, {"name", "bob", "age", "7"}, {});
  append(stream, {6, 0}, {"city", "ulm"}, {});
  ASSERT_TRUE(stream.erase({5, 2}));
  const std::string_view expected(
      "N\x00\x00\x00\x19\x00\x02\x01\x01\x01\x02\x01\x84name\x05\x83"
      "age\x04\x00\x01\x02\x01\x00\x01\x00\x01\x83"
      "ada\x04$\x01\x05\x01\x03\x01\x00\x01\x01\x01\x83"
      "bob\x04\x07\x01\x05\x01\x00\x01\x01\x01\xdf\xff\x02\x01\x01\x84"
      "city\x05\x83ulm\x04\x06\x01\xff",
      78);
  stream.for_each_block([&](StreamId master, std::string_view bytes) {
    EXPECT_EQ(master, (StreamId{5, 1}));
    EXPECT_EQ(bytes, expected);
  });
}

TEST(Stream, FreesInSlices) {
  Stream stream;
  for (std::uint64_t i = 1; i <= 1000; ++i) append(stream, {i, 0}, {"a", "b"}, {});
  ConsumerGroup& group = *stream.add_group("g", {}, 0);
  Consumer& consumer = group.add_consumer("c", 1);
  for (std::uint64_t i = 1; i <= 100; ++i) group.assign({i, 0}, consumer);
  EXPECT_EQ(stream.element_count(), 1101U);
  stream.check();
  EXPECT_EQ(stream.free_some(5), 5U);
  EXPECT_EQ(stream.free_some(50), 50U);
  EXPECT_EQ(stream.free_some(1000), 56U);
}

TEST(ConsumerGroup, MovesWhatIsPending) {
  ConsumerGroup group;
  Consumer& alice = group.add_consumer("alice", 1);
  Consumer& bob = group.add_consumer("bob", 2);
  for (std::uint64_t i = 1; i <= 200; ++i) group.assign({i, 0}, alice);
  for (std::uint64_t i = 1; i <= 200; i += 2) group.assign({i, 0}, bob);
  group.check();
  EXPECT_EQ(alice.pending.size(), 100U);
  EXPECT_TRUE(group.acknowledge({1, 0}));
  EXPECT_FALSE(group.acknowledge({1, 0}));
  ConsumerGroup twin;
  group.copy_to(twin);
  twin.check();
  EXPECT_EQ(twin.pending().size(), 199U);
  EXPECT_EQ(group.erase_consumer(bob), 99U);
  group.check();
  EXPECT_EQ(group.pending().size(), 100U);
}

}  // namespace
}  // namespace millrace::ds
