#include "ae/base/intrusive_list.h"

#include <gtest/gtest.h>

#include <vector>

namespace ae {
namespace {

struct Item {
  explicit Item(int number = 0) : number(number) {}
  int number;
  ListHook in_a;
  ListHook in_b;
};
using ListA = IntrusiveList<Item, &Item::in_a>;
using ListB = IntrusiveList<Item, &Item::in_b>;

std::vector<int> numbers(ListA& list) {
  std::vector<int> result;
  for (Item* item = list.front(); item != nullptr; item = list.next(*item)) {
    result.push_back(item->number);
  }
  return result;
}

TEST(IntrusiveList, KeepsOrder) {
  Item one{1}, two{2}, three{3};
  ListA list;
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.front(), nullptr);
  list.push_back(two);
  list.push_back(three);
  list.push_front(one);
  EXPECT_EQ(numbers(list), (std::vector{1, 2, 3}));
  EXPECT_EQ(list.back(), &three);
  list.remove(two);
  EXPECT_EQ(numbers(list), (std::vector{1, 3}));
  EXPECT_EQ(list.pop_front(), &one);
  EXPECT_EQ(list.pop_front(), &three);
  EXPECT_EQ(list.pop_front(), nullptr);
}

TEST(IntrusiveList, OneObjectInTwoLists) {
  Item item{1};
  ListA a;
  ListB b;
  a.push_back(item);
  b.push_back(item);
  item.in_a.unlink();
  EXPECT_TRUE(a.empty());
  EXPECT_EQ(b.front(), &item);
  item.in_a.unlink();  // nothing where it is in none
  b.clear();
  EXPECT_FALSE(item.in_b.linked());
}

TEST(IntrusiveList, ADyingListLetsItsMembersGo) {
  Item item;
  {
    ListA list;
    list.push_back(item);
  }
  EXPECT_FALSE(item.in_a.linked());
}

TEST(IntrusiveListDeathTest, LinkingTwiceAborts) {
  Item item;
  ListA list;
  list.push_back(item);
  EXPECT_DEATH(list.push_back(item), "assertion failed");
}

}  // namespace
}  // namespace ae
