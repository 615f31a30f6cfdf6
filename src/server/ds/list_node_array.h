// ListNodeArray: the nodes of a long list, in order, as one array of 24-byte records with free
// slots at both ends.
//
// Redis links its nodes. An array is smaller (no links, no allocation per node) and, above all,
// quicker to walk: to find an index, one adds up the counts of neighbouring records, two and a half
// of them to a cache line, where a list misses the cache once per node. What an array makes dearer
// is a node in the middle, 24 bytes to move for every node on the shorter side; but to get there
// one walked past these nodes anyway.
//
//     slots_                 begin_                        begin_ + size_            capacity_
//     |       free           | node | node | ... | node    |         free            |
//
// Invariants
//   1. begin_ + size_ <= capacity_; slots_ is null when capacity_ is 0.
//   2. Beyond 64 slots at least a quarter are in use (after an erase).
//
// Costs. Insert and erase: O(distance to the nearer end); at the ends O(1) amortized. Growth copies
// the records: at the default node size 3 KB of records stand for a megabyte of list. (With one
// element per node, list-max-listpack-size 1, a list of ten million copies 240 MB when it grows.
// Nobody is helped by that setting.)
#pragma once

#include <cstddef>

#include "server/ds/list_node.h"

namespace millrace::ds {

class ListNodeArray {
 public:
  ListNodeArray() = default;
  // Frees the records, not the blocks of the nodes.
  ~ListNodeArray();
  ListNodeArray(const ListNodeArray&) = delete;
  ListNodeArray& operator=(const ListNodeArray&) = delete;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  ListNode& operator[](std::size_t index) { return slots_[begin_ + index]; }
  const ListNode& operator[](std::size_t index) const { return slots_[begin_ + index]; }
  ListNode& front() { return slots_[begin_]; }
  ListNode& back() { return slots_[begin_ + size_ - 1]; }

  // index <= size().
  void insert(std::size_t index, const ListNode& node);
  // The blocks of the erased nodes are the caller's to free, before.
  void erase(std::size_t index, std::size_t count = 1);

  std::size_t allocated_bytes() const { return capacity_ * sizeof(ListNode); }

 private:
  static constexpr std::size_t kMinCapacity = 4;
  // 1.5 KB of records are not worth giving back.
  static constexpr std::size_t kMinShrunkCapacity = 64;

  void recentre(std::size_t new_capacity);
  void make_room(End end);

  ListNode* slots_ = nullptr;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace millrace::ds
