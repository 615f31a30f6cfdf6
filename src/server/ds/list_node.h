// ListNode: one node of a long list. A listpack with room on both sides, or one large element.
//
// Layout of a packed node
//
//     block                 block + head
//     |                     |
//     +---------------------+----------+---------+-- --+---------+------+--------------+
//     |      free           | header 6 | entry   | ... | entry   | 0xff |     free     |
//     +---------------------+----------+---------+-- --+---------+------+--------------+
//                           |<---------------- bytes ------------------>|
//     |<---------------------------------- capacity --------------------------------->|
//
// A plain listpack grows at its end; to push at its front means to move all of it, four kilobytes
// on average for an element of perhaps sixteen bytes. Here the pack stands somewhere in a larger
// block. Pushing or popping at either end moves nothing but the six bytes of the header; a change
// in the middle moves the shorter side. At every moment [block + head, + bytes) is one whole valid
// listpack, contiguous, for RDB and DUMP to take as it is.
//
// Invariants
//   1. packed: [head, head + bytes) is within [0, capacity) and is a valid canonical listpack (see
//      listpack.h) of `count` elements, at least one while the node is in a chain.
//   2. plain: the element is [block, block + bytes), head is 0 and count is 1.
//   3. capacity is what block_allocate() was asked for.
//
// Costs. push and pop: O(1) amortized. When the asking side has no room but the block has, the pack
// is moved so that this side gets half of what will be left over: moves halve the slack, so there
// are at most log2(slack) of them before the block grows: by half up to 8 KiB, then along the
// allocator's classes.
//
// The record is plain data, 24 bytes, so that an array of nodes can be moved by memmove; whoever
// holds it calls free_block(). Cursors are those of the listpack: offsets from the first byte of
// its header. In a plain node the one element has the cursor that the first entry of a listpack
// would have.
//
// Idea: the gap buffer of text editors (e.g. Emacs), with the gap at the ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/ds/listpack.h"

namespace millrace::ds {

enum class End : std::uint8_t { kFront, kBack };

struct ListNode {
  static constexpr std::uint32_t kEmptyBytes = listpack_entry::kHeaderBytes + 1;
  // Where growth by half ends: the default limit of a node, so an ordinary full node has no slack.
  static constexpr std::uint32_t kMaxAmpleBytes = 8192;

  char* block;
  std::uint32_t head;
  std::uint32_t bytes;
  std::uint32_t capacity;
  std::uint32_t count : 31;
  std::uint32_t plain : 1;

  // An empty pack, all its free room on the side where it is expected to grow.
  static ListNode make_packed(std::size_t capacity, End growing);
  static ListNode make_plain(std::string_view element);
  // Takes over the block of a pack, or copies one.
  static ListNode adopt(Listpack&& pack);
  static ListNode copy_of(const ListNode& source);
  // A record for reading a pack that stays where it is; never changed, never freed.
  static ListNode peek(ListpackView pack, std::size_t count);

  void free_block() const { block_free(block, capacity); }
  // The packed elements as a Listpack; the node is gone.
  Listpack into_listpack();

  // ---- reading

  ListpackView view() const { return ListpackView(block + head); }
  // What RDB stores: the listpack, or the large element.
  std::string_view raw() const { return {block + head, bytes}; }

  Cursor first() const { return plain != 0 ? kPlainCursor : view().first(); }
  Cursor last() const { return plain != 0 ? kPlainCursor : view().last(); }
  Cursor next(Cursor at) const { return plain != 0 ? Cursor{} : view().next(at); }
  Cursor previous(Cursor at) const { return plain != 0 ? Cursor{} : view().previous(at); }
  Cursor seek(std::uint32_t index) const;
  Element get(Cursor at) const {
    return plain != 0 ? Element::of_string({block, bytes}) : view().get(at);
  }

  template <typename Visit>
  void for_each(Cursor from, std::size_t visits, Visit&& visit) const {
    if (plain == 0) return view().for_each(from, visits, visit);
    if (visits != 0) visit(get(from));
  }

  // ---- changing; packed nodes only

  void push(End end, const EncodedEntry& value) {
    const std::uint32_t size = value.entry_size();
    if (room(end) < size) make_room(end, size);
    bytes += size;
    if (end == End::kFront) {
      head -= size;
      value.write(block + head + listpack_entry::kHeaderBytes);
    } else {
      value.write(block + head + bytes - 1 - size);
      block[head + bytes - 1] = static_cast<char>(listpack_entry::kEnd);
    }
    ++count;
    write_header();
  }

  void pop(End end) {
    const char* const pack = block + head;
    --count;
    if (end == End::kFront) {
      const std::uint32_t size = listpack_entry::entry_size(pack + listpack_entry::kHeaderBytes);
      head += size;
      bytes -= size;
    } else {
      bytes -= listpack_entry::previous_entry_size(pack + bytes - 1);
      block[head + bytes - 1] = static_cast<char>(listpack_entry::kEnd);
    }
    write_header();
  }

  // Before the element at `at`; cursors before it stay good.
  void insert_before(Cursor at, const EncodedEntry& value);
  void replace(Cursor at, const EncodedEntry& value);
  // Removes `elements` from `at` on (there are as many). Cursors before `at` stay good, and `at` is
  // the element behind the removed ones, if there is one.
  void erase(Cursor at, std::uint32_t elements);
  // Cuts off the elements from `at` on, `elements` of them, as a node of their own.
  ListNode split_off(Cursor at, std::uint32_t elements);
  // Appends the elements of another packed node; a cursor of it grows by the returned offset.
  std::uint32_t append_all(const ListNode& other);

  // ---- both kinds

  // Gives back free room that is worth a smaller size class. For a node that growth has left
  // behind.
  void trim();

  bool check() const;

 private:
  static constexpr Cursor kPlainCursor{listpack_entry::kHeaderBytes};

  std::uint32_t room(End end) const { return end == End::kFront ? head : capacity - head - bytes; }
  void make_room(End end, std::uint32_t size);
  void grow(End end, std::uint32_t size);
  char* open(std::uint32_t offset, std::uint32_t size);
  void close(std::uint32_t offset, std::uint32_t size);

  void write_header() {
    char* const pack = block + head;
    const std::uint32_t pack_bytes = bytes;
    const auto stored = static_cast<std::uint16_t>(count < 0xffff ? count : 0xffff);
    std::memcpy(pack, &pack_bytes, sizeof pack_bytes);
    std::memcpy(pack + 4, &stored, sizeof stored);
  }
};

static_assert(sizeof(ListNode) == 24);

}  // namespace millrace::ds
