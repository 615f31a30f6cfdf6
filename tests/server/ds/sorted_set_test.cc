#include "server/ds/sorted_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace millrace::ds {
namespace {

using AddResult = SortedSet::AddResult;
using Pair = std::pair<std::string, double>;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr ListpackLimits kTableAtOnce{.max_entries = 0, .max_value_bytes = 0};

std::vector<Pair> listed(const SortedSet& set) {
  std::vector<Pair> pairs;
  set.for_each([&](std::string_view member, double score) { pairs.emplace_back(member, score); });
  return pairs;
}

SortedSet made_of(const std::vector<Pair>& pairs, const ListpackLimits& limits) {
  SortedSet set;
  for (const auto& [member, score] : pairs) set.add(member, score, {}, limits);
  return set;
}

// --- Against a model
// ---------------------------------------------------------------------------------

class Model {
 public:
  void put(const std::string& member, double score) {
    erase(member);
    scores_[member] = score;
    order_.emplace(score, member);
  }
  bool erase(const std::string& member) {
    const auto found = scores_.find(member);
    if (found == scores_.end()) return false;
    order_.erase({found->second, member});
    scores_.erase(found);
    return true;
  }
  const std::map<std::string, double>& scores() const { return scores_; }
  std::vector<Pair> listed() const {
    std::vector<Pair> pairs;
    for (const auto& [score, member] : order_) pairs.emplace_back(member, score);
    return pairs;
  }
  // Members in a range, in the order of the walk, page applied.
  template <typename Holds>
  std::vector<Pair> range(Holds holds, Direction direction, Page page) const {
    std::vector<Pair> pairs = listed();
    std::erase_if(pairs, [&](const Pair& pair) { return !holds(pair); });
    if (direction == Direction::kBackward) std::reverse(pairs.begin(), pairs.end());
    pairs.erase(pairs.begin(), pairs.begin() + static_cast<ptrdiff_t>(
                                                   std::min<uint64_t>(page.offset, pairs.size())));
    if (page.count < pairs.size()) pairs.resize(page.count);
    return pairs;
  }

 private:
  std::map<std::string, double> scores_;
  std::set<std::pair<double, std::string>> order_;
};

struct Setting {
  ListpackLimits limits;
  uint64_t target_size;
};

class SortedSetModel : public testing::TestWithParam<Setting> {
 protected:
  std::string member() {
    const uint64_t number = prng_.below(3 * GetParam().target_size + 1);
    if (prng_.one_in(4)) return std::to_string(number);  // a listpack keeps these as integers
    return (prng_.one_in(200) ? std::string(300, 'x') : std::string("m")) + std::to_string(number);
  }
  double score() {
    switch (prng_.below(8)) {
      case 0:
        return prng_.fraction() * 100 - 50;
      case 1:
        return kInfinity;
      case 2:
        return -kInfinity;
      case 3:
        return 0x1p60;
      default:
        return static_cast<double>(prng_.below(20)) / 2 - 5;
    }
  }
  ScoreRange score_range() {
    const auto kind = [&] {
      return prng_.one_in(2) ? BoundKind::kInclusive : BoundKind::kExclusive;
    };
    return {{score(), kind()}, {score(), kind()}};
  }
  Page page() {
    if (prng_.one_in(2)) return {};
    return {prng_.below(GetParam().target_size + 2), prng_.below(GetParam().target_size + 2)};
  }
  Direction direction() { return prng_.one_in(2) ? Direction::kForward : Direction::kBackward; }

  void add() {
    using Presence = SortedSet::Presence;
    using Change = SortedSet::Change;
    using Operand = SortedSet::Operand;
    const std::string name = member();
    const double operand = score();
    const SortedSet::AddOptions options{
        prng_.one_in(4) ? static_cast<Presence>(prng_.below(3)) : Presence::kAny,
        prng_.one_in(4) ? static_cast<Change>(prng_.below(3)) : Change::kAny,
        prng_.one_in(4) ? Operand::kIncrement : Operand::kScore};
    const auto outcome = set_.add(name, operand, options, GetParam().limits);

    const auto found = model_.scores().find(name);
    if (found == model_.scores().end()) {
      const bool added = options.presence != Presence::kOnlyExisting;
      ASSERT_EQ(outcome.result, added ? AddResult::kAdded : AddResult::kSkipped);
      if (added) model_.put(name, operand);
      return;
    }
    const double current = found->second;
    const double wanted = options.operand == Operand::kIncrement ? current + operand : operand;
    if (options.presence == Presence::kOnlyNew) {
      ASSERT_EQ(outcome.result, AddResult::kSkipped);
    } else if (std::isnan(wanted)) {
      ASSERT_EQ(outcome.result, AddResult::kNotANumber);
    } else if ((options.change == Change::kOnlyGreater && !(wanted > current)) ||
               (options.change == Change::kOnlyLess && !(wanted < current))) {
      ASSERT_EQ(outcome.result, AddResult::kSkipped);
    } else {
      ASSERT_EQ(outcome.result, wanted == current ? AddResult::kUnchanged : AddResult::kUpdated);
      ASSERT_EQ(outcome.score, wanted);
      model_.put(name, wanted);
    }
  }

  void pop() {
    const uint64_t count = prng_.below(4);
    const bool lowest = prng_.one_in(2);
    const Direction walk = lowest ? Direction::kForward : Direction::kBackward;
    const auto expected = model_.range([](const Pair&) { return true; }, walk, {0, count});
    std::vector<Pair> popped;
    const auto visit = [&](std::string_view m, double s) { popped.emplace_back(m, s); };
    ASSERT_EQ(lowest ? set_.pop_min(count, visit) : set_.pop_max(count, visit), expected.size());
    ASSERT_EQ(popped, expected);
    for (const Pair& pair : expected) model_.erase(pair.first);
  }

  void erase_range() {
    const ScoreRange range = score_range();
    const auto expected = model_.range(
        [&](const Pair& pair) { return range.contains(pair.second); }, Direction::kForward, {});
    ASSERT_EQ(set_.erase_range(range), expected.size());
    for (const Pair& pair : expected) model_.erase(pair.first);
  }

  void change() {
    const uint64_t size = model_.scores().size();
    const bool grow = prng_.below(2 * GetParam().target_size) >= size;
    const uint64_t dice = prng_.below(100);
    if (grow || dice < 30) return add();
    if (dice < 90) {
      const std::string name = member();
      ASSERT_EQ(set_.erase(name), model_.erase(name));
    } else if (dice < 98) {
      pop();
    } else if (prng_.one_in(5)) {
      erase_range();
    }
  }

  void look() {
    const std::string name = member();
    const auto found = model_.scores().find(name);
    const bool there = found != model_.scores().end();
    ASSERT_EQ(set_.score(name), there ? std::optional(found->second) : std::nullopt);
    const auto rank = set_.rank(name);
    ASSERT_EQ(rank.has_value(), there);
    if (there) {
      const auto all = model_.listed();
      ASSERT_EQ(all.at(rank->rank).first, name);
      ASSERT_EQ(rank->score, found->second);
    }
    const ScoreRange range = score_range();
    const Direction walk = direction();
    const Page part = page();
    std::vector<Pair> visited;
    set_.for_range(range, walk, part,
                   [&](std::string_view m, double s) { visited.emplace_back(m, s); });
    ASSERT_EQ(visited,
              model_.range([&](const Pair& p) { return range.contains(p.second); }, walk, part));
  }

  const uint64_t seed_ = std::random_device{}();
  ae::Prng prng_{seed_};
  SortedSet set_;
  Model model_;
};

TEST_P(SortedSetModel, agrees_with_a_map_and_an_ordered_set) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  for (int i = 0; i < 4000; ++i) {
    ASSERT_NO_FATAL_FAILURE(change());
    ASSERT_EQ(set_.size(), model_.scores().size());
    if (i % 8 == 0) {
      ASSERT_NO_FATAL_FAILURE(look());
    }
    if (i % 256 == 0) {
      set_.check(GetParam().limits);
      ASSERT_EQ(listed(set_), model_.listed());
      ASSERT_EQ(listed(set_.copy()), model_.listed());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(encodings, SortedSetModel,
                         testing::Values(Setting{{128, 400}, 30},  // listpack throughout
                                         Setting{{128, 64}, 40},   // converted by a long member
                                         Setting{{60, 400}, 60},   // converted by number
                                         Setting{{0, 0}, 600}));   // table throughout

// --- Encodings
// ---------------------------------------------------------------------------------------

TEST(SortedSet, is_a_listpack_up_to_its_limits) {
  const ListpackLimits limits{.max_entries = 3, .max_value_bytes = 5};
  SortedSet set;
  EXPECT_EQ(set.encoding_name(), "listpack");
  EXPECT_EQ(set.memory_bytes(), 0U);
  for (const char* member : {"a", "b", "12345"}) set.add(member, 1, {}, limits);
  EXPECT_EQ(set.encoding_name(), "listpack");
  set.check(limits);
  set.add("a", 2, {}, limits);
  EXPECT_EQ(set.encoding_name(), "listpack");
  set.add("d", 1, {.presence = SortedSet::Presence::kOnlyExisting}, limits);
  EXPECT_EQ(set.encoding_name(), "listpack");
  set.add("d", 1, {}, limits);
  EXPECT_EQ(set.encoding_name(), "skiplist");
  set.check(limits);
  for (const char* member : {"a", "b", "d"}) set.erase(member);
  EXPECT_EQ(set.encoding_name(), "skiplist");
}

TEST(SortedSet, a_long_member_makes_a_table) {
  SortedSet set;
  set.add("123456", 1, {}, {.max_entries = 3, .max_value_bytes = 5});
  EXPECT_EQ(set.encoding_name(), "skiplist");
}

TEST(SortedSet, expects_what_it_is_told_to) {
  const ListpackLimits limits{.max_entries = 10, .max_value_bytes = 5};
  EXPECT_EQ(SortedSet::sized_for(10, 5, limits).encoding_name(), "listpack");
  EXPECT_EQ(SortedSet::sized_for(11, 5, limits).encoding_name(), "skiplist");
  EXPECT_EQ(SortedSet::sized_for(10, 6, limits).encoding_name(), "skiplist");
  SortedSet set = made_of({{"a", 1}, {"b", 2}}, limits);
  set.expect(10, limits);
  EXPECT_EQ(set.encoding_name(), "listpack");
  set.expect(11, limits);
  EXPECT_EQ(set.encoding_name(), "skiplist");
  EXPECT_EQ(listed(set), (std::vector<Pair>{{"a", 1}, {"b", 2}}));
}

// --- What both encodings have in common
// --------------------------------------------------------------

class SortedSetInEither : public testing::TestWithParam<ListpackLimits> {};
INSTANTIATE_TEST_SUITE_P(encodings, SortedSetInEither,
                         testing::Values(ListpackLimits{}, kTableAtOnce));

TEST_P(SortedSetInEither, refuses_what_is_not_a_number) {
  SortedSet set = made_of({{"a", kInfinity}}, GetParam());
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(set.add("b", nan, {}, GetParam()).result, AddResult::kNotANumber);
  const SortedSet::AddOptions increment{.operand = SortedSet::Operand::kIncrement};
  EXPECT_EQ(set.add("a", -kInfinity, increment, GetParam()).result, AddResult::kNotANumber);
  EXPECT_EQ(listed(set), (std::vector<Pair>{{"a", kInfinity}}));
}

TEST_P(SortedSetInEither, keeps_any_double_as_it_is) {
  std::vector<Pair> pairs;
  const double extremes[] = {
      -kInfinity, -1.7976931348623157e308, -0.1, 5e-324, 0.1 + 0.2, 1.0 / 3,
      3,          9007199254740992.0,      1e17, 1e20,   1e300,     kInfinity};
  for (const double score : extremes) pairs.emplace_back("m" + std::to_string(pairs.size()), score);
  EXPECT_EQ(listed(made_of(pairs, GetParam())), pairs);
}

TEST_P(SortedSetInEither, orders_equal_scores_by_bytes) {
  const SortedSet set = made_of(
      {{"b", 1}, {"\xff", 1}, {"", 1}, {"ab", 1}, {"a", 1}, {"10", 1}, {"9", 1}}, GetParam());
  const std::vector<Pair> expected{{"", 1},   {"10", 1}, {"9", 1},   {"a", 1},
                                   {"ab", 1}, {"b", 1},  {"\xff", 1}};
  EXPECT_EQ(listed(set), expected);
}

TEST_P(SortedSetInEither, finds_lex_ranges) {
  std::vector<Pair> pairs;
  for (char c = 'a'; c <= 'j'; ++c) pairs.emplace_back(std::string(1, c), 0);
  const SortedSet set = made_of(pairs, GetParam());
  using Kind = LexBound::Kind;
  const auto text = [&](LexRange range, Direction direction, Page page) {
    std::string all;
    set.for_range(range, direction, page, [&](std::string_view member, double) { all += member; });
    return all;
  };
  EXPECT_EQ(text({}, Direction::kForward, {}), "abcdefghij");
  const LexRange middle{{Kind::kExclusive, "b"}, {Kind::kInclusive, "f"}};
  EXPECT_EQ(text(middle, Direction::kForward, {}), "cdef");
  EXPECT_EQ(text(middle, Direction::kBackward, {1, 2}), "ed");
  EXPECT_EQ(text({{Kind::kInclusive, "bb"}, {Kind::kExclusive, "d"}}, Direction::kForward, {}),
            "c");
  EXPECT_EQ(set.ranks(LexRange{{Kind::kHighest, {}}, {Kind::kHighest, {}}}).size(), 0U);
  EXPECT_EQ(set.ranks(LexRange{{Kind::kLowest, {}}, {Kind::kLowest, {}}}).size(), 0U);
  EXPECT_EQ(set.ranks(LexRange{{Kind::kInclusive, "f"}, {Kind::kInclusive, "b"}}).size(), 0U);
}

TEST_P(SortedSetInEither, cuts_ranks_off_at_the_end) {
  SortedSet set = made_of({{"a", 1}, {"b", 2}, {"c", 3}}, GetParam());
  std::string all;
  set.for_range({1, 100}, Direction::kBackward, [&](std::string_view m, double) { all += m; });
  EXPECT_EQ(all, "cb");
  set.for_range({3, 100}, Direction::kForward, [&](std::string_view, double) { FAIL(); });
  EXPECT_EQ(set.erase_range(RankRange{5, 9}), 0U);
  EXPECT_EQ(set.erase_range(RankRange{1, 9}), 2U);
  EXPECT_EQ(listed(set), (std::vector<Pair>{{"a", 1}}));
}

TEST_P(SortedSetInEither, draws_distinct_members_or_repeats_them) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  ae::Prng prng(seed);
  std::vector<Pair> pairs;
  for (int i = 0; i < 100; ++i) pairs.emplace_back("m" + std::to_string(i), i);
  const SortedSet set = made_of(pairs, GetParam());
  for (const uint64_t count : {0, 1, 5, 40, 99, 100, 1000}) {
    std::set<std::string> drawn;
    uint64_t visits = 0;
    const auto visit = [&](std::string_view member, double score) {
      EXPECT_EQ(set.score(member), score);
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
}

TEST_P(SortedSetInEither, draws_every_member_equally_often) {
  ae::Prng prng(11);
  const SortedSet set = made_of({{"a", 1}, {"b", 2}, {"c", 3}, {"d", 4}}, GetParam());
  std::map<std::string, int> counts;
  for (int i = 0; i < 4000; ++i) {
    set.random(prng, [&](std::string_view member, double) { ++counts[std::string(member)]; });
    set.random(2, Repetition::kUnique, prng,
               [&](std::string_view member, double) { ++counts[std::string(member)]; });
  }
  for (const auto& [member, count] : counts) EXPECT_NEAR(count, 3000, 250) << member;
}

TEST_P(SortedSetInEither, is_freed_in_slices) {
  SortedSet set;
  for (int i = 0; i < 1000; ++i) set.add("member" + std::to_string(i), i, {}, GetParam());
  size_t calls = 1;
  while (set.free_some(64) == 64) ++calls;
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set.memory_bytes(), 0U);
  EXPECT_LE(calls, 2 * 1000 / 64 + 4U);
}

TEST_P(SortedSetInEither, may_be_destroyed_while_being_freed) {
  SortedSet set;
  for (int i = 0; i < 1000; ++i) set.add("member" + std::to_string(i), i, {}, GetParam());
  set.free_some(100);
}

TEST_P(SortedSetInEither, moves_as_one_word) {
  SortedSet set = made_of({{"a", 1}}, GetParam());
  SortedSet taken = std::move(set);
  EXPECT_TRUE(set.empty());  // NOLINT(bugprone-use-after-move): moved from means empty
  EXPECT_EQ(taken.size(), 1U);
  set = std::move(taken);
  EXPECT_EQ(set.score("a"), 1.0);
}

// Members present from the first call of a scan to the last are visited, whatever else comes and
// goes.
TEST(SortedSet, a_scan_misses_nobody_while_the_set_changes) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  ae::Prng prng(seed);
  SortedSet set;
  constexpr int kStayers = 500;
  for (int i = 0; i < kStayers; ++i) set.add("stays" + std::to_string(i), i, {}, kTableAtOnce);
  std::set<std::string> seen;
  uint64_t cursor = 0;
  do {
    cursor = set.scan(cursor, [&](std::string_view member, double) { seen.emplace(member); });
    const std::string name = "comes" + std::to_string(prng.below(4000));
    for (int i = 0; i < 6; ++i) set.add(name + std::to_string(i), 1, {}, kTableAtOnce);
    if (prng.one_in(2)) set.erase_range(ScoreRange{{0.5}, {0.75}});
    set.erase(name + "3");
  } while (cursor != 0);
  for (int i = 0; i < kStayers; ++i) EXPECT_TRUE(seen.contains("stays" + std::to_string(i)));
}

TEST(SortedSet, zero_of_either_sign_is_zero_in_a_listpack_and_keeps_its_sign_in_a_table) {
  EXPECT_FALSE(std::signbit(*made_of({{"a", -0.0}}, {}).score("a")));
  EXPECT_TRUE(std::signbit(*made_of({{"a", -0.0}}, kTableAtOnce).score("a")));
}

}  // namespace
}  // namespace millrace::ds
