#include "server/ds/list_node.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <string>

#include "server/ds/list_limit.h"
#include "server/ds/list_node_array.h"

namespace millrace::ds {
namespace {

using Model = std::deque<std::string>;

Listpack pack_of(const Model& values) {
  Listpack pack;
  for (const std::string& value : values) pack.append(value);
  return pack;
}

// The node's bytes are at every moment those of a listpack that was built from front to back.
TEST(ListNode, IsAlwaysOneContiguousListpack) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    ListNode node = ListNode::make_packed(random() % 300, End::kFront);
    Model model;
    for (int step = 0; step < 400; ++step) {
      const std::string value(random() % 70, 'x');
      const std::size_t index = model.empty() ? 0 : random() % model.size();
      const Cursor at = node.seek(static_cast<std::uint32_t>(index));
      switch (model.size() < 2 ? random() % 2 : random() % 6) {
        case 0:
          node.push(End::kFront, value), model.push_front(value);
          break;
        case 1:
          node.push(End::kBack, value), model.push_back(value);
          break;
        case 2:
          node.pop(End::kFront), model.pop_front();
          break;
        case 3:
          node.pop(End::kBack), model.pop_back();
          break;
        case 4:
          node.replace(at, value), model[index] = value;
          break;
        default:
          node.insert_before(at, value);
          model.insert(model.begin() + static_cast<std::ptrdiff_t>(index), value);
      }
      if (step % 50 == 0) node.trim();
      ASSERT_TRUE(node.check());
      ASSERT_EQ(node.raw(), pack_of(model).raw());
    }
    node.free_block();
  }
}

TEST(ListNode, PushingAtBothEndsInTurnMovesSeldom) {
  ListNode node = ListNode::make_packed(8192, End::kFront);
  int moves = 0;
  for (int i = 0; node.bytes + 20 < 8192; ++i) {
    const std::uint32_t head = node.head;
    const End end = i % 2 == 0 ? End::kFront : End::kBack;
    node.push(end, "element:00000007");
    const std::uint32_t expected = end == End::kFront ? head - 18 : head;
    moves += node.head != expected ? 1 : 0;
  }
  EXPECT_EQ(node.capacity, 8192U);
  EXPECT_LE(moves, 10);
  node.free_block();
}

TEST(ListNode, SplitsAndJoins) {
  Model model;
  ListNode node = ListNode::make_packed(0, End::kBack);
  for (int i = 0; i < 100; ++i) {
    model.push_back(std::to_string(i * i));
    node.push(End::kBack, model.back());
  }
  const std::string whole(node.raw());
  for (const std::uint32_t at : {1U, 50U, 99U}) {
    const ListNode tail = node.split_off(node.seek(at), 100 - at);
    EXPECT_TRUE(node.check());
    EXPECT_TRUE(tail.check());
    EXPECT_EQ(node.count, at);
    EXPECT_TRUE(tail.get(tail.first()) == model[at]);
    const std::uint32_t shift = node.append_all(tail);
    EXPECT_TRUE(node.get({tail.first().offset + shift}) == model[at]);
    tail.free_block();
    EXPECT_EQ(node.raw(), whole);
  }
  node.free_block();
}

TEST(ListNodeArray, BehavesLikeADeque) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    ListNodeArray nodes;
    std::deque<std::uint32_t> model;
    for (std::uint32_t step = 0; step < 3000; ++step) {
      const bool filling = step % 1000 < 600;
      if (model.empty() || random() % 10 < (filling ? 8 : 2)) {
        const std::size_t places[] = {0, model.size(), random() % (model.size() + 1)};
        const std::size_t index = places[random() % 3];
        ListNode node{};
        node.bytes = step;
        nodes.insert(index, node);
        model.insert(model.begin() + static_cast<std::ptrdiff_t>(index), step);
      } else {
        const std::size_t index = random() % model.size();
        const std::size_t count = std::min<std::size_t>(1 + random() % 3, model.size() - index);
        nodes.erase(index, count);
        const auto from = model.begin() + static_cast<std::ptrdiff_t>(index);
        model.erase(from, from + static_cast<std::ptrdiff_t>(count));
      }
      ASSERT_EQ(nodes.size(), model.size());
      if (step % 10 != 0) continue;
      for (std::size_t i = 0; i < model.size(); ++i) ASSERT_EQ(nodes[i].bytes, model[i]);
    }
  }
}

TEST(ListNodeArray, AQueueOfNodesDoesNotGrow) {
  ListNodeArray nodes;
  for (int i = 0; i < 10; ++i) nodes.insert(nodes.size(), ListNode{});
  for (int i = 0; i < 10000; ++i) {
    nodes.insert(0, ListNode{});
    nodes.erase(nodes.size() - 1);
  }
  EXPECT_LE(nodes.allocated_bytes(), 64 * sizeof(ListNode));
}

TEST(ListLimit, MeansWhatTheDirectiveSays) {
  const std::uint32_t kib[] = {4, 8, 16, 32, 64};
  for (int level = 1; level <= 5; ++level) {
    const ListLimit limit(-level);
    EXPECT_EQ(limit.max_bytes(), kib[level - 1] * 1024);
    EXPECT_FALSE(limit.exceeded_by(limit.max_bytes(), 1000000));
    EXPECT_TRUE(limit.exceeded_by(limit.max_bytes() + 1, 1));
  }
  EXPECT_EQ(ListLimit(-9).max_bytes(), 65536U);
  EXPECT_EQ(ListLimit(0).max_count(), 1U);
  const ListLimit by_count(3);
  EXPECT_FALSE(by_count.exceeded_by(8192, 3));
  EXPECT_TRUE(by_count.exceeded_by(8193, 1));
  EXPECT_TRUE(by_count.exceeded_by(10, 4));
  EXPECT_TRUE(by_count.is_half_small(8192, 1));
  EXPECT_FALSE(by_count.is_half_small(10, 2));
}

}  // namespace
}  // namespace millrace::ds
