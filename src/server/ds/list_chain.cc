#include "server/ds/list_chain.h"

#include <algorithm>

#include "ae/base/assert.h"

namespace millrace::ds {
namespace {

// What a new end node starts with; it grows as it fills.
constexpr std::size_t kNewNodeBytes = 2048;

}  // namespace

ListChain::~ListChain() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) nodes_[i].free_block();
}

std::size_t ListChain::allocated_bytes() const {
  std::size_t bytes = nodes_.allocated_bytes();
  for (std::size_t i = 0; i < nodes_.size(); ++i) bytes += nodes_[i].capacity;
  return bytes;
}

// ---- whole nodes

void ListChain::append_node(const ListNode& node) {
  nodes_.insert(nodes_.size(), node);
  size_ += node.count;
}

Listpack ListChain::take_only_node() {
  AE_ASSERT(nodes_.size() == 1);
  ListNode node = nodes_.front();
  nodes_.erase(0);
  size_ = 0;
  return node.into_listpack();
}

bool ListChain::free_some(std::size_t nodes) {
  const std::size_t count = std::min(nodes, nodes_.size());
  drop_nodes(nodes_.size() - count, count);
  return nodes_.empty();
}

void ListChain::copy_from(const ListChain& source) {
  AE_ASSERT(nodes_.empty());
  limit_ = source.limit_;
  for (std::size_t i = 0; i < source.nodes_.size(); ++i) {
    append_node(ListNode::copy_of(source.nodes_[i]));
  }
}

void ListChain::drop_nodes(std::size_t first, std::size_t count) {
  for (std::size_t i = first; i < first + count; ++i) {
    size_ -= nodes_[i].count;
    nodes_[i].free_block();
  }
  nodes_.erase(first, count);
}

// ---- the ends

ListNode ListChain::new_node(std::string_view value, End growing) const {
  if (limit_.is_large(value.size())) return ListNode::make_plain(value);
  const EncodedEntry entry(value);
  const std::size_t entries = std::size_t{entry.entry_size()} * limit_.max_count();
  const std::size_t least = ListNode::kEmptyBytes + std::size_t{entry.entry_size()};
  const std::size_t most = std::min<std::size_t>(kNewNodeBytes, limit_.max_bytes());
  ListNode node = ListNode::make_packed(
      std::max(least, std::min(most, ListNode::kEmptyBytes + entries)), growing);
  node.push(growing, entry);
  return node;
}

void ListChain::push_node(End end, std::string_view value) {
  if (!nodes_.empty()) end_node(end).trim();
  nodes_.insert(end == End::kFront ? 0 : nodes_.size(), new_node(value, end));
  ++size_;
}

void ListChain::drop_node(End end) {
  drop_nodes(end == End::kFront ? 0 : nodes_.size() - 1, 1);
}

// ---- insertion

bool ListChain::takes(std::size_t index, std::string_view value) const {
  const ListNode& node = nodes_[index];
  return node.plain == 0 && limit_.takes(node.bytes, node.count, value.size());
}

void ListChain::insert_node(std::size_t index, std::string_view value) {
  ListNode node = new_node(value, End::kBack);
  node.trim();
  nodes_.insert(index, node);
  ++size_;
}

// Tries, in this order: the node itself; at its edge, the neighbour, then a node of its own; else
// splits the node, after which the place is at an edge.
void ListChain::insert(const ListPosition& at, Side side, std::string_view value) {
  const std::size_t index = at.node;
  const bool large = limit_.is_large(value.size());
  if (!large && takes(index, value)) return insert_into_node(at, side, value);
  ListNode& node = nodes_[index];
  const Cursor before = side == Side::kBefore ? at.cursor : node.next(at.cursor);
  if (before == node.first()) {
    if (!large && index > 0 && takes(index - 1, value))
      return push_into(index - 1, End::kBack, value);
    return insert_node(index, value);
  }
  if (!before) {
    const bool next_takes = !large && index + 1 < nodes_.size() && takes(index + 1, value);
    if (next_takes) return push_into(index + 1, End::kFront, value);
    return insert_node(index + 1, value);
  }
  split(index, before);
  insert({at.node, nodes_[index].last()}, Side::kAfter, value);
  merge_between(index == 0 ? 0 : index - 1, index + 3, nullptr);
}

void ListChain::push_into(std::size_t index, End end, std::string_view value) {
  nodes_[index].push(end, value);
  ++size_;
}

void ListChain::insert_into_node(const ListPosition& at, Side side, std::string_view value) {
  ListNode& node = nodes_[at.node];
  const Cursor before = side == Side::kBefore ? at.cursor : node.next(at.cursor);
  if (before) {
    node.insert_before(before, value);
  } else {
    node.push(End::kBack, value);
  }
  ++size_;
}

void ListChain::split(std::size_t index, Cursor at) {
  ListNode& node = nodes_[index];
  std::uint32_t elements = 0;
  for (Cursor cursor = at; cursor; cursor = node.next(cursor)) ++elements;
  const ListNode tail = node.split_off(at, elements);
  node.trim();
  nodes_.insert(index + 1, tail);
}

// ---- replacing

void ListChain::replace(const ListPosition& at, std::string_view value) {
  ListNode& node = nodes_[at.node];
  const bool large = limit_.is_large(value.size());
  if (node.count == 1) {
    const ListNode replaced = node;
    node = new_node(value, End::kBack);
    node.trim();
    replaced.free_block();
    return;
  }
  if (!large && limit_.takes(node.bytes, node.count - 1, value.size())) {
    return replace_in_node(at, value);
  }
  // The old one must go first: the node may be split where it stands.
  const Cursor previous = node.previous(at.cursor);
  node.erase(at.cursor, 1);
  --size_;
  if (previous) return insert({at.node, previous}, Side::kAfter, value);
  insert({at.node, node.first()}, Side::kBefore, value);
}

void ListChain::replace_in_node(const ListPosition& at, std::string_view value) {
  nodes_[at.node].replace(at.cursor, value);
}

// ---- removal

ListPosition ListChain::erase(const ListPosition& at, Direction direction) {
  const std::uint32_t index = at.node;
  ListNode& node = nodes_[index];
  const bool forward = direction == Direction::kForward;
  ListPosition next = at;
  if (!forward) next.cursor = node.previous(at.cursor);
  if (node.count == 1) {
    drop_nodes(index, 1);
    next.cursor = {};
    if (forward && index < nodes_.size()) next.cursor = nodes_[index].first();
  } else {
    const bool was_last = !node.next(at.cursor);
    node.erase(at.cursor, 1);
    --size_;
    if (forward && was_last) {
      next.node = index + 1;
      next.cursor = next.node < nodes_.size() ? nodes_[next.node].first() : Cursor{};
    }
  }
  if (!forward && !next.cursor && index > 0) next = {index - 1, nodes_[index - 1].last()};
  merge_between(index == 0 ? 0 : index - 1, index + 1, &next);
  return next;
}

void ListChain::erase_range(const ListPosition& at, std::size_t index_in_node, std::size_t count) {
  std::size_t index = at.node;
  if (index_in_node != 0) {
    ListNode& node = nodes_[index];
    const std::size_t here = std::min(count, node.count - index_in_node);
    node.erase(at.cursor, static_cast<std::uint32_t>(here));
    size_ -= here;
    count -= here;
    ++index;
  }
  std::size_t whole = index;
  for (; whole < nodes_.size() && nodes_[whole].count <= count; ++whole)
    count -= nodes_[whole].count;
  drop_nodes(index, whole - index);
  if (count != 0) {
    ListNode& node = nodes_[index];
    node.erase(node.first(), static_cast<std::uint32_t>(count));
    size_ -= count;
  }
  merge_between(index < 2 ? 0 : index - 2, index + 1, nullptr);
}

// ---- merging

bool ListChain::merges(std::size_t left) const {
  if (left + 1 >= nodes_.size()) return false;
  const ListNode& a = nodes_[left];
  const ListNode& b = nodes_[left + 1];
  if (a.plain != 0 || b.plain != 0) return false;
  return limit_.merges(std::size_t{a.bytes} + b.bytes, std::size_t{a.count} + b.count);
}

void ListChain::merge_with_next(std::size_t left, ListPosition* keep) {
  const std::uint32_t shift = nodes_[left].append_all(nodes_[left + 1]);
  nodes_[left + 1].free_block();
  nodes_.erase(left + 1);
  if (keep == nullptr || !*keep || keep->node <= left) return;
  if (keep->node == left + 1) keep->cursor.offset += shift;
  --keep->node;
}

// Merges what fits among the nodes first .. last; `keep` goes on naming its element.
void ListChain::merge_between(std::size_t first, std::size_t last, ListPosition* keep) {
  for (std::size_t left = std::min(last, nodes_.size()); left-- > first;) {
    if (merges(left)) merge_with_next(left, keep);
  }
}

bool ListChain::check() const {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i].check()) return false;
    sum += nodes_[i].count;
  }
  return sum == size_;
}

}  // namespace millrace::ds
