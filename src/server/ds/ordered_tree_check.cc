// What OrderedTree::check() looks at. Apart from the operations, which trust one another; this does
// not.
#include "ae/base/assert.h"
#include "server/ds/ordered_tree.h"

namespace millrace::ds {

using namespace ordered_tree_node;

namespace {

bool ascends(const ScoredMember& left, const ScoredMember& right) {
  if (left.score() != right.score()) return left.score() < right.score();
  return left.text() < right.text();
}

}  // namespace

// What a walk in order has met so far.
struct OrderedTree::Census {
  uint64_t leaves = 0;
  uint64_t inners = 0;
  const Leaf* previous_leaf = nullptr;
};

void OrderedTree::check() const {
  Census census;
  if (root_ == nullptr) {
    AE_ASSERT(size_ == 0 && height_ == 0);
  } else {
    AE_ASSERT(size_ != 0);
    AE_ASSERT(height_ == 0 || static_cast<const Inner*>(root_)->count >= 2);
    check_node(root_, height_, Edges{true, true}, &census);
    AE_ASSERT(census.previous_leaf->next == nullptr);
  }
  AE_ASSERT(census.leaves == leaf_count_ && census.inners == inner_count_);
}

void OrderedTree::check_node(const void* node, int height, Edges edges, Census* census) const {
  const uint32_t count =
      height == 0 ? static_cast<const Leaf*>(node)->count : static_cast<const Inner*>(node)->count;
  const uint32_t minimum = height == 0 ? kMinEntries<Leaf> : kMinEntries<Inner>;
  AE_ASSERT(count >= (edges.first || edges.last ? 1 : minimum));
  if (height == 0) return check_leaf(*static_cast<const Leaf*>(node), census);
  check_inner(*static_cast<const Inner*>(node), height, edges, census);
}

void OrderedTree::check_inner(const Inner& inner, int height, Edges edges, Census* census) const {
  AE_ASSERT(inner.count <= Inner::kCapacity);
  ++census->inners;
  for (uint32_t i = 0; i < inner.count; ++i) {
    const void* child = inner.children[i];
    const Edges child_edges{edges.first && i == 0, edges.last && i + 1 == inner.count};
    check_node(child, height - 1, child_edges, census);
    Inner described;
    described.count = 1;
    if (height == 1) {
      described.describe_child(0, static_cast<const Leaf*>(child));
    } else {
      described.describe_child(0, static_cast<const Inner*>(child));
    }
    AE_ASSERT(described.members[0] == inner.members[i] && described.sizes[0] == inner.sizes[i]);
    AE_ASSERT(described.scores[0] == inner.scores[i]);
  }
}

void OrderedTree::check_leaf(const Leaf& leaf, Census* census) const {
  AE_ASSERT(leaf.count <= Leaf::kCapacity);
  AE_ASSERT(leaf.previous == census->previous_leaf);
  if (leaf.previous != nullptr) {
    const Leaf& other = *leaf.previous;
    AE_ASSERT(other.next == &leaf);
    AE_ASSERT(ascends(*other.members[other.count - 1], *leaf.members[0]));
  }
  for (uint32_t i = 0; i < leaf.count; ++i) {
    AE_ASSERT(leaf.scores[i] == leaf.members[i]->score());
    AE_ASSERT(i == 0 || ascends(*leaf.members[i - 1], *leaf.members[i]));
  }
  census->previous_leaf = &leaf;
  ++census->leaves;
}

}  // namespace millrace::ds
