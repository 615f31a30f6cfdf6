// ListChain: the elements of a long list, spread over nodes. What QuickList (see there) is made of
// once a list is more than a kilobyte.
//
//     nodes_:   | ListNode | ListNode | ListNode | ... |       in order, 24 bytes each
//                    |          |          |
//                    v          v          v
//                listpack     large     listpack               a block each
//                 of many    element     of many
//
// Invariants
//   1. No node is empty; size_ is the sum of the counts.
//   2. A packed node stays within the limit it was filled under; alone in a list that is still
//      called a listpack, and loaded from outside, it may be larger. A large element
//      (ListLimit::is_large) has a plain node.
//   3. After a split or a removal in the middle, the changed node and its neighbour on either side
//      do not fit into one node that is three quarters full (ListLimit::merges): so inner nodes are
//      on average at least three eighths full. (Redis merges after insertions only, and a list
//      thinned out by LREM stays thin.)
//   4. A node that the list grows beyond is trimmed to its size class, so only the nodes at the two
//      ends, and nodes that were changed in the middle, have free room to speak of.
//
// Costs. Push and pop at either end: O(1) amortized. Finding an index: O(nodes to the nearer end),
// and half a node of at most 8 KiB. Insert, erase, replace at a position: O(bytes of a node + nodes
// to the nearer end).
//
// A ListPosition is (node, offset); it is plain data, and a change invalidates every position but
// the ones the operation returns or says to keep.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/ds/direction.h"
#include "server/ds/list_limit.h"
#include "server/ds/list_node.h"
#include "server/ds/list_node_array.h"

namespace millrace::ds {

// Where an element stands in a list; false: nowhere.
struct ListPosition {
  std::uint32_t node = 0;
  Cursor cursor;

  explicit operator bool() const { return static_cast<bool>(cursor); }
  friend bool operator==(const ListPosition&, const ListPosition&) = default;
};

enum class Side : std::uint8_t { kBefore, kAfter };

class ListChain {
 public:
  ListChain() = default;
  ~ListChain();
  ListChain(const ListChain&) = delete;
  ListChain& operator=(const ListChain&) = delete;

  std::size_t size() const { return size_; }
  std::size_t node_count() const { return nodes_.size(); }
  const ListNode& node(std::size_t index) const { return nodes_[index]; }
  std::size_t allocated_bytes() const;

  // The limit that later splits and merges go by.
  const ListLimit& limit() const { return limit_; }
  void set_limit(const ListLimit& limit) { limit_ = limit; }

  // ---- whole nodes

  // Takes over the block.
  void append_node(const ListNode& node);
  // The only node, packed, as a listpack; the chain is empty then.
  Listpack take_only_node();
  // Frees up to `nodes` nodes from the back. Returns whether none is left.
  bool free_some(std::size_t nodes);
  // Replaces this (empty) chain's content.
  void copy_from(const ListChain& source);

  // ---- the ends

  // By the limit: into the end node, or into a new one.
  void push(End end, std::string_view value) {
    if (!limit_.is_large(value.size()) && !nodes_.empty()) {
      ListNode& node = end_node(end);
      if (node.plain == 0 && limit_.takes(node.bytes, node.count, value.size())) {
        node.push(end, value);
        ++size_;
        return;
      }
    }
    push_node(end, value);
  }
  // Into the only node, whatever the limit says.
  void push_into_only_node(End end, std::string_view value) { push_into(0, end, value); }
  void pop(End end) {
    ListNode& node = end_node(end);
    if (node.count == 1) return drop_node(end);
    node.pop(end);
    --size_;
  }

  // ---- in the middle

  // By the limit; may split and merge: no position survives.
  void insert(const ListPosition& at, Side side, std::string_view value);
  void replace(const ListPosition& at, std::string_view value);
  // Within the node, whatever the limit says.
  void insert_into_node(const ListPosition& at, Side side, std::string_view value);
  void replace_in_node(const ListPosition& at, std::string_view value);
  // Returns the element that follows in the given direction, or none.
  ListPosition erase(const ListPosition& at, Direction direction);
  // Removes `count` elements from `at` on; there are as many.
  void erase_range(const ListPosition& at, std::size_t index_in_node, std::size_t count);

  bool check() const;

 private:
  ListNode& end_node(End end) { return end == End::kFront ? nodes_.front() : nodes_.back(); }
  ListNode new_node(std::string_view value, End growing) const;
  void push_node(End end, std::string_view value);
  void drop_node(End end);
  void drop_nodes(std::size_t first, std::size_t count);

  bool takes(std::size_t index, std::string_view value) const;
  void push_into(std::size_t index, End end, std::string_view value);
  void insert_node(std::size_t index, std::string_view value);
  void split(std::size_t index, Cursor at);
  bool merges(std::size_t left) const;
  void merge_with_next(std::size_t left, ListPosition* keep);
  void merge_between(std::size_t first, std::size_t last, ListPosition* keep);

  ListNodeArray nodes_;
  std::size_t size_ = 0;
  ListLimit limit_;
};

}  // namespace millrace::ds
