#include "server/ds/string_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>

namespace millrace::ds {
namespace {

using Members = std::set<std::string>;
constexpr StringSetLimits kTableAtOnce{.max_intset_entries = 0, .max_listpack_entries = 0};

Members listed(const StringSet& set) {
  Members members;
  set.for_each([&](std::string_view member) {
    EXPECT_TRUE(members.emplace(member).second) << member << " twice";
  });
  return members;
}

StringSet made_of(std::initializer_list<const char*> members, const StringSetLimits& limits = {}) {
  StringSet set;
  for (const char* member : members) set.add(member, limits);
  return set;
}

enum class Texts { kIntegers, kMixed };

struct Setting {
  StringSetLimits limits;
  uint64_t target_size;
  Texts texts;
};

class StringSetModel : public testing::TestWithParam<Setting> {
 protected:
  std::string member() {
    const int64_t number = static_cast<int64_t>(prng_.below(3 * GetParam().target_size + 1));
    const int64_t scale = prng_.one_in(50) ? 1'000'000'000'000 : 1;
    if (GetParam().texts == Texts::kIntegers || prng_.one_in(4)) {
      return std::to_string((number - 5) * scale);
    }
    return (prng_.one_in(400) ? std::string(600, 'x') : "m") + std::to_string(number);
  }

  void change() {
    const bool grow = prng_.below(2 * GetParam().target_size) >= model_.size();
    const std::string text = member();
    if (grow || model_.empty() || prng_.one_in(3)) {
      ASSERT_EQ(set_.add(text, GetParam().limits), model_.insert(text).second);
    } else if (prng_.one_in(2)) {
      ASSERT_EQ(set_.erase(text), model_.erase(text) == 1);
    } else {
      set_.pop_random(prng_, [&](std::string_view popped) {
        ASSERT_EQ(model_.erase(std::string(popped)), 1U);
      });
    }
  }

  const uint64_t seed_ = std::random_device{}();
  ae::Prng prng_{seed_};
  StringSet set_;
  Members model_;
};

TEST_P(StringSetModel, agrees_with_a_set) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  for (int i = 0; i < 6000; ++i) {
    ASSERT_NO_FATAL_FAILURE(change());
    ASSERT_EQ(set_.size(), model_.size());
    const std::string text = member();
    ASSERT_EQ(set_.contains(text), model_.contains(text));
    if (i % 256 != 0) continue;
    set_.check(GetParam().limits);
    ASSERT_EQ(listed(set_), model_);
    ASSERT_EQ(listed(set_.copy()), model_);
  }
}

INSTANTIATE_TEST_SUITE_P(
    encodings, StringSetModel,
    testing::Values(Setting{{512, 128, 64}, 100, Texts::kIntegers},  // intset throughout
                    Setting{{100, 128, 64}, 150, Texts::kIntegers},  // intset, then table
                    Setting{{512, 128, 700}, 40, Texts::kMixed},     // listpack throughout
                    Setting{{512, 128, 64}, 60, Texts::kMixed},      // converted by a long member
                    Setting{{512, 60, 700}, 60, Texts::kMixed},      // converted by number
                    Setting{{0, 0, 0}, 1000, Texts::kMixed}));       // table throughout

// --- Encodings
// ---------------------------------------------------------------------------------------

TEST(StringSet, is_an_intset_while_all_are_integers) {
  const StringSetLimits limits{.max_intset_entries = 3, .max_listpack_entries = 4};
  StringSet set = made_of({"1", "-9223372036854775808", "3"}, limits);
  EXPECT_EQ(set.encoding_name(), "intset");
  set.check(limits);
  EXPECT_TRUE(set.contains("3"));
  EXPECT_FALSE(set.contains("03"));
  EXPECT_FALSE(set.erase("+3"));
  set.add("4", limits);
  EXPECT_EQ(set.encoding_name(), "hashtable");
  EXPECT_EQ(listed(set), (Members{"1", "-9223372036854775808", "3", "4"}));
}

TEST(StringSet, an_intset_becomes_a_listpack_with_its_first_other_member) {
  const StringSetLimits limits{.max_intset_entries = 9, .max_listpack_entries = 3};
  StringSet set = made_of({"1", "2"}, limits);
  set.add("x", limits);
  EXPECT_EQ(set.encoding_name(), "listpack");
  EXPECT_EQ(listed(set), (Members{"1", "2", "x"}));
  EXPECT_FALSE(set.add("x", limits));
  EXPECT_FALSE(set.add("1", limits));
  EXPECT_EQ(set.encoding_name(), "listpack");
  set.check(limits);
  set.add("y", limits);
  EXPECT_EQ(set.encoding_name(), "hashtable");
  EXPECT_EQ(listed(set), (Members{"1", "2", "x", "y"}));
}

TEST(StringSet, an_intset_becomes_a_table_if_a_listpack_will_not_do) {
  const StringSetLimits limits{
      .max_intset_entries = 9, .max_listpack_entries = 3, .max_value_bytes = 4};
  const auto encoding_with = [&](std::initializer_list<const char*> members) {
    return made_of(members, limits).encoding_name();
  };
  EXPECT_EQ(encoding_with({"1", "2", "3", "x"}), "hashtable");  // too many
  EXPECT_EQ(encoding_with({"1", "xxxxx"}), "hashtable");        // the new one is too long
  EXPECT_EQ(encoding_with({"12345", "x"}), "hashtable");        // an old one is
  EXPECT_EQ(encoding_with({"-1234", "x"}), "hashtable");
  EXPECT_EQ(encoding_with({"1234", "x"}), "listpack");
}

TEST(StringSet, begins_in_the_encoding_that_suits_what_is_coming) {
  const StringSetLimits limits{.max_intset_entries = 5, .max_listpack_entries = 7};
  EXPECT_EQ(StringSet::sized_for("1", 5, limits).encoding_name(), "intset");
  EXPECT_EQ(StringSet::sized_for("1", 6, limits).encoding_name(), "listpack");
  EXPECT_EQ(StringSet::sized_for("x", 7, limits).encoding_name(), "listpack");
  EXPECT_EQ(StringSet::sized_for("1", 8, limits).encoding_name(), "hashtable");
}

TEST(StringSet, expects_what_it_is_told_to) {
  const StringSetLimits limits{.max_intset_entries = 5, .max_listpack_entries = 3};
  StringSet integers = made_of({"1"}, limits);
  integers.expect(5, limits);
  EXPECT_EQ(integers.encoding_name(), "intset");
  integers.expect(6, limits);
  EXPECT_EQ(integers.encoding_name(), "hashtable");
  StringSet texts = made_of({"x"}, limits);
  texts.expect(3, limits);
  EXPECT_EQ(texts.encoding_name(), "listpack");
  texts.expect(4, limits);
  EXPECT_EQ(texts.encoding_name(), "hashtable");
  EXPECT_EQ(listed(texts), Members{"x"});
}

TEST(StringSet, an_empty_set_has_no_heap) {
  EXPECT_EQ(StringSet().memory_bytes(), 0U);
}

// --- What the encodings have in common
// ---------------------------------------------------------------

enum class Kind { kIntSet, kListpack, kTable };

class StringSetInAny : public testing::TestWithParam<Kind> {
 protected:
  StringSetLimits limits() const {
    if (GetParam() == Kind::kTable) return kTableAtOnce;
    return {.max_intset_entries = 5000, .max_listpack_entries = 5000};
  }
  StringSet of(int members) const {
    StringSet set;
    const std::string prefix = GetParam() == Kind::kIntSet ? "" : "m";
    for (int i = 0; i < members; ++i) set.add(prefix + std::to_string(i), limits());
    return set;
  }
};
INSTANTIATE_TEST_SUITE_P(encodings, StringSetInAny,
                         testing::Values(Kind::kIntSet, Kind::kListpack, Kind::kTable));

TEST_P(StringSetInAny, draws_distinct_members_or_repeats_them) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  ae::Prng prng(seed);
  const StringSet set = of(100);
  for (const uint64_t count : {0, 1, 5, 40, 99, 100, 1000}) {
    Members drawn;
    uint64_t visits = 0;
    const auto visit = [&](std::string_view member) {
      EXPECT_TRUE(set.contains(member));
      drawn.emplace(member);
      ++visits;
    };
    set.random(count, Repetition::kUnique, prng, visit);
    EXPECT_EQ(visits, std::min<uint64_t>(count, 100));
    EXPECT_EQ(drawn.size(), visits);
    visits = 0;
    set.random(count, Repetition::kRepeating, prng, visit);
    EXPECT_EQ(visits, count);
  }
  StringSet().random(3, Repetition::kRepeating, prng, [](auto) { FAIL(); });
}

TEST_P(StringSetInAny, draws_every_member_about_equally_often) {
  ae::Prng prng(11);
  const StringSet set = of(5);
  std::map<std::string, int> counts;
  for (int i = 0; i < 4000; ++i) {
    set.random(prng, [&](std::string_view member) { ++counts[std::string(member)]; });
    set.random(2, Repetition::kUnique, prng,
               [&](std::string_view member) { ++counts[std::string(member)]; });
  }
  EXPECT_EQ(counts.size(), 5U);
  for (const auto& [member, count] : counts) EXPECT_NEAR(count, 2400, 300) << member;
}

TEST_P(StringSetInAny, pops_every_member_once) {
  ae::Prng prng(12);
  StringSet set = of(300);
  const Members all = listed(set);
  Members popped;
  const auto visit = [&](std::string_view member) { EXPECT_TRUE(popped.emplace(member).second); };
  EXPECT_EQ(set.pop_random(0, prng, visit), 0U);
  EXPECT_EQ(set.pop_random(100, prng, visit), 100U);
  set.check(limits());
  EXPECT_EQ(set.size(), 200U);
  for (int i = 0; i < 100; ++i) set.pop_random(prng, visit);
  EXPECT_EQ(set.pop_random(1000, prng, visit), 100U);
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(popped, all);
}

// In a large table members are drawn ahead. Whatever happens in between, a pop gives a member that
// is there, and gives it once.
TEST(StringSet, pops_from_a_large_set_between_other_changes) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  ae::Prng prng(seed);
  StringSet set;
  Members model;
  const auto add = [&](uint64_t number) {
    const std::string member = "m" + std::to_string(number);
    ASSERT_EQ(set.add(member, {}), model.insert(member).second);
  };
  for (uint64_t i = 0; i < 6000; ++i) add(i);
  while (set.size() > 3000) {
    set.pop_random(1 + prng.below(20), prng, [&](std::string_view member) {
      ASSERT_EQ(model.erase(std::string(member)), 1U);
    });
    if (prng.one_in(4)) add(prng.below(7000));
    const std::string member = "m" + std::to_string(prng.below(7000));
    ASSERT_EQ(set.erase(member), model.erase(member) == 1);
  }
  set.check();
  ASSERT_EQ(listed(set), model);
}

// Over many sets, how often a member is among the first thousand popped of five thousand.
TEST(StringSet, pops_are_fair_in_a_large_set) {
  ae::Prng prng(13);
  StringSet all;
  for (int i = 0; i < 5000; ++i) all.add("m" + std::to_string(i), {});
  std::map<std::string, int> counts;
  constexpr int kSets = 40;
  for (int i = 0; i < kSets; ++i) {
    StringSet set = all.copy();
    set.pop_random(1000, prng, [&](std::string_view member) { ++counts[std::string(member)]; });
  }
  // Binomial(40, 0.2): beyond 28 once in 10^10. The members counted at all are 5000 * (1 - 0.8^40).
  EXPECT_GT(counts.size(), 4980U);
  for (const auto& [member, count] : counts) EXPECT_LE(count, 28) << member;
}

TEST_P(StringSetInAny, a_scan_reports_every_member) {
  const StringSet set = of(500);
  Members seen;
  uint64_t cursor = 0;
  do {
    cursor = set.scan(cursor, [&](std::string_view member) { seen.emplace(member); });
  } while (cursor != 0);
  EXPECT_EQ(seen, listed(set));
}

TEST_P(StringSetInAny, a_walk_ends_when_told_to) {
  const StringSet set = of(100);
  int visits = 0;
  set.for_each_until(
      [&](std::string_view) { return ++visits < 7 ? Step::kContinue : Step::kStop; });
  EXPECT_EQ(visits, 7);
}

TEST_P(StringSetInAny, is_freed_in_slices) {
  StringSet set = of(1000);
  size_t calls = 1;
  while (set.free_some(64) == 64) ++calls;
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set.memory_bytes(), 0U);
  EXPECT_LE(calls, 1000 / 64 + 4U);
}

TEST_P(StringSetInAny, may_be_destroyed_while_being_freed) {
  of(1000).free_some(100);
}

TEST_P(StringSetInAny, moves_as_one_word) {
  StringSet set = of(3);
  const auto encoding = set.encoding();
  StringSet taken = std::move(set);
  EXPECT_TRUE(set.empty());  // NOLINT(bugprone-use-after-move): moved from means empty
  EXPECT_EQ(taken.size(), 3U);
  EXPECT_EQ(taken.encoding(), encoding);
}

}  // namespace
}  // namespace millrace::ds
