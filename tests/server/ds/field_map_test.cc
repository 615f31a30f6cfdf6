#include "server/ds/field_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

namespace millrace::ds {
namespace {

using SetResult = FieldMap::SetResult;
using Fields = std::map<std::string, std::string>;
constexpr ListpackLimits kTableAtOnce{.max_entries = 0, .max_value_bytes = 0};

Fields listed(const FieldMap& map) {
  Fields fields;
  map.for_each([&](std::string_view field, std::string_view value) {
    EXPECT_TRUE(fields.emplace(field, value).second) << field << " twice";
  });
  return fields;
}

std::optional<std::string> value_of(const FieldMap& map, std::string_view field) {
  Element::TextBuffer buffer;
  const auto value = map.get(field, buffer);
  return value ? std::optional(std::string(*value)) : std::nullopt;
}

struct Setting {
  ListpackLimits limits;
  uint64_t target_size;
};

class FieldMapModel : public testing::TestWithParam<Setting> {
 protected:
  std::string field() {
    const uint64_t number = prng_.below(3 * GetParam().target_size + 1);
    if (prng_.one_in(4)) return std::to_string(number);  // a listpack keeps these as integers
    return "field:" + std::to_string(number);
  }
  std::string value() {
    if (prng_.one_in(4)) return std::to_string(static_cast<int64_t>(prng_.next()));
    // Around every boundary there is: of cells, of the short length, of the slab's largest cell.
    const uint64_t longest = prng_.one_in(100) ? 700 : 40;
    return std::string(prng_.below(longest), static_cast<char>('a' + prng_.below(26)));
  }

  void change() {
    const bool grow = prng_.below(2 * GetParam().target_size) >= model_.size();
    const std::string name = field();
    if (!grow && prng_.one_in(2)) {
      ASSERT_EQ(map_.erase(name), model_.erase(name) == 1);
      return;
    }
    const std::string text = value();
    const bool created = model_.insert_or_assign(name, text).second;
    ASSERT_EQ(map_.set(name, text, GetParam().limits),
              created ? SetResult::kCreated : SetResult::kUpdated);
  }

  void look() {
    const std::string name = field();
    const auto found = model_.find(name);
    const bool there = found != model_.end();
    ASSERT_EQ(map_.contains(name), there);
    ASSERT_EQ(value_of(map_, name), there ? std::optional(found->second) : std::nullopt);
    ASSERT_EQ(map_.value_length(name), there ? std::optional(found->second.size()) : std::nullopt);
  }

  const uint64_t seed_ = std::random_device{}();
  ae::Prng prng_{seed_};
  FieldMap map_;
  Fields model_;
};

TEST_P(FieldMapModel, agrees_with_a_map) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  for (int i = 0; i < 6000; ++i) {
    ASSERT_NO_FATAL_FAILURE(change());
    ASSERT_NO_FATAL_FAILURE(look());
    ASSERT_EQ(map_.size(), model_.size());
    if (i % 256 != 0) continue;
    map_.check(GetParam().limits);
    ASSERT_EQ(listed(map_), model_);
    ASSERT_EQ(listed(map_.copy()), model_);
  }
}

INSTANTIATE_TEST_SUITE_P(encodings, FieldMapModel,
                         testing::Values(Setting{{128, 700}, 30},  // listpack throughout
                                         Setting{{128, 64}, 40},   // converted by a long value
                                         Setting{{60, 700}, 60},   // converted by number
                                         Setting{{0, 0}, 1000}));  // table throughout

TEST(FieldMap, is_a_listpack_up_to_its_limits) {
  const ListpackLimits limits{.max_entries = 2, .max_value_bytes = 5};
  FieldMap map;
  EXPECT_EQ(map.memory_bytes(), 0U);
  map.set("a", "12345", limits);
  map.set("12345", "b", limits);
  map.set("a", "x", limits);
  EXPECT_EQ(map.encoding_name(), "listpack");
  map.check(limits);
  map.set("c", "d", limits);
  EXPECT_EQ(map.encoding_name(), "hashtable");
  map.check(limits);
  EXPECT_EQ(listed(map), (Fields{{"a", "x"}, {"12345", "b"}, {"c", "d"}}));
}

TEST(FieldMap, a_long_field_or_value_makes_a_table) {
  const ListpackLimits limits{.max_entries = 10, .max_value_bytes = 5};
  FieldMap long_field;
  long_field.set("123456", "", limits);
  EXPECT_EQ(long_field.encoding_name(), "hashtable");
  FieldMap long_value;
  long_value.set("a", "1", limits);
  long_value.set("a", "123456", limits);
  EXPECT_EQ(long_value.encoding_name(), "hashtable");
  EXPECT_EQ(listed(long_value), (Fields{{"a", "123456"}}));
}

TEST(FieldMap, expects_what_it_is_told_to) {
  const ListpackLimits limits{.max_entries = 10, .max_value_bytes = 5};
  FieldMap map;
  map.expect(10, limits);
  EXPECT_EQ(map.encoding_name(), "listpack");
  map.expect(11, limits);
  EXPECT_EQ(map.encoding_name(), "hashtable");
}

TEST(FieldMap, a_value_of_the_same_size_class_stays_in_its_cell) {
  FieldMap map;
  map.set("counter", "10", kTableAtOnce);
  const size_t before = map.memory_bytes();
  Element::TextBuffer buffer;
  const char* const place = map.get("counter", buffer)->data();
  map.set("counter", "1234", kTableAtOnce);
  EXPECT_EQ(map.get("counter", buffer)->data(), place);
  EXPECT_EQ(value_of(map, "counter"), "1234");
  EXPECT_EQ(map.memory_bytes(), before);
  map.set("counter", std::string(100, 'x'), kTableAtOnce);
  EXPECT_GT(map.memory_bytes(), before);
  map.check();
}

class FieldMapInEither : public testing::TestWithParam<ListpackLimits> {
 protected:
  FieldMap of(int fields) {
    FieldMap map;
    for (int i = 0; i < fields; ++i) {
      map.set("f" + std::to_string(i), std::to_string(i), GetParam());
    }
    return map;
  }
};
INSTANTIATE_TEST_SUITE_P(encodings, FieldMapInEither,
                         testing::Values(ListpackLimits{}, kTableAtOnce));

TEST_P(FieldMapInEither, takes_any_bytes) {
  const std::string zeros("\0a\0", 3);
  FieldMap map;
  for (const std::string& text : {std::string(), zeros, std::string("\xff"), std::string("-1")}) {
    EXPECT_EQ(map.set(text, text, GetParam()), SetResult::kCreated);
    EXPECT_EQ(map.set(text, text, GetParam()), SetResult::kUpdated);
  }
  EXPECT_EQ(value_of(map, zeros), zeros);
  EXPECT_EQ(value_of(map, ""), "");
  EXPECT_EQ(value_of(map, "\xff"), "\xff");
  EXPECT_FALSE(map.contains("nobody"));
}

TEST_P(FieldMapInEither, draws_distinct_fields_or_repeats_them) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  ae::Prng prng(seed);
  const FieldMap map = of(100);
  for (const uint64_t count : {0, 1, 5, 40, 99, 100, 1000}) {
    std::set<std::string> drawn;
    uint64_t visits = 0;
    const auto visit = [&](std::string_view field, std::string_view value) {
      EXPECT_EQ(value_of(map, field), value);
      drawn.emplace(field);
      ++visits;
    };
    map.random(count, Repetition::kUnique, prng, visit);
    EXPECT_EQ(visits, std::min<uint64_t>(count, 100));
    EXPECT_EQ(drawn.size(), visits);
    visits = 0;
    map.random(count, Repetition::kRepeating, prng, visit);
    EXPECT_EQ(visits, count);
  }
  FieldMap().random(3, Repetition::kRepeating, prng, [](auto, auto) { FAIL(); });
}

TEST_P(FieldMapInEither, a_scan_reports_every_field) {
  const FieldMap map = of(500);
  Fields seen;
  uint64_t cursor = 0;
  do {
    cursor = map.scan(cursor, [&](std::string_view field, std::string_view value) {
      seen.emplace(field, value);
    });
  } while (cursor != 0);
  EXPECT_EQ(seen, listed(map));
}

TEST_P(FieldMapInEither, is_freed_in_slices) {
  FieldMap map = of(1000);
  size_t calls = 1;
  while (map.free_some(64) == 64) ++calls;
  EXPECT_TRUE(map.empty());
  EXPECT_EQ(map.memory_bytes(), 0U);
  EXPECT_LE(calls, 1000 / 64 + 4U);
}

TEST_P(FieldMapInEither, may_be_destroyed_while_being_freed) {
  of(1000).free_some(100);
}

TEST_P(FieldMapInEither, moves_as_one_word) {
  FieldMap map = of(3);
  FieldMap taken = std::move(map);
  EXPECT_TRUE(map.empty());  // NOLINT(bugprone-use-after-move): moved from means empty
  EXPECT_EQ(taken.size(), 3U);
}

}  // namespace
}  // namespace millrace::ds
