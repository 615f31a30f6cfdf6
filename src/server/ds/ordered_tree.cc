#include "server/ds/ordered_tree.h"

#include <algorithm>

#include "ae/base/assert.h"
#include "ae/base/prefetch.h"

namespace millrace::ds {

using namespace ordered_tree_node;

namespace {

// Two nodes are merged if they fill at most this of one: enough below full that the next insertions
// do not split it again.
template <typename Node>
constexpr uint32_t kMaxMerged = Node::kCapacity * 3 / 4;

// A node at an edge may be small, so there is no hurry. It is merged when that leaves half a node.
template <typename Node>
constexpr uint32_t kMaxMergedAtEdge = Node::kCapacity / 2;

void prefetch_bytes(const void* from, size_t bytes) {
  constexpr size_t kLine = 64;
  for (size_t at = 0; at < bytes; at += kLine) {
    ae::prefetch(static_cast<const char*>(from) + at);
  }
}

// The next node of a descent: the lines in which a search may begin.
void prefetch_node(const void* node) {
  prefetch_bytes(node, 8 * kLeafCapacity);
}

// Makes two neighbours equally full.
template <typename Node>
void even_out(Node* left, Node* right) {
  const uint32_t half = (left->count + right->count) / 2;
  if (left->count > half) {
    const uint32_t surplus = left->count - half;
    right->make_room(0, surplus);
    right->copy_entries(0, *left, half, surplus);
    left->count = half;
    return;
  }
  const uint32_t missing = half - left->count;
  left->copy_entries(left->count, *right, 0, missing);
  left->count = half;
  right->remove(0, missing);
}

void unlink(Leaf* leaf) {
  if (leaf->previous != nullptr) leaf->previous->next = leaf->next;
  if (leaf->next != nullptr) leaf->next->previous = leaf->previous;
}
void unlink(Inner*) {}

}  // namespace

void OrderedTree::swap(OrderedTree& other) noexcept {
  std::swap(root_, other.root_);
  std::swap(height_, other.height_);
  std::swap(size_, other.size_);
  std::swap(leaf_count_, other.leaf_count_);
  std::swap(inner_count_, other.inner_count_);
}

// --- Finding
// -----------------------------------------------------------------------------------------

// To the last child whose first element stands before the point, or the first child. The point
// itself may then be that leaf's end.
template <typename Search>
void OrderedTree::descend(const Search& search, Path* path) const {
  void* node = root_;
  for (int level = 0; level < height_; ++level) {
    auto* inner = static_cast<Inner*>(node);
    const uint32_t index = search(inner->scores + 1, inner->members + 1, inner->count - 1);
    path->ways[level] = {inner, index};
    node = inner->children[index];
    prefetch_node(node);
  }
  path->leaf = static_cast<Leaf*>(node);
  path->index = search(path->leaf->scores, path->leaf->members, path->leaf->count);
}

// The point just behind the member, then one back: the member itself, never a leaf's end.
void OrderedTree::descend_to_member(const ScoredMember* member, Path* path) const {
  AE_ASSERT(root_ != nullptr);
  descend(KeySearch{member->score(), member->text(), Side::kAfter}, path);
  AE_ASSERT(path->index > 0);
  --path->index;
  AE_ASSERT(path->leaf->members[path->index] == member);
}

void OrderedTree::descend_to_rank(uint64_t rank, Path* path) const {
  AE_ASSERT(rank < size_);
  void* node = root_;
  for (int level = 0; level < height_; ++level) {
    auto* inner = static_cast<Inner*>(node);
    uint32_t index = 0;
    for (; rank >= inner->sizes[index]; ++index) rank -= inner->sizes[index];
    path->ways[level] = {inner, index};
    node = inner->children[index];
    prefetch_node(node);
  }
  path->leaf = static_cast<Leaf*>(node);
  path->index = static_cast<uint32_t>(rank);
}

void OrderedTree::prefetch_place(double score) const {
  constexpr int kLowTree = 2;  // a hundred thousand elements at most: two megabytes
  if (height_ <= kLowTree) return;
  const ScoreSearch search{score, Side::kBefore};
  const void* node = root_;
  for (int level = 0; level < height_; ++level) {
    const auto* inner = static_cast<const Inner*>(node);
    node = inner->children[search(inner->scores + 1, inner->members + 1, inner->count - 1)];
  }
  prefetch_bytes(node, sizeof(Leaf));
}

uint64_t OrderedTree::rank_of(const Path& path) const {
  uint64_t rank = path.index;
  for (int level = 0; level < height_; ++level) {
    const uint64_t* sizes = path.ways[level].node->sizes;
    for (uint32_t i = 0; i < path.ways[level].index; ++i) rank += sizes[i];
  }
  return rank;
}

template <typename Search>
uint64_t OrderedTree::rank_of_point(const Search& search) const {
  if (root_ == nullptr) return 0;
  Path path;
  descend(search, &path);
  return rank_of(path);
}

uint64_t OrderedTree::rank(const ScoredMember* member) const {
  Path path;
  descend_to_member(member, &path);
  return rank_of(path);
}

OrderedTree::Iterator OrderedTree::at(uint64_t rank) const {
  Path path;
  descend_to_rank(rank, &path);
  return {path.leaf, path.index};
}

RankRange OrderedTree::ranks(const ScoreRange& range) const {
  const bool skip_min = range.min.kind == BoundKind::kExclusive;
  const bool take_max = range.max.kind == BoundKind::kInclusive;
  const ScoreSearch begin{range.min.score, skip_min ? Side::kAfter : Side::kBefore};
  const ScoreSearch end{range.max.score, take_max ? Side::kAfter : Side::kBefore};
  return {rank_of_point(begin), rank_of_point(end)};
}

RankRange OrderedTree::ranks(const LexRange& range) const {
  return {rank_of_point(LexMinSearch{range}), rank_of_point(LexMaxSearch{range})};
}

// --- Nodes
// -------------------------------------------------------------------------------------------

Leaf* OrderedTree::new_leaf() {
  ++leaf_count_;
  return new Leaf;
}

Inner* OrderedTree::new_inner() {
  ++inner_count_;
  return new Inner;
}

void OrderedTree::free_node(Leaf* leaf) {
  --leaf_count_;
  delete leaf;
}

void OrderedTree::free_node(Inner* inner) {
  --inner_count_;
  delete inner;
}

void OrderedTree::free_subtree(void* node, int height) {
  if (height == 0) return free_node(static_cast<Leaf*>(node));
  auto* inner = static_cast<Inner*>(node);
  for (uint32_t i = 0; i < inner->count; ++i) free_subtree(inner->children[i], height - 1);
  free_node(inner);
}

void OrderedTree::clear() {
  if (root_ != nullptr) free_subtree(root_, height_);
  root_ = nullptr;
  height_ = 0;
  size_ = 0;
}

void OrderedTree::add_to_sizes(const Path& path, int64_t difference) {
  size_ += static_cast<uint64_t>(difference);
  for (int level = 0; level < height_; ++level) {
    path.ways[level].node->sizes[path.ways[level].index] += static_cast<uint64_t>(difference);
  }
}

// `node`, which stands below level `level` of the path, has another first element: its ancestors
// have written that down (invariant 3).
template <typename Node>
void OrderedTree::refresh_first(const Path& path, int level, const Node& node) {
  for (; level >= 0; --level) {
    const auto [parent, index] = path.ways[level];
    parent->scores[index] = node.scores[0];
    parent->members[index] = node.members[0];
    if (index != 0) return;
  }
}

// Whether what the path reaches by the turns of levels 0 to `level` is the first node of its level.
bool OrderedTree::is_first(const Path& path, int level) const {
  return std::all_of(path.ways, path.ways + (level + 1), [](Way way) { return way.index == 0; });
}
bool OrderedTree::is_last(const Path& path, int level) const {
  return std::all_of(path.ways, path.ways + (level + 1),
                     [](Way way) { return way.index + 1 == way.node->count; });
}

// --- Inserting
// ---------------------------------------------------------------------------------------

void OrderedTree::insert(ScoredMember* member) {
  if (root_ == nullptr) return insert_into_empty(member);
  Path path;
  descend(KeySearch{member->score(), member->text(), Side::kBefore}, &path);
  if (path.leaf->count == Leaf::kCapacity) return insert_into_full_leaf(path, member);
  path.leaf->make_room(path.index, 1);
  path.leaf->put(path.index, member->score(), member);
  add_to_sizes(path, 1);
  if (path.index == 0) refresh_first(path, height_ - 1, *path.leaf);
}

void OrderedTree::insert_into_empty(ScoredMember* member) {
  Leaf* leaf = new_leaf();
  leaf->make_room(0, 1);
  leaf->put(0, member->score(), member);
  root_ = leaf;
  size_ = 1;
}

void OrderedTree::insert_into_full_leaf(const Path& path, ScoredMember* member) {
  Leaf* left = path.leaf;
  // Ascending insertions: the full leaf stays full, and the new element begins the next one.
  const bool appends = path.index == left->count && left->next == nullptr;
  const uint32_t at = appends ? left->count : left->count / 2;
  Leaf* right = split(left, at);
  const bool goes_right = appends || path.index > at;
  Leaf* target = goes_right ? right : left;
  const uint32_t index = goes_right ? path.index - at : path.index;
  target->make_room(index, 1);
  target->put(index, member->score(), member);
  add_to_sizes(path, 1);
  if (path.index == 0) refresh_first(path, height_ - 1, *left);
  add_sibling(path, height_ - 1, right);
}

// The entries from `at` on go to a new node to the right.
Leaf* OrderedTree::split(Leaf* leaf, uint32_t at) {
  Leaf* right = new_leaf();
  right->count = leaf->count - at;
  right->copy_entries(0, *leaf, at, right->count);
  leaf->count = at;
  right->previous = leaf;
  right->next = leaf->next;
  if (right->next != nullptr) right->next->previous = right;
  leaf->next = right;
  return right;
}

Inner* OrderedTree::split(Inner* inner, uint32_t at) {
  Inner* right = new_inner();
  right->count = inner->count - at;
  right->copy_entries(0, *inner, at, right->count);
  inner->count = at;
  return right;
}

// `sibling` has split off, to the right, from the child that the path goes to at this level: it
// becomes an entry behind that child's, which may split this node in its turn.
template <typename Node>
void OrderedTree::add_sibling(const Path& path, int level, Node* sibling) {
  const auto [node, index] = level >= 0 ? path.ways[level] : add_root();
  node->sizes[index] -= total_size(*sibling);
  const uint32_t place = index + 1;
  if (node->count < Inner::kCapacity) return node->insert_child(place, sibling);

  const bool appends = place == node->count && is_last(path, level - 1);
  const uint32_t at = appends ? node->count : node->count / 2;
  Inner* right = split(node, at);
  if (appends || place > at) {
    right->insert_child(place - at, sibling);
  } else {
    node->insert_child(place, sibling);
  }
  add_sibling(path, level - 1, right);
}

// A new root above the old one.
OrderedTree::Way OrderedTree::add_root() {
  AE_ASSERT(height_ < kMaxHeight);
  Inner* root = new_inner();
  if (height_ == 0) {
    root->insert_child(0, static_cast<Leaf*>(root_));
  } else {
    root->insert_child(0, static_cast<Inner*>(root_));
  }
  root->sizes[0] = size_;  // the sibling's elements are still counted as the old root's
  root_ = root;
  ++height_;
  return {root, 0};
}

// --- Changing a score
// --------------------------------------------------------------------------------

void OrderedTree::update_score(ScoredMember* member, double new_score) {
  Path path;
  descend_to_member(member, &path);
  const bool moved = move_within_leaf(path, member, new_score);
  if (!moved) erase_run(path, 1);
  member->set_score(new_score);
  if (!moved) insert(member);
}

// False if the new place is in another leaf. Looks at the neighbours' ends only if the new place is
// an end of this one.
bool OrderedTree::move_within_leaf(const Path& path, ScoredMember* member, double new_score) {
  Leaf& leaf = *path.leaf;
  const KeySearch key{new_score, member->text(), Side::kBefore};
  const uint32_t before = key(leaf.scores, leaf.members, leaf.count);
  const uint32_t to = before > path.index ? before - 1 : before;  // not counting the member itself
  if (to == 0 && leaf.previous != nullptr) {
    const Leaf& other = *leaf.previous;
    if (key(other.scores + other.count - 1, other.members + other.count - 1, 1) == 0) return false;
  }
  if (to == leaf.count - 1 && leaf.next != nullptr) {
    if (key(leaf.next->scores, leaf.next->members, 1) == 1) return false;
  }
  leaf.remove(path.index, 1);
  leaf.make_room(to, 1);
  leaf.put(to, new_score, member);
  if (to == 0 || path.index == 0) refresh_first(path, height_ - 1, leaf);
  return true;
}

// --- Erasing
// -----------------------------------------------------------------------------------------

void OrderedTree::erase(const ScoredMember* member) {
  Path path;
  descend_to_member(member, &path);
  erase_run(path, 1);
}

void OrderedTree::erase_range(RankRange range, Direction direction, OnErased on_erased) {
  while (range.size() != 0) {
    Path path;
    const bool forward = direction == Direction::kForward;
    descend_to_rank(forward ? range.begin : range.end - 1, &path);
    const uint64_t in_leaf = forward ? path.leaf->count - path.index : path.index + 1;
    const auto count = static_cast<uint32_t>(std::min(range.size(), in_leaf));
    if (!forward) path.index -= count - 1;

    ScoredMember* erased[Leaf::kCapacity];
    std::copy_n(path.leaf->members + path.index, count, erased);
    erase_run(path, count);
    if (!forward) std::reverse(erased, erased + count);
    range.end -= count;  // what stood behind has moved up
    for (uint32_t i = 0; i < count; ++i) on_erased(erased[i]);
  }
}

// Erases `count` entries of the path's leaf from the path's place on.
void OrderedTree::erase_run(const Path& path, uint32_t count) {
  Leaf* leaf = path.leaf;
  leaf->remove(path.index, count);
  add_to_sizes(path, -int64_t{count});
  if (path.index == 0 && leaf->count != 0) refresh_first(path, height_ - 1, *leaf);
  if (leaf->count < kMinEntries<Leaf>) repair(path);
}

// Restores invariants 4 and 5 after entries were erased from the path's leaf.
void OrderedTree::repair(const Path& path) {
  if (size_ == 0) return clear();
  int level = height_ - 1;
  if (level < 0 || !repair_child<Leaf>(path, level)) return;
  do {
    --level;
  } while (level >= 0 && repair_child<Inner>(path, level));
  drop_roots_of_one();
}

// Looks after the child that the path goes to at this level, and says whether the node there has
// lost an entry by that, so that it is to be looked after itself.
template <typename Node>
bool OrderedTree::repair_child(const Path& path, int level) {
  const auto [parent, index] = path.ways[level];
  auto* child = static_cast<Node*>(parent->children[index]);
  if (child->count >= kMinEntries<Node>) return false;
  if (child->count == 0) {
    remove_child<Node>(path, level);
    return true;
  }
  const bool at_edge = is_first(path, level) || is_last(path, level);
  if (parent->count == 1) return false;  // then the child is an edge: the parent is one
  const uint32_t left_index = index == 0 ? 0 : index - 1;
  auto* left = static_cast<Node*>(parent->children[left_index]);
  auto* right = static_cast<Node*>(parent->children[left_index + 1]);
  const uint32_t limit = at_edge ? kMaxMergedAtEdge<Node> : kMaxMerged<Node>;
  if (left->count + right->count <= limit) {
    merge_children<Node>(parent, left_index);
    return true;
  }
  if (at_edge) return false;
  even_out(left, right);
  parent->describe_child(left_index, left);
  parent->describe_child(left_index + 1, right);
  return false;
}

// The child has become empty.
template <typename Node>
void OrderedTree::remove_child(const Path& path, int level) {
  const auto [parent, index] = path.ways[level];
  auto* child = static_cast<Node*>(parent->children[index]);
  unlink(child);
  free_node(child);
  parent->remove(index, 1);
  if (index == 0 && parent->count != 0) refresh_first(path, level - 1, *parent);
}

// The right one's entries go to the left one.
template <typename Node>
void OrderedTree::merge_children(Inner* parent, uint32_t left_index) {
  auto* left = static_cast<Node*>(parent->children[left_index]);
  auto* right = static_cast<Node*>(parent->children[left_index + 1]);
  left->copy_entries(left->count, *right, 0, right->count);
  left->count += right->count;
  unlink(right);
  free_node(right);
  parent->sizes[left_index] += parent->sizes[left_index + 1];
  parent->remove(left_index + 1, 1);
}

void OrderedTree::drop_roots_of_one() {
  while (height_ > 0 && static_cast<Inner*>(root_)->count == 1) {
    auto* root = static_cast<Inner*>(root_);
    root_ = root->children[0];
    free_node(root);
    --height_;
  }
}

}  // namespace millrace::ds
