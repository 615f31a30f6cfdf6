// IdMap: from StreamId to a pointer, in order. A B+ tree that expects its keys in ascending order,
// because time goes that way. It is the index over a stream's blocks and the list of what a
// consumer, or a group, has not yet acknowledged.
//
//                 ┌ inner ──────────────────────────┐
//                 │ keys:     —    60-0   124-0 …   │     keys[i]: not above any key below child i;
//                 │ slots:    │      │      │       │     keys[0] is not looked at
//                 └───────────┼──────┼──────┼───────┘
//               ┌─────────────┘      │      └───────────┐
//        ┌ leaf ┴────────┐    ┌ leaf ┴────────┐    ┌ leaf ┴───┐
//        │ 1-0  1-1  2-0 │<──>│ 60-0  60-5  … │<──>│ 124-0    │     keys, ascending, and beside
//        each │  │    │    │  │    │  │     │       │    │  │       │     its pointer
//        └───────────────┘    └───────────────┘    └──────────┘
//
// Inner nodes and leaves are one kind of node. A map of a few keys is one leaf of just their size,
// since a stream may have thousands of consumers that each wait for one acknowledgement.
//
// Invariants
//   1. Keys ascend strictly along the chain of leaves.
//   2. All leaves are at the same depth, linked in order in both directions.
//   3. In an inner node every key below child i is at or above keys[i] (i > 0) and below keys[i+1].
//   4. Every node has at least one entry, an inner root two. An empty map has no node.
//   5. Only a root leaf has less room than kFanout.
//   6. size_ counts the keys of all leaves, nodes_ the nodes and heap_bytes_ their bytes.
//
// There is no rule of a least fill but this: a node below a quarter is joined with a neighbour
// where the two fill three quarters at most. So ascending keys leave full nodes behind, and a queue
// that is drained from its front refills nothing.
//
// Costs for n keys: everything O(log n), three nodes at a million; append touches the last leaf and
// its ancestors' ends only, a step of a cursor is O(1). 24 bytes a key over the fill, which is 1
// for ascending keys.
//
// The map does not own what its pointers point to. Cursors are good until the map changes; what
// slot() refers to as well. No thread safety.
//
// Idea: the B+ tree (R. Bayer, E. McCreight, 1972; D. Comer, 1979); splitting at the end of an
// ascending load rather than in the middle is folklore of database indexes.
//
//   IdMap<Pending> pending;
//   pending.insert({5, 0}, entry);
//   for (auto at = pending.lower_bound({3, 0}); at; ++at) use(at.id(), at.value());
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "ae/base/assert.h"
#include "server/ds/stream_id.h"

namespace millrace::ds {

class IdTree {
 public:
  struct Node;

  class Cursor {
   public:
    Cursor() = default;
    explicit operator bool() const { return leaf_ != nullptr; }
    StreamId id() const;
    void*& slot() const;
    Cursor& operator++();
    Cursor& operator--();

   private:
    friend class IdTree;
    Cursor(Node* leaf, uint32_t index) : leaf_(leaf), index_(index) {}

    Node* leaf_ = nullptr;
    uint32_t index_ = 0;
  };

  IdTree() = default;
  ~IdTree() { clear(); }
  IdTree(IdTree&& other) noexcept { swap(other); }
  IdTree& operator=(IdTree&& other) noexcept {
    swap(other);
    return *this;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  size_t node_count() const { return nodes_; }
  size_t heap_bytes() const { return heap_bytes_; }

  Cursor first() const;
  Cursor last() const;
  Cursor find(StreamId id) const;
  // The first key that is not below `id`; the last one that is not above it.
  Cursor lower_bound(StreamId id) const;
  Cursor at_or_before(StreamId id) const;

  // False, and nothing changed: the key is there.
  bool insert(StreamId id, void* value);
  // False: there is no such key.
  bool erase(StreamId id);
  // Forgets everything.
  void clear();

  // Aborts unless the invariants hold.
  void check() const;

  struct Node {
    static Node* create(uint32_t capacity, bool leaf);
    static void destroy(Node* node);
    static size_t bytes_for(uint32_t capacity) {
      return sizeof(Node) + capacity * (sizeof(StreamId) + sizeof(void*));
    }

    StreamId* keys() { return reinterpret_cast<StreamId*>(this + 1); }
    void** slots() { return reinterpret_cast<void**>(keys() + capacity); }
    Node* child(uint32_t index) { return static_cast<Node*>(slots()[index]); }
    bool full() const { return count == capacity; }

    // The first key of the leaf that is not below `id`.
    uint32_t lower_bound(StreamId id);
    // The child of the inner node whose keys `id` belongs to.
    uint32_t child_for(StreamId id);
    void insert(uint32_t index, StreamId id, void* value);
    void erase(uint32_t index);
    // Moves the entries from `index` on to the end of another node.
    void move_to(Node* other, uint32_t index);

    Node* previous;
    Node* next;
    uint16_t count;
    uint16_t capacity;
    bool leaf;
  };

 private:
  // Makes a node 1536 bytes, one of jemalloc's sizes.
  static constexpr uint32_t kFanout = 63;
  static constexpr uint32_t kFirstCapacity = 2;
  static constexpr uint32_t kLeast = kFanout / 4;
  static constexpr uint32_t kMostJoined = kFanout / 4 * 3;
  // 2^64 keys at two entries a node would be deeper; no memory holds them at the fill there is.
  static constexpr uint32_t kMaxDepth = 40;

  struct Step {
    Node* node;
    uint32_t index;
  };
  // From the root to a leaf.
  struct Path {
    Step steps[kMaxDepth];
    uint32_t depth = 0;
    Step& leaf() { return steps[depth - 1]; }
  };

  void swap(IdTree& other) noexcept {
    std::swap(root_, other.root_);
    std::swap(first_, other.first_);
    std::swap(last_, other.last_);
    std::swap(size_, other.size_);
    std::swap(nodes_, other.nodes_);
    std::swap(heap_bytes_, other.heap_bytes_);
  }

  Node* new_node(uint32_t capacity, bool leaf);
  void free_node(Node* node);
  void free_below(Node* node);
  Path path_to(StreamId id) const;
  void grow_root_leaf();
  void insert_along(Path& path, StreamId id, void* value);
  Node* split(Node* node, uint32_t cut);
  void add_root(Node* fresh, StreamId key);
  void rebalance(Path& path);
  bool join_neighbour(Node* parent, uint32_t index);
  void drop(Node* parent, uint32_t index);
  void shrink_root();
  size_t check_below(const Node* node, StreamId low, StreamId high, uint32_t depth) const;
  uint32_t depth() const;

  Node* root_ = nullptr;
  Node* first_ = nullptr;
  Node* last_ = nullptr;
  size_t size_ = 0;
  size_t nodes_ = 0;
  size_t heap_bytes_ = 0;
};

inline StreamId IdTree::Cursor::id() const {
  return leaf_->keys()[index_];
}

inline void*& IdTree::Cursor::slot() const {
  return leaf_->slots()[index_];
}

inline IdTree::Cursor& IdTree::Cursor::operator++() {
  if (++index_ == leaf_->count) *this = {leaf_->next, 0};
  return *this;
}

inline IdTree::Cursor& IdTree::Cursor::operator--() {
  if (index_ != 0) {
    --index_;
  } else {
    leaf_ = leaf_->previous;
    index_ = leaf_ != nullptr ? leaf_->count - 1U : 0;
  }
  return *this;
}

// The same with a type.
template <class T>
class IdMap {
 public:
  class Cursor {
   public:
    Cursor() = default;
    explicit Cursor(IdTree::Cursor at) : at_(at) {}
    explicit operator bool() const { return static_cast<bool>(at_); }
    StreamId id() const { return at_.id(); }
    T* value() const { return static_cast<T*>(at_.slot()); }
    void set_value(T* value) { at_.slot() = value; }
    Cursor& operator++() {
      ++at_;
      return *this;
    }
    Cursor& operator--() {
      --at_;
      return *this;
    }

   private:
    IdTree::Cursor at_;
  };

  size_t size() const { return tree_.size(); }
  bool empty() const { return tree_.empty(); }
  size_t node_count() const { return tree_.node_count(); }
  size_t heap_bytes() const { return tree_.heap_bytes(); }

  Cursor first() const { return Cursor(tree_.first()); }
  Cursor last() const { return Cursor(tree_.last()); }
  Cursor find(StreamId id) const { return Cursor(tree_.find(id)); }
  Cursor lower_bound(StreamId id) const { return Cursor(tree_.lower_bound(id)); }
  Cursor at_or_before(StreamId id) const { return Cursor(tree_.at_or_before(id)); }

  bool insert(StreamId id, T* value) { return tree_.insert(id, value); }
  bool erase(StreamId id) { return tree_.erase(id); }
  void clear() { tree_.clear(); }
  void check() const { tree_.check(); }

 private:
  IdTree tree_;
};

}  // namespace millrace::ds
