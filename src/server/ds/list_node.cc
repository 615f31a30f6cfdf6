#include "server/ds/list_node.h"

#include <algorithm>
#include <type_traits>

#include "ae/base/assert.h"

namespace millrace::ds {

static_assert(std::is_trivially_copyable_v<ListNode>, "an array of nodes is moved by memmove");

using listpack_entry::entry_size;
using listpack_entry::kHeaderBytes;

// ---- coming and going

ListNode ListNode::make_packed(std::size_t capacity, End growing) {
  const auto granted = static_cast<std::uint32_t>(
      block_capacity(std::clamp<std::size_t>(capacity, kEmptyBytes, kMaxListpackBytes)));
  ListNode node{};
  node.block = static_cast<char*>(block_allocate(granted));
  node.capacity = granted;
  node.head = growing == End::kFront ? granted - kEmptyBytes : 0;
  node.bytes = kEmptyBytes;
  node.block[node.head + kHeaderBytes] = static_cast<char>(listpack_entry::kEnd);
  node.write_header();
  return node;
}

ListNode ListNode::make_plain(std::string_view element) {
  const std::size_t capacity = block_capacity(element.size());
  AE_ASSERT(capacity <= UINT32_MAX);
  ListNode node{};
  node.block = static_cast<char*>(block_allocate(capacity));
  node.capacity = static_cast<std::uint32_t>(capacity);
  node.bytes = static_cast<std::uint32_t>(element.size());
  node.count = 1;
  node.plain = 1;
  std::memcpy(node.block, element.data(), element.size());
  return node;
}

ListNode ListNode::adopt(Listpack&& pack) {
  if (pack.empty()) return make_packed(kEmptyBytes, End::kBack);
  ListNode node = peek(pack, pack.size());
  node.capacity = static_cast<std::uint32_t>(pack.allocated_bytes());
  node.block = pack.release();
  return node;
}

ListNode ListNode::copy_of(const ListNode& source) {
  if (source.plain != 0) return make_plain(source.raw());
  return adopt(Listpack::copy_of(source.view()));
}

ListNode ListNode::peek(ListpackView pack, std::size_t count) {
  ListNode node{};
  node.block = const_cast<char*>(pack.raw().data());
  node.bytes = pack.bytes();
  node.count = static_cast<std::uint32_t>(count);
  return node;
}

Listpack ListNode::into_listpack() {
  AE_ASSERT(plain == 0);
  Listpack pack = Listpack::copy_of(view());
  free_block();
  return pack;
}

void ListNode::trim() {
  const std::size_t wanted = block_capacity(bytes);
  if (wanted >= capacity) return;
  std::memmove(block, block + head, bytes);
  head = 0;
  block = static_cast<char*>(block_resize(block, capacity, wanted));
  capacity = static_cast<std::uint32_t>(wanted);
}

// ---- room

// Leaves at least `size` free bytes on the given side.
void ListNode::make_room(End end, std::uint32_t size) {
  AE_ASSERT(size <= kMaxListpackBytes - bytes);
  const std::uint32_t free = capacity - bytes;
  if (free < size) return grow(end, size);
  const std::uint32_t asked = size + (free - size) / 2;
  const std::uint32_t new_head = end == End::kFront ? asked : free - asked;
  std::memmove(block + new_head, block + head, bytes);
  head = new_head;
}

// The side that asks gets all the new room.
void ListNode::grow(End end, std::uint32_t size) {
  const std::size_t ample = std::min<std::size_t>(capacity + capacity / 2, kMaxAmpleBytes);
  const std::size_t wanted = block_capacity(std::max<std::size_t>(bytes + size, ample));
  const auto new_capacity = static_cast<std::uint32_t>(wanted);
  if (end == End::kBack && head == 0) {
    block = static_cast<char*>(block_resize(block, capacity, new_capacity));
    capacity = new_capacity;
    return;
  }
  const std::uint32_t new_head = end == End::kFront ? new_capacity - bytes : 0;
  auto* new_block = static_cast<char*>(block_allocate(new_capacity));
  std::memcpy(new_block + new_head, block + head, bytes);
  free_block();
  block = new_block;
  capacity = new_capacity;
  head = new_head;
}

// Makes a hole of `size` bytes at `offset` of the pack. The header is out of date until written.
char* ListNode::open(std::uint32_t offset, std::uint32_t size) {
  const std::uint32_t behind = bytes - offset;
  const End side = offset < behind ? End::kFront : End::kBack;
  if (room(side) < size) make_room(side, size);
  char* const pack = block + head;
  bytes += size;
  if (side == End::kFront) {
    std::memmove(pack - size, pack, offset);
    head -= size;
    return pack - size + offset;
  }
  std::memmove(pack + offset + size, pack + offset, behind);
  return pack + offset;
}

void ListNode::close(std::uint32_t offset, std::uint32_t size) {
  char* const pack = block + head;
  const std::uint32_t behind = bytes - offset - size;
  bytes -= size;
  if (offset < behind) {
    std::memmove(pack + size, pack, offset);
    head += size;
  } else {
    std::memmove(pack + offset, pack + offset + size, behind);
  }
}

// ---- elements

Cursor ListNode::seek(std::uint32_t index) const {
  return plain != 0 ? kPlainCursor : view().seek(index);
}

void ListNode::insert_before(Cursor at, const EncodedEntry& value) {
  AE_DCHECK(!value.views_into(block, block + capacity));
  value.write(open(at.offset, value.entry_size()));
  ++count;
  write_header();
}

void ListNode::replace(Cursor at, const EncodedEntry& value) {
  AE_DCHECK(!value.views_into(block, block + capacity));
  const std::uint32_t old_size = entry_size(block + head + at.offset);
  const std::uint32_t new_size = value.entry_size();
  if (new_size > old_size) open(at.offset, new_size - old_size);
  if (new_size < old_size) close(at.offset, old_size - new_size);
  value.write(block + head + at.offset);
  write_header();
}

void ListNode::erase(Cursor at, std::uint32_t elements) {
  const char* const from = block + head + at.offset;
  const char* entry = from;
  for (std::uint32_t i = 0; i < elements; ++i) entry += entry_size(entry);
  close(at.offset, static_cast<std::uint32_t>(entry - from));
  count -= elements;
  write_header();
}

ListNode ListNode::split_off(Cursor at, std::uint32_t elements) {
  const std::uint32_t cut = bytes - 1 - at.offset;  // without the end byte
  ListNode tail = make_packed(kEmptyBytes + cut, End::kBack);
  std::memcpy(tail.block + kHeaderBytes, block + head + at.offset, cut + 1);
  tail.bytes += cut;
  tail.count = elements;
  tail.write_header();
  bytes -= cut;
  count -= elements;
  block[head + bytes - 1] = static_cast<char>(listpack_entry::kEnd);
  write_header();
  return tail;
}

std::uint32_t ListNode::append_all(const ListNode& other) {
  const std::uint32_t added = other.bytes - kEmptyBytes;
  const std::uint32_t end = bytes - 1;
  if (room(End::kBack) < added) make_room(End::kBack, added);
  std::memcpy(block + head + end, other.block + other.head + kHeaderBytes, added + 1);
  bytes += added;
  count += other.count;
  write_header();
  return end - kHeaderBytes;
}

bool ListNode::check() const {
  if (count == 0 || capacity < head || capacity - head < bytes) return false;
  if (plain != 0) return head == 0 && count == 1;
  return view().bytes() == bytes && view().check() && view().size() == count;
}

}  // namespace millrace::ds
