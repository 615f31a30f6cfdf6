// The two kinds of node of an OrderedTree, and how one node is searched and shifted. Which node,
// and what follows for the others, is ordered_tree.cc's business.
//
// Entries lie in columns, not in records: a search by score then reads eight scores to a cache line
// and nothing else. Entry i of an inner node describes child i: the child's first element (score
// and member) and the number of elements below it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/ds/ordered_range.h"
#include "server/ds/scored_member.h"

namespace millrace::ds::ordered_tree_node {

// A leaf of 62 and an inner node of 63 entries fill a kilobyte and two: size classes of jemalloc.
// Half and double these sizes were measured too (ordered_tree_bench, a million elements): insertion
// differs by less than the noise, half costs a level more, double costs the smallest sets a
// kilobyte more.
inline constexpr uint32_t kLeafCapacity = 62;
inline constexpr uint32_t kInnerCapacity = 63;

// Below this a node is repaired, unless it is the first or the last of its level.
template <typename Node>
inline constexpr uint32_t kMinEntries = Node::kCapacity / 4;

// Entries [at, count) of a column make room for `width` more, or close over `width` that go. These
// become memmove.
template <typename Entry>
void open_gap(Entry* column, uint32_t count, uint32_t at, uint32_t width) {
  std::copy_backward(column + at, column + count, column + count + width);
}
template <typename Entry>
void close_gap(Entry* column, uint32_t count, uint32_t at, uint32_t width) {
  std::copy(column + at + width, column + count, column + at);
}

struct Leaf {
  static constexpr uint32_t kCapacity = kLeafCapacity;

  uint32_t count = 0;
  Leaf* previous = nullptr;
  Leaf* next = nullptr;
  double scores[kCapacity];
  ScoredMember* members[kCapacity];

  void make_room(uint32_t at, uint32_t width) {
    open_gap(scores, count, at, width);
    open_gap(members, count, at, width);
    count += width;
  }
  void remove(uint32_t at, uint32_t width) {
    close_gap(scores, count, at, width);
    close_gap(members, count, at, width);
    count -= width;
  }
  // Entries [from, from + width) of `source` over those of this node that begin at `to`.
  void copy_entries(uint32_t to, const Leaf& source, uint32_t from, uint32_t width) {
    std::copy_n(source.scores + from, width, scores + to);
    std::copy_n(source.members + from, width, members + to);
  }
  void put(uint32_t at, double score, ScoredMember* member) {
    scores[at] = score;
    members[at] = member;
  }
};

inline uint64_t total_size(const Leaf& leaf) {
  return leaf.count;
}

struct Inner;
inline uint64_t total_size(const Inner& inner);

struct Inner {
  static constexpr uint32_t kCapacity = kInnerCapacity;

  uint32_t count = 0;
  double scores[kCapacity];
  ScoredMember* members[kCapacity];
  uint64_t sizes[kCapacity];
  void* children[kCapacity];  // Leaf or Inner, which the level tells

  void make_room(uint32_t at, uint32_t width) {
    open_gap(scores, count, at, width);
    open_gap(members, count, at, width);
    open_gap(sizes, count, at, width);
    open_gap(children, count, at, width);
    count += width;
  }
  void remove(uint32_t at, uint32_t width) {
    close_gap(scores, count, at, width);
    close_gap(members, count, at, width);
    close_gap(sizes, count, at, width);
    close_gap(children, count, at, width);
    count -= width;
  }
  void copy_entries(uint32_t to, const Inner& source, uint32_t from, uint32_t width) {
    std::copy_n(source.scores + from, width, scores + to);
    std::copy_n(source.members + from, width, members + to);
    std::copy_n(source.sizes + from, width, sizes + to);
    std::copy_n(source.children + from, width, children + to);
  }

  // Writes down in entry `at` what a child now begins with and holds.
  template <typename Node>
  void describe_child(uint32_t at, const Node* child) {
    scores[at] = child->scores[0];
    members[at] = child->members[0];
    sizes[at] = total_size(*child);
  }
  template <typename Node>
  void insert_child(uint32_t at, Node* child) {
    make_room(at, 1);
    children[at] = child;
    describe_child(at, child);
  }
};

// Elements below the node.
inline uint64_t total_size(const Inner& inner) {
  uint64_t total = 0;
  for (uint32_t i = 0; i < inner.count; ++i) total += inner.sizes[i];
  return total;
}

// A search asks of sorted entries: how many of them stand before the point looked for? `Before` is
// a predicate of one entry, true for a prefix of them.
//
// No branch depends on the data: where the next half lies is arithmetic, since a processor guesses
// it wrong half of the time and each wrong guess costs as much as five probes.
template <typename Before>
uint32_t count_before(uint32_t count, Before before) {
  uint32_t base = 0;
  while (count > 1) {
    const uint32_t half = count / 2;
    base += before(base + half - 1) ? half : 0;
    count -= half;
  }
  return base + (count == 1 && before(base) ? 1 : 0);
}

// On which side of the elements equal to what is looked for the point lies.
enum class Side { kBefore, kAfter };

struct ScoreSearch {
  double score;
  Side side;

  uint32_t operator()(const double* scores, ScoredMember* const*, uint32_t count) const {
    if (side == Side::kBefore)
      return count_before(count, [&](auto i) { return scores[i] < score; });
    return count_before(count, [&](auto i) { return scores[i] <= score; });
  }
};

struct KeySearch {
  double score;
  std::string_view text;
  Side side;

  uint32_t operator()(const double* scores, ScoredMember* const* members, uint32_t count) const {
    const uint32_t below = ScoreSearch{score, Side::kBefore}(scores, members, count);
    if (below == count || scores[below] != score) return below;
    return below + among_equals(scores + below, members + below, count - below);
  }

 private:
  // The first of `count` entries has the score; only members tell those apart that have it.
  uint32_t among_equals(const double* scores, ScoredMember* const* members, uint32_t count) const {
    const uint32_t equals = ScoreSearch{score, Side::kAfter}(scores, members, count);
    return count_before(equals, [&](auto i) {
      const int order = members[i]->text().compare(text);
      return order < 0 || (order == 0 && side == Side::kAfter);
    });
  }
};

// The two ends of a LexRange.
struct LexMinSearch {
  const LexRange& range;
  uint32_t operator()(const double*, ScoredMember* const* members, uint32_t count) const {
    return count_before(count, [&](auto i) { return !range.above_min(members[i]->text()); });
  }
};
struct LexMaxSearch {
  const LexRange& range;
  uint32_t operator()(const double*, ScoredMember* const* members, uint32_t count) const {
    return count_before(count, [&](auto i) { return range.below_max(members[i]->text()); });
  }
};

}  // namespace millrace::ds::ordered_tree_node
