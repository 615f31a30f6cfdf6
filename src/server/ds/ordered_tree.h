// OrderedTree: the members of a sorted set in order of (score, bytes), with ranks. An
// order-statistics B+ tree.
//
//                     ┌ inner ───────────────────────────┐
//                     │ first of child:  3 "a"   8 "k" … │      one entry per child: its first
//                     │ elements below:    41      57  … │      element and how many it holds
//                     └───────┬───────────────┬──────────┘
//                 ┌───────────┘               └──────────┐
//         ┌ leaf ─┴───────────────┐           ┌ leaf ────┴────────────┐
//         │ scores:   3   3   5 … │ <───────> │ scores:   8   9   9 … │    elements, in order
//         │ members: "a" "q" "b"… │           │ members: "k" "c" "d"… │
//         └───────────────────────┘           └───────────────────────┘
//
// Why not a skip list, which is what OBJECT ENCODING calls this. A skip list of a million elements
// takes some thirty steps to a place, and every step goes to another element, far away in memory:
// thirty cache misses, and twenty bytes of pointers and spans per element. Here one step decides
// between sixty ways within a few cache lines; three steps lead to the leaf, whose scores lie side
// by side. An element costs sixteen bytes at the given fill. The price is that an insertion shifts
// up to half a kilobyte within the leaf, which costs less than one cache miss.
//
// Invariants
//   1. All leaves are at the same depth; they are linked in order.
//   2. Elements ascend strictly: by score, then by the member's bytes.
//   3. Entry i of an inner node holds the first element below child i and the number of elements
//   there.
//   4. Every node has at least one entry; the root, if inner, at least two.
//   5. Every node but the first and the last of its level is filled to a quarter at least.
//   6. A leaf's copy of a score is the member's score.
//   7. An empty tree owns no heap.
//
// The exception in 5 is what makes both ends cheap. Elements that arrive in ascending order (times,
// for one) leave full nodes behind, not halves; and a set drained from one end, as a queue is,
// empties its first leaf without refilling it from the second.
//
// Costs for n elements. insert, erase, rank, at, bounds: O(log n), four node visits at a million.
// Changing a score: one search, if the element stays in its leaf. A step of an iterator: O(1).
// Erasing a range of k: O(k + log n). Memory: 16 bytes per element over the fill (0.69 for random,
// 1 for ascending insertions), and 3 % for inner nodes.
//
// The tree does not own members. It compares their bytes only where scores are equal, and never
// touches one that is being erased by rank. Iterators are good until the tree changes. No thread
// safety.
//
// Ideas: the B-tree (R. Bayer, E. McCreight, "Organization and Maintenance of Large Ordered
// Indexes", 1972), with all elements in linked leaves (D. Comer, "The Ubiquitous B-Tree", 1979);
// element counts in inner nodes as in S. Tatham's "Counted B-Trees" (2000).
//
//   OrderedTree tree;
//   tree.insert(ScoredMember::create("alice", 12));
//   for (auto it = tree.at(0); it; ++it) use(it.member()->text(), it.score());
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "server/ds/function_ref.h"
#include "server/ds/ordered_range.h"
#include "server/ds/ordered_tree_node.h"
#include "server/ds/scored_member.h"

namespace millrace::ds {

class OrderedTree {
  using Leaf = ordered_tree_node::Leaf;
  using Inner = ordered_tree_node::Inner;

 public:
  // A place in the order; false beyond either end.
  class Iterator {
   public:
    Iterator() = default;

    explicit operator bool() const { return leaf_ != nullptr; }
    double score() const { return leaf_->scores[index_]; }
    ScoredMember* member() const { return leaf_->members[index_]; }

    Iterator& operator++() {
      if (++index_ == leaf_->count) {
        leaf_ = leaf_->next;
        index_ = 0;
      }
      return *this;
    }
    Iterator& operator--() {
      if (index_ == 0) {
        leaf_ = leaf_->previous;
        index_ = leaf_ != nullptr ? leaf_->count : 1;
      }
      --index_;
      return *this;
    }

   private:
    friend class OrderedTree;
    Iterator(const Leaf* leaf, uint32_t index) : leaf_(leaf), index_(index) {}

    const Leaf* leaf_ = nullptr;
    uint32_t index_ = 0;
  };

  // Called with each member that was erased, when the tree no longer knows it: the callback may
  // free it. It must not change the tree.
  using OnErased = FunctionRef<void(ScoredMember*)>;

  OrderedTree() = default;
  ~OrderedTree() { clear(); }
  OrderedTree(OrderedTree&& other) noexcept { swap(other); }
  OrderedTree& operator=(OrderedTree&& other) noexcept {
    swap(other);
    return *this;
  }

  uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // The member must not be in the tree, nor one equal to it.
  void insert(ScoredMember* member);
  // The member must be in the tree.
  void erase(const ScoredMember* member);
  // Gives a member of the tree another score and its new place.
  void update_score(ScoredMember* member, double new_score);
  // Erases the elements of these ranks, in this order. The range must be within the tree.
  void erase_range(RankRange range, Direction direction, OnErased on_erased);

  // Fetches what an insertion with this score will touch into the cache, if the tree is too large
  // to be there. Pays when there is other work to do before the insertion.
  void prefetch_place(double score) const;

  // The rank of a member of the tree.
  uint64_t rank(const ScoredMember* member) const;
  // The element of a rank; rank < size().
  Iterator at(uint64_t rank) const;

  RankRange ranks(const ScoreRange& range) const;
  // Meaningful only if all scores are equal.
  RankRange ranks(const LexRange& range) const;

  // Frees all nodes, no member.
  void clear();

  // Heap behind this object: the nodes, not the members.
  size_t memory_bytes() const { return leaf_count_ * sizeof(Leaf) + inner_count_ * sizeof(Inner); }

  // Aborts unless the invariants hold.
  void check() const;

 private:
  // Quarter full nodes multiply by 15 from level to level: 15^16 is beyond any memory.
  static constexpr int kMaxHeight = 16;

  // One turn on the way down: child `index` of `node`.
  struct Way {
    Inner* node;
    uint32_t index;
  };
  // The way from the root to a place in a leaf: height_ turns, level 0 being the root's.
  struct Path {
    Way ways[kMaxHeight];
    Leaf* leaf;
    uint32_t index;
  };

  void swap(OrderedTree& other) noexcept;

  template <typename Search>
  void descend(const Search& search, Path* path) const;
  void descend_to_member(const ScoredMember* member, Path* path) const;
  void descend_to_rank(uint64_t rank, Path* path) const;
  uint64_t rank_of(const Path& path) const;
  template <typename Search>
  uint64_t rank_of_point(const Search& search) const;

  Leaf* new_leaf();
  Inner* new_inner();
  void free_node(Leaf* leaf);
  void free_node(Inner* inner);
  void free_subtree(void* node, int height);

  void add_to_sizes(const Path& path, int64_t difference);
  template <typename Node>
  void refresh_first(const Path& path, int level, const Node& node);
  bool is_first(const Path& path, int level) const;
  bool is_last(const Path& path, int level) const;

  void insert_into_empty(ScoredMember* member);
  void insert_into_full_leaf(const Path& path, ScoredMember* member);
  Leaf* split(Leaf* leaf, uint32_t at);
  Inner* split(Inner* inner, uint32_t at);
  template <typename Node>
  void add_sibling(const Path& path, int level, Node* sibling);
  Way add_root();

  bool move_within_leaf(const Path& path, ScoredMember* member, double new_score);

  void erase_run(const Path& path, uint32_t count);
  void repair(const Path& path);
  template <typename Node>
  bool repair_child(const Path& path, int level);
  template <typename Node>
  void remove_child(const Path& path, int level);
  template <typename Node>
  void merge_children(Inner* parent, uint32_t left);
  void drop_roots_of_one();

  struct Census;
  // Whether a node is the first, or the last, of its level.
  struct Edges {
    bool first;
    bool last;
  };
  void check_node(const void* node, int height, Edges edges, Census* census) const;
  void check_inner(const Inner& inner, int height, Edges edges, Census* census) const;
  void check_leaf(const Leaf& leaf, Census* census) const;

  void* root_ = nullptr;  // a Leaf if height_ is 0
  int height_ = 0;        // levels of inner nodes
  uint64_t size_ = 0;
  uint64_t leaf_count_ = 0;
  uint64_t inner_count_ = 0;
};

}  // namespace millrace::ds
