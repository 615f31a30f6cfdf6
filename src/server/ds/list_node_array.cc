#include "server/ds/list_node_array.h"

#include <algorithm>
#include <cstring>

#include "server/ds/block.h"

namespace millrace::ds {

ListNodeArray::~ListNodeArray() {
  if (slots_ != nullptr) block_free(slots_, allocated_bytes());
}

void ListNodeArray::insert(std::size_t index, const ListNode& node) {
  const ListNode inserted = node;  // it may be one of ours
  const End end = index < size_ - index ? End::kFront : End::kBack;
  make_room(end);
  ListNode* const first = slots_ + begin_;
  if (end == End::kFront) {
    std::memmove(first - 1, first, index * sizeof(ListNode));
    --begin_;
  } else {
    std::memmove(first + index + 1, first + index, (size_ - index) * sizeof(ListNode));
  }
  ++size_;
  (*this)[index] = inserted;
}

void ListNodeArray::erase(std::size_t index, std::size_t count) {
  ListNode* const first = slots_ + begin_;
  const std::size_t behind = size_ - index - count;
  size_ -= count;
  if (index < behind) {
    std::memmove(first + count, first, index * sizeof(ListNode));
    begin_ += count;
  } else {
    std::memmove(first + index, first + index + count, behind * sizeof(ListNode));
  }
  if (capacity_ > kMinShrunkCapacity && size_ < capacity_ / 4) recentre(size_ * 2);
}

// One free slot at the given end. If the records drifted to this end, as those of a queue do, they
// are put back into the middle: at most once in a third of their number.
void ListNodeArray::make_room(End end) {
  const std::size_t room = end == End::kFront ? begin_ : capacity_ - begin_ - size_;
  if (room > 0) return;
  const bool drifted = capacity_ - size_ > size_ / 2 + 1;
  recentre(drifted ? capacity_ : std::max(kMinCapacity, size_ * 2));
}

void ListNodeArray::recentre(std::size_t new_capacity) {
  const std::size_t new_begin = (new_capacity - size_ + 1) / 2;
  if (new_capacity == capacity_) {
    std::memmove(slots_ + new_begin, slots_ + begin_, size_ * sizeof(ListNode));
    begin_ = new_begin;
    return;
  }
  auto* slots = static_cast<ListNode*>(block_allocate(new_capacity * sizeof(ListNode)));
  if (slots_ != nullptr) {
    std::memcpy(slots + new_begin, slots_ + begin_, size_ * sizeof(ListNode));
    block_free(slots_, allocated_bytes());
  }
  slots_ = slots;
  begin_ = new_begin;
  capacity_ = new_capacity;
}

}  // namespace millrace::ds
