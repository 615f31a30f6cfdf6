#include "server/ds/id_map.h"

#include <algorithm>
#include <cstring>

#include "server/ds/block.h"

namespace millrace::ds {

using Node = IdTree::Node;

// --- one node

Node* Node::create(uint32_t capacity, bool leaf) {
  auto* node = static_cast<Node*>(block_allocate(bytes_for(capacity)));
  *node = {nullptr, nullptr, 0, static_cast<uint16_t>(capacity), leaf};
  return node;
}

void Node::destroy(Node* node) {
  block_free(node, bytes_for(node->capacity));
}

uint32_t Node::lower_bound(StreamId id) {
  return static_cast<uint32_t>(std::lower_bound(keys(), keys() + count, id) - keys());
}

uint32_t Node::child_for(StreamId id) {
  return static_cast<uint32_t>(std::upper_bound(keys() + 1, keys() + count, id) - keys()) - 1;
}

void Node::insert(uint32_t index, StreamId id, void* value) {
  AE_DCHECK(count < capacity && index <= count);
  std::memmove(keys() + index + 1, keys() + index, (count - index) * sizeof(StreamId));
  std::memmove(slots() + index + 1, slots() + index, (count - index) * sizeof(void*));
  keys()[index] = id;
  slots()[index] = value;
  ++count;
}

void Node::erase(uint32_t index) {
  const uint32_t behind = count - index - 1U;
  std::memmove(keys() + index, keys() + index + 1, behind * sizeof(StreamId));
  std::memmove(slots() + index, slots() + index + 1, behind * sizeof(void*));
  --count;
}

void Node::move_to(Node* other, uint32_t index) {
  const uint32_t moved = count - index;
  AE_DCHECK(other->count + moved <= other->capacity);
  std::memcpy(other->keys() + other->count, keys() + index, moved * sizeof(StreamId));
  std::memcpy(other->slots() + other->count, slots() + index, moved * sizeof(void*));
  other->count = static_cast<uint16_t>(other->count + moved);
  count = static_cast<uint16_t>(index);
}

Node* IdTree::new_node(uint32_t capacity, bool leaf) {
  ++nodes_;
  heap_bytes_ += Node::bytes_for(capacity);
  return Node::create(capacity, leaf);
}

void IdTree::free_node(Node* node) {
  --nodes_;
  heap_bytes_ -= Node::bytes_for(node->capacity);
  Node::destroy(node);
}

// --- finding

IdTree::Cursor IdTree::first() const {
  return {first_, 0};
}

IdTree::Cursor IdTree::last() const {
  return {last_, last_ != nullptr ? last_->count - 1U : 0};
}

IdTree::Path IdTree::path_to(StreamId id) const {
  Path path;
  for (Node* node = root_;; node = node->child(path.leaf().index)) {
    AE_ASSERT(path.depth < kMaxDepth);
    path.steps[path.depth++] = {node, node->leaf ? node->lower_bound(id) : node->child_for(id)};
    if (node->leaf) return path;
  }
}

IdTree::Cursor IdTree::lower_bound(StreamId id) const {
  if (root_ == nullptr) return {};
  Node* node = root_;
  while (!node->leaf) node = node->child(node->child_for(id));
  const uint32_t index = node->lower_bound(id);
  return index < node->count ? Cursor{node, index} : Cursor{node->next, 0};
}

IdTree::Cursor IdTree::find(StreamId id) const {
  const Cursor at = lower_bound(id);
  return at && at.id() == id ? at : Cursor();
}

IdTree::Cursor IdTree::at_or_before(StreamId id) const {
  Cursor at = lower_bound(id);
  if (!at) return last();
  return at.id() == id ? at : --at;
}

// --- inserting

bool IdTree::insert(StreamId id, void* value) {
  if (root_ == nullptr) root_ = first_ = last_ = new_node(kFirstCapacity, true);
  if (root_->leaf && root_->full() && root_->capacity < kFanout) grow_root_leaf();
  Path path = path_to(id);
  const auto [leaf, index] = path.leaf();
  if (index < leaf->count && leaf->keys()[index] == id) return false;
  insert_along(path, id, value);
  ++size_;
  return true;
}

// The key goes into the leaf; where a node is full it is split and the new half goes into the node
// above.
void IdTree::insert_along(Path& path, StreamId id, void* value) {
  const bool appends = path.leaf().node == last_ && path.leaf().index == last_->count;
  uint32_t index = path.leaf().index;
  for (uint32_t level = path.depth; level-- > 0;) {
    Node* const node = path.steps[level].node;
    if (level + 1 != path.depth) index = path.steps[level].index + 1;
    if (!node->full()) return node->insert(index, id, value);
    Node* const fresh = split(node, appends ? node->count : node->count / 2);
    const bool in_fresh = appends || index > node->count;
    in_fresh ? fresh->insert(index - node->count, id, value) : node->insert(index, id, value);
    id = fresh->keys()[0];
    value = fresh;
  }
  add_root(static_cast<Node*>(value), id);
}

void IdTree::grow_root_leaf() {
  Node* const larger = new_node(std::min(2U * root_->capacity, kFanout), true);
  root_->move_to(larger, 0);
  free_node(root_);
  root_ = first_ = last_ = larger;
}

// Cuts off the entries from `cut` on as a node of their own, its neighbour on the right.
Node* IdTree::split(Node* node, uint32_t cut) {
  Node* const fresh = new_node(kFanout, node->leaf);
  node->move_to(fresh, cut);
  if (!node->leaf) return fresh;
  fresh->previous = node;
  fresh->next = node->next;
  (node->next != nullptr ? node->next->previous : last_) = fresh;
  node->next = fresh;
  return fresh;
}

void IdTree::add_root(Node* fresh, StreamId key) {
  Node* const root = new_node(kFanout, false);
  root->insert(0, {}, root_);
  root->insert(1, key, fresh);
  root_ = root;
}

// --- erasing

bool IdTree::erase(StreamId id) {
  if (root_ == nullptr) return false;
  Path path = path_to(id);
  const auto [leaf, index] = path.leaf();
  if (index == leaf->count || leaf->keys()[index] != id) return false;
  leaf->erase(index);
  --size_;
  rebalance(path);
  return true;
}

// From the leaf upwards as long as a node has to go.
void IdTree::rebalance(Path& path) {
  for (uint32_t level = path.depth - 1; level > 0; --level) {
    const Node* const node = path.steps[level].node;
    const auto [parent, index] = path.steps[level - 1];
    if (node->count == 0) {
      drop(parent, index);
    } else if (node->count >= kLeast || !join_neighbour(parent, index)) {
      break;
    }
  }
  shrink_root();
}

// Makes the child and one beside it one, if they fit well; false: nothing changed.
bool IdTree::join_neighbour(Node* parent, uint32_t index) {
  const auto fits = [&](uint32_t left) {
    return parent->child(left)->count + parent->child(left + 1)->count <= int(kMostJoined);
  };
  const bool with_next = index + 1U < parent->count && fits(index);
  if (!with_next && (index == 0 || !fits(index - 1))) return false;
  const uint32_t left = with_next ? index : index - 1;
  Node* const right = parent->child(left + 1);
  // Below, the first key was not looked at; here it is.
  if (!right->leaf) right->keys()[0] = parent->keys()[left + 1];
  right->move_to(parent->child(left), 0);
  drop(parent, left + 1);
  return true;
}

// Frees an empty child.
void IdTree::drop(Node* parent, uint32_t index) {
  Node* const node = parent->child(index);
  if (node->leaf) {
    (node->previous != nullptr ? node->previous->next : first_) = node->next;
    (node->next != nullptr ? node->next->previous : last_) = node->previous;
  }
  parent->erase(index);
  free_node(node);
}

void IdTree::shrink_root() {
  while (!root_->leaf && root_->count == 1) {
    Node* const child = root_->child(0);
    free_node(root_);
    root_ = child;
  }
  if (root_->count != 0) return;
  free_node(root_);
  root_ = first_ = last_ = nullptr;
}

void IdTree::clear() {
  if (root_ != nullptr) free_below(root_);
  root_ = first_ = last_ = nullptr;
  size_ = 0;
}

void IdTree::free_below(Node* node) {
  for (uint32_t i = 0; !node->leaf && i < node->count; ++i) free_below(node->child(i));
  free_node(node);
}

// --- checking

uint32_t IdTree::depth() const {
  uint32_t levels = 0;
  for (Node* node = root_; node != nullptr; node = node->leaf ? nullptr : node->child(0)) ++levels;
  return levels;
}

// Every key below is within [low, high]; returns how many keys there are.
size_t IdTree::check_below(const Node* constant, StreamId low, StreamId high,
                           uint32_t depth) const {
  Node* const node = const_cast<Node*>(constant);
  AE_ASSERT(node->count > 0 && node->count <= node->capacity && node->leaf == (depth == 1));
  AE_ASSERT(node->capacity == kFanout || (node == root_ && node->leaf));
  if (node->leaf) {
    AE_ASSERT(low <= node->keys()[0] && node->keys()[node->count - 1] <= high);
    return node->count;
  }
  size_t keys = 0;
  for (uint32_t i = 0; i < node->count; ++i) {
    const StreamId from = i == 0 ? low : node->keys()[i];
    const bool is_last = i + 1U == node->count;
    AE_ASSERT(from >= low && (is_last || node->keys()[i + 1].previous().has_value()));
    keys += check_below(node->child(i), from, is_last ? high : *node->keys()[i + 1].previous(),
                        depth - 1);
  }
  return keys;
}

void IdTree::check() const {
  if (root_ == nullptr) {
    AE_ASSERT(size_ == 0 && nodes_ == 0 && heap_bytes_ == 0 && !first_ && !last_);
    return;
  }
  AE_ASSERT(root_->leaf || root_->count > 1);
  AE_ASSERT(check_below(root_, {}, StreamId::max(), depth()) == size_);
  size_t keys = 0;
  const Node* before = nullptr;
  for (Cursor at = first(); at; ++at, ++keys) {
    if (at.leaf_ != before) AE_ASSERT(at.leaf_->previous == before);
    before = at.leaf_;
    const Cursor next = ++Cursor(at);
    AE_ASSERT(!next || at.id() < next.id());
  }
  AE_ASSERT(keys == size_ && before == last_);
}

}  // namespace millrace::ds
