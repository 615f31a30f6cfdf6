#include "server/ds/quick_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/server/ds/redis_blobs.h"

namespace millrace::ds {
namespace {

using Model = std::deque<std::string>;

constexpr ListLimit kDefault(-2);

std::string text_of(const Element& element) {
  Element::TextBuffer buffer;
  return std::string(element.text(buffer));
}

Model contents(const QuickList& list) {
  Model all;
  list.for_range(0, SIZE_MAX, [&all](const Element& element) { all.push_back(text_of(element)); });
  return all;
}

QuickList numbered(std::size_t count, ListLimit limit = kDefault) {
  QuickList list;
  for (std::size_t i = 0; i < count; ++i) list.push(End::kBack, std::to_string(i), limit);
  return list;
}

Model numbers(std::size_t begin, std::size_t end) {
  Model all;
  for (std::size_t i = begin; i < end; ++i) all.push_back(std::to_string(i));
  return all;
}

std::string pop(QuickList& list, End end) {
  std::string popped = "(none)";
  list.pop(end, [&popped](const Element& element) { popped = text_of(element); });
  return popped;
}

TEST(QuickList, EmptyOwnsNothing) {
  QuickList list;
  EXPECT_EQ(list.size(), 0U);
  EXPECT_EQ(list.byte_size(), 0U);
  EXPECT_EQ(list.node_count(), 0U);
  EXPECT_TRUE(list.is_single_listpack());
  EXPECT_FALSE(list.first());
  EXPECT_FALSE(list.seek(0));
  EXPECT_FALSE(list.find("a"));
  EXPECT_EQ(list.remove_matching("a", 0), 0U);
  EXPECT_EQ(list.erase_range(0, 1), 0U);
  EXPECT_EQ(pop(list, End::kFront), "(none)");
  EXPECT_TRUE(list.check());
}

TEST(QuickList, PushesInOrderAtBothEnds) {
  const std::vector<std::string_view> values = {"a", "b", "c"};
  QuickList list;
  list.push(End::kBack, values, kDefault);
  list.push(End::kFront, values, kDefault);
  EXPECT_EQ(contents(list), (Model{"c", "b", "a", "a", "b", "c"}));
}

TEST(QuickList, FindsEveryIndexFromBothEnds) {
  for (const int fill : {1, 3, -1, -2}) {
    const QuickList list = numbered(5000, ListLimit(fill));
    for (std::int64_t i = 0; i < 5000; ++i) {
      ASSERT_TRUE(list.get(list.seek(i)) == std::to_string(i));
      ASSERT_EQ(list.seek(i), list.seek(i - 5000));
    }
    EXPECT_FALSE(list.seek(5000));
    EXPECT_FALSE(list.seek(-5001));
  }
}

TEST(QuickList, WalksBothWays) {
  const QuickList list = numbered(3000, ListLimit(100));
  std::size_t index = 0;
  for (auto at = list.first(); at; at = list.next(at)) {
    ASSERT_TRUE(list.get(at) == std::to_string(index++));
  }
  EXPECT_EQ(index, 3000U);
  for (auto at = list.last(); at; at = list.previous(at)) {
    ASSERT_TRUE(list.get(at) == std::to_string(--index));
  }
  EXPECT_EQ(index, 0U);
}

TEST(QuickList, QueueKeepsItsOrderAndItsMemory) {
  QuickList list = numbered(2000);
  const std::size_t bytes = list.byte_size();
  for (std::size_t i = 0; i < 20000; ++i) {
    ASSERT_EQ(pop(list, End::kFront), std::to_string(i));
    list.push(End::kBack, std::to_string(i + 2000), kDefault);
  }
  EXPECT_TRUE(list.check());
  EXPECT_LT(list.byte_size(), 3 * bytes + 2 * 8192);
}

TEST(QuickList, LargeElementsHaveNodesOfTheirOwn) {
  QuickList list = numbered(10);
  const std::string large(8193, 'x');
  list.push(End::kBack, large, kDefault);
  list.push(End::kFront, large, kDefault);
  list.insert(list.seek(5), Side::kAfter, large, kDefault);
  Model model = numbers(0, 10);
  model.push_back(large);
  model.push_front(large);
  model.insert(model.begin() + 6, large);
  EXPECT_EQ(contents(list), model);
  EXPECT_EQ(list.node_count(), 5U);
  EXPECT_TRUE(list.check());
  list.replace(list.seek(0), "small", kDefault);
  list.replace(list.seek(1), large, kDefault);
  model[0] = "small";
  model[1] = large;
  EXPECT_EQ(contents(list), model);
  EXPECT_EQ(list.remove_matching(large, -2), 2U);
  EXPECT_EQ(list.remove_matching(large, 0), 1U);
  EXPECT_TRUE(list.check());
}

// ---- the encoding's name; the figures are those of Redis 7.2's t_list rules

TEST(QuickListEncoding, BecomesQuickListBeyondTheByteLimit) {
  QuickList list;
  const std::string value(100, 'x');  // 103 bytes an entry
  for (int i = 0; i < 78; ++i) list.push(End::kBack, value, kDefault);
  EXPECT_TRUE(list.is_single_listpack());  // 7 + 78 * 103 + 100 <= 8192 for one more
  list.push(End::kBack, value, kDefault);
  EXPECT_TRUE(list.is_single_listpack());
  list.push(End::kBack, value, kDefault);
  EXPECT_FALSE(list.is_single_listpack());
}

TEST(QuickListEncoding, AddsUpAllValuesOfACommand) {
  const std::string value(3000, 'x');
  const std::vector<std::string_view> values = {value, value, value};
  QuickList list;
  list.push(End::kBack, values, kDefault);
  EXPECT_FALSE(list.is_single_listpack());
  EXPECT_EQ(list.node_count(), 2U);
}

TEST(QuickListEncoding, BecomesListpackAgainAtHalfTheLimit) {
  QuickList list = numbered(5, ListLimit(4));
  EXPECT_FALSE(list.is_single_listpack());
  for (const std::size_t left : {4U, 3U}) {
    pop(list, End::kBack);
    list.settle_after_removal(ListLimit(4));
    EXPECT_FALSE(list.is_single_listpack()) << left;
  }
  pop(list, End::kBack);
  EXPECT_FALSE(list.is_single_listpack());
  list.settle_after_removal(ListLimit(4));
  EXPECT_TRUE(list.is_single_listpack());
  EXPECT_EQ(contents(list), numbers(0, 2));
  EXPECT_TRUE(list.check());
}

TEST(QuickListEncoding, AfterLoadingTheWholeLimitCounts) {
  for (const std::size_t count : {4U, 5U}) {
    QuickList list;
    Listpack pack;
    for (std::size_t i = 0; i < count; ++i) pack.append("x");
    list.append_node(std::move(pack));
    EXPECT_FALSE(list.is_single_listpack());
    list.settle_after_load(ListLimit(4));
    EXPECT_EQ(list.is_single_listpack(), count == 4);
  }
}

TEST(QuickListEncoding, APlainNodeIsNeverAListpack) {
  QuickList list;
  list.append_plain(std::string(9000, 'x'));
  list.settle_after_load(kDefault);
  list.settle_after_removal(kDefault);
  EXPECT_FALSE(list.is_single_listpack());
  list.replace(list.first(), "small", kDefault);
  list.settle_after_removal(kDefault);
  EXPECT_TRUE(list.is_single_listpack());
}

TEST(QuickListEncoding, EmptiedListStartsAnew) {
  QuickList list = numbered(5000);
  EXPECT_EQ(list.erase_range(0, 5000), 5000U);
  EXPECT_TRUE(list.empty());
  list.push(End::kFront, "a", kDefault);
  EXPECT_TRUE(list.is_single_listpack());
  EXPECT_EQ(contents(list), Model{"a"});
}

TEST(QuickListEncoding, NodesAreTheBytesRedisWrites) {
  for (const RedisBlob& blob : kRedisListpacks) {
    QuickList list;
    ListpackView(blob.bytes.data()).for_each([&list](Element element) {
      list.push(End::kBack, text_of(element), kDefault);
    });
    std::size_t nodes = 0;
    list.for_each_node([&](const ListNode& node) {
      EXPECT_EQ(node.raw(), blob.bytes) << blob.name;
      ++nodes;
    });
    EXPECT_EQ(nodes, 1U);
  }
}

// ---- LPOS, LREM, LTRIM

std::vector<std::size_t> positions(const QuickList& list, std::string_view value,
                                   QuickList::Search search) {
  std::vector<std::size_t> found;
  list.find(value, search, [&found](std::size_t index) { found.push_back(index); });
  return found;
}

TEST(QuickList, FindsByRankCountAndMaxCompared) {
  QuickList list;
  for (const char* value : {"a", "b", "c", "1", "2", "3", "c", "c"}) {
    list.push(End::kBack, value, ListLimit(3));
  }
  using Found = std::vector<std::size_t>;
  EXPECT_EQ(positions(list, "c", {}), Found{2});
  EXPECT_EQ(positions(list, "3", {}), Found{5});
  EXPECT_EQ(positions(list, "c", {.rank = 2}), Found{6});
  EXPECT_EQ(positions(list, "c", {.rank = -1}), Found{7});
  EXPECT_EQ(positions(list, "c", {.rank = -3}), Found{2});
  EXPECT_EQ(positions(list, "c", {.rank = 4}), Found{});
  EXPECT_EQ(positions(list, "c", {.max_matches = SIZE_MAX}), (Found{2, 6, 7}));
  EXPECT_EQ(positions(list, "c", {.rank = -1, .max_matches = 2}), (Found{7, 6}));
  EXPECT_EQ(positions(list, "c", {.max_matches = SIZE_MAX, .max_compared = 7}), (Found{2, 6}));
  EXPECT_EQ(positions(list, "c", {.rank = INT64_MIN}), Found{});
  EXPECT_EQ(positions(QuickList(), "c", {.rank = -1}), Found{});
}

TEST(QuickList, RemovesMatchingFromEitherEnd) {
  for (const int fill : {1, 2, 3, -2}) {
    const ListLimit limit(fill);
    QuickList list;
    for (const char* value : {"x", "a", "x", "b", "x", "c", "x"}) {
      list.push(End::kBack, value, limit);
    }
    EXPECT_EQ(list.remove_matching("x", -1), 1U);
    EXPECT_EQ(contents(list), (Model{"x", "a", "x", "b", "x", "c"}));
    EXPECT_EQ(list.remove_matching("x", 2), 2U);
    EXPECT_EQ(contents(list), (Model{"a", "b", "x", "c"}));
    EXPECT_EQ(list.remove_matching("x", 0), 1U);
    EXPECT_EQ(contents(list), (Model{"a", "b", "c"}));
    EXPECT_EQ(list.remove_matching("x", INT64_MIN), 0U);
    EXPECT_TRUE(list.check());
  }
}

TEST(QuickList, ThinnedListIsMergedAgain) {
  QuickList list;
  for (int i = 0; i < 20000; ++i) {
    list.push(End::kBack, i % 10 == 0 ? "keep" : "drop", kDefault);
  }
  EXPECT_EQ(list.remove_matching("drop", 0), 18000U);
  EXPECT_EQ(list.size(), 2000U);
  EXPECT_LE(list.node_count(), 5U);  // 12000 bytes; Redis keeps 15 nodes
  EXPECT_TRUE(list.check());
}

TEST(QuickList, ErasesRangesAcrossNodes) {
  for (const int fill : {1, 7, -1}) {
    for (const std::size_t start : {0U, 1U, 7U, 100U, 1999U}) {
      for (const std::size_t count : {0U, 1U, 6U, 7U, 500U, 5000U}) {
        QuickList list = numbered(2000, ListLimit(fill));
        Model model = numbers(0, 2000);
        const std::size_t end = std::min<std::size_t>(start + count, 2000);
        model.erase(model.begin() + static_cast<std::ptrdiff_t>(start),
                    model.begin() + static_cast<std::ptrdiff_t>(end));
        ASSERT_EQ(list.erase_range(start, count), end - start);
        ASSERT_EQ(contents(list), model);
        ASSERT_TRUE(list.check());
      }
    }
  }
}

TEST(QuickList, ErasingWhileWalkingVisitsEveryOtherElement) {
  for (const Direction direction : {Direction::kForward, Direction::kBackward}) {
    QuickList list = numbered(4000, ListLimit(9));
    Model seen;
    auto at = direction == Direction::kForward ? list.first() : list.last();
    while (at) {
      const std::string text = text_of(list.get(at));
      if (direction == Direction::kForward) {
        seen.push_back(text);
      } else {
        seen.push_front(text);
      }
      const bool odd = std::stoi(text) % 2 == 1;
      if (odd) {
        at = list.erase(at, direction);
      } else {
        at = direction == Direction::kForward ? list.next(at) : list.previous(at);
      }
    }
    EXPECT_EQ(seen, numbers(0, 4000));
    EXPECT_EQ(list.size(), 2000U);
    EXPECT_TRUE(list.check());
  }
}

TEST(QuickList, InsertingInTheMiddleKeepsNodesDense) {
  QuickList list = numbered(2000);
  std::mt19937_64 random(7);
  for (int i = 0; i < 20000; ++i) {
    const auto at = list.seek(static_cast<std::int64_t>(random() % list.size()));
    list.insert(at, Side::kBefore, "element:" + std::to_string(i), kDefault);
  }
  std::size_t used = 0;
  list.for_each_node([&used](const ListNode& node) { used += node.bytes; });
  EXPECT_GT(used, list.node_count() * 8192 / 2);
  EXPECT_TRUE(list.check());
}

TEST(QuickList, GivesElementsFromAThresholdOnNodesOfTheirOwn) {
  const ListLimit limit(-2, 6);
  QuickList list = numbered(5000, limit);
  list.push(End::kFront, "sixsix", limit);
  list.insert(list.seek(2500), Side::kAfter, "in the middle", limit);
  list.replace(list.seek(1000), "in its place", limit);
  std::size_t plain = 0;
  list.for_each_node([&plain](const ListNode& node) { plain += node.plain; });
  EXPECT_EQ(plain, 3U);
  EXPECT_EQ(list.size(), 5002U);
  EXPECT_EQ(text_of(list.get(list.seek(0))), "sixsix");
  EXPECT_EQ(text_of(list.get(list.seek(1000))), "in its place");
  EXPECT_EQ(text_of(list.get(list.seek(2501))), "in the middle");
  EXPECT_TRUE(list.check());
}

TEST(QuickList, FreesInSlices) {
  QuickList list = numbered(10000, ListLimit(100));
  int slices = 1;
  while (!list.free_some(10)) ++slices;
  EXPECT_EQ(slices, 10);
  EXPECT_TRUE(list.empty());
}

}  // namespace
}  // namespace millrace::ds
