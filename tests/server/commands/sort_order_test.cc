#include "server/commands/sort_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "ae/base/prng.h"
#include "server/commands/sort_pattern.h"

namespace millrace {
namespace {

std::vector<std::string> elements_of(const SortItems& items, size_t begin, size_t end) {
  std::vector<std::string> elements;
  for (size_t i = begin; i < end; ++i) elements.emplace_back(items[i].element);
  return elements;
}

TEST(SortItems, KeepsLargeElementsAndFillsTheChunkBehindThem) {
  SortItems items;
  const std::string large(100'000, 'x');
  items.add("first");
  items.add(large);
  items.add("last");
  items.add("");
  EXPECT_EQ(items[0].element, "first");
  EXPECT_EQ(items[1].element, large);
  EXPECT_EQ(items[2].element, "last");
  EXPECT_EQ(items[3].element, "");
}

TEST(SortItems, NumbersThatAreEqualAreOrderedByTheirBytes) {
  SortItems items;
  for (const char* element : {"1.0", "1", "0"}) items.add(element);
  for (size_t i = 0; i < 2; ++i) items[i].score = 1;
  items.order(SortItems::By::kNumbers, SortItems::Sense::kDescending, 0, 3);
  EXPECT_EQ(elements_of(items, 0, 3), (std::vector<std::string>{"1.0", "1", "0"}));
}

TEST(SortItems, WordsThatAreEqualStayAsTheyCame) {
  SortItems items;
  for (const char* element : {"c", "a", "b", "none"}) items.add(element);
  for (size_t i = 0; i < 3; ++i) items.set_weight(i, "same");
  items.order(SortItems::By::kWords, SortItems::Sense::kDescending, 0, 4);
  EXPECT_EQ(elements_of(items, 0, 4), (std::vector<std::string>{"c", "a", "b", "none"}));
}

// Any page equals that page of the whole order.
TEST(SortItems, PagesAgreeWithAFullStableSort) {
  constexpr uint64_t kSeed = 7;
  ae::Prng random(kSeed);
  for (int round = 0; round < 500; ++round) {
    SCOPED_TRACE(testing::Message() << "seed " << kSeed << ", round " << round);
    const size_t count = random.below(60);
    SortItems items;
    std::vector<std::pair<std::string, std::string>> model;  // weight, element
    for (size_t i = 0; i < count; ++i) {
      const std::string weight = std::to_string(random.below(10));
      items.add(std::to_string(i));
      items.set_weight(i, weight);
      model.emplace_back(weight, std::to_string(i));
    }
    std::stable_sort(model.begin(), model.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    const size_t end = random.below(count + 1);
    const size_t begin = random.below(end + 1);
    items.order(SortItems::By::kWords, SortItems::Sense::kAscending, begin, end);
    for (size_t i = begin; i < end; ++i) EXPECT_EQ(items[i].element, model[i].second);
  }
}

TEST(SortScore, IsWhatStrtodReads) {
  EXPECT_EQ(parse_sort_score(""), 0);
  EXPECT_EQ(parse_sort_score(" 7"), 7);
  EXPECT_EQ(parse_sort_score("0x10"), 16);
  EXPECT_EQ(parse_sort_score(std::string_view("1\0z", 3)), 1);
  EXPECT_FALSE(parse_sort_score("1z"));
  EXPECT_FALSE(parse_sort_score("nan"));
  EXPECT_FALSE(parse_sort_score("1e400"));
}

std::string key_of(std::string_view pattern, std::string_view element) {
  std::string name;
  SortPattern(pattern).append_key(element, name);
  return name;
}

TEST(SortPattern, PutsTheElementInTheFirstStarsPlace) {
  EXPECT_EQ(key_of("a*b", "1"), "a1b");
  EXPECT_EQ(key_of("*", "1"), "1");
  EXPECT_EQ(key_of("a*b*c", "1"), "a1b*c");
  EXPECT_FALSE(SortPattern("nosort").names_keys());
  EXPECT_TRUE(SortPattern("#").is_element());
}

TEST(SortPattern, KnowsAFieldFromAName) {
  EXPECT_EQ(SortPattern("a*->f").field(), "f");
  EXPECT_EQ(key_of("a*->f", "1"), "a1");
  EXPECT_EQ(key_of("a*b->f->g", "1"), "a1b");
  EXPECT_EQ(SortPattern("a*b->f->g").field(), "f->g");
  EXPECT_FALSE(SortPattern("a*->").names_fields());
  EXPECT_EQ(key_of("a*->", "1"), "a1->");
  EXPECT_EQ(key_of("x->y*", "1"), "x->y1");
}

}  // namespace
}  // namespace millrace
