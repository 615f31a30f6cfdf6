// Listpack: a short sequence of strings and integers in one block of bytes, the small encoding of
// hashes, sets and sorted sets and the node of lists. Byte-compatible with Redis 7: RDB files and
// DUMP carry these bytes verbatim.
//
// Layout
//
//     block_ --> +-------------+---------------+--------+--------+-- --+--------+------+
//                | bytes:u32le | elements:u16le| entry  | entry  | ... | entry  | 0xff |  slack
//                +-------------+---------------+--------+--------+-- --+--------+------+
//                0             4               6                                bytes-1 bytes
//
// What an entry looks like is told in listpack_entry.h.
//
// Invariants
//   1. `bytes` counts everything from the first byte of the header to the 0xff, both included.
//   2. Entries follow one another without a gap from offset 6; the last is followed by 0xff.
//   3. `elements` is the number of entries, or 65535: "count them", which is what it says from that
//      number on. (After shrinking below it, the next size() writes the number back.)
//   4. Every entry is in its canonical encoding, so equal values are equal bytes. from_bytes()
//      encodes anew what another writer may have encoded otherwise.
//   5. An owner's block has block_capacity(bytes) bytes, so its size need not be stored; an empty
//      pack has no block: block_ points to a constant.
//
// Costs. Everything is linear in bytes, and meant for packs of up to some kilobytes: a search reads
// them front to back (about 2 ns an element), a change moves the bytes behind it. Slack is what the
// allocator rounds up to: nothing for small packs, at most a quarter and on average an eighth for
// large ones, so that pushing is amortized.
//
// A ListpackView reads, a Listpack owns and changes. Both are one pointer. Positions are Cursors:
// offsets, which any change at or before them invalidates, except as each operation says. Values
// given to an operation must not be views into the pack itself (checked in debug builds). Elements
// handed out are views, good until the next change. No thread safety, no errors: a wrong cursor is
// a programming error, and bytes from outside come in through from_bytes() only.
//
//   Listpack pack;
//   pack.append_pair("field", "17");
//   if (Cursor field = pack.find("field", pack.first(), 1)) {
//     Cursor value = pack.next(field);
//     pack.replace(value, "18");
//   }
//
// Idea: the ziplist (P. Noordhuis, 2009) and its successor the listpack (S. Sanfilippo, 2017),
// which stores the length of an entry behind it instead of in the next one, so that no change can
// ripple.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "ae/base/assert.h"
#include "server/ds/block.h"
#include "server/ds/listpack_entry.h"

namespace millrace::ds {

// A position in a listpack; false: none.
struct Cursor {
  std::uint32_t offset = 0;

  explicit operator bool() const { return offset != 0; }
  friend bool operator==(Cursor, Cursor) = default;
};

// Reads a listpack that somebody else owns. The bytes are trusted.
class ListpackView {
 public:
  explicit ListpackView(const char* block) : block_(const_cast<char*>(block)) {}

  std::uint32_t bytes() const { return load<std::uint32_t>(0); }
  std::string_view raw() const { return {block_, bytes()}; }
  bool empty() const { return bytes() == kEmptyBytes; }

  // The number of elements: O(1) below 65535, else they are counted.
  std::size_t size() const {
    const std::size_t stored = stored_size();
    return stored != kUnknownSize ? stored : count();
  }

  Cursor first() const { return none_at_end(listpack_entry::kHeaderBytes); }
  Cursor last() const { return none_before_first(end_offset()); }
  Cursor next(Cursor at) const {
    return none_at_end(at.offset + listpack_entry::entry_size(block_ + at.offset));
  }
  Cursor previous(Cursor at) const { return none_before_first(at.offset); }

  // The element of this index; negative ones count from the end, -1 is the last. Walks from the
  // nearer end.
  Cursor seek(std::int64_t index) const;

  Element get(Cursor at) const { return listpack_entry::decode(block_ + at.offset); }

  // The first element from `from` on that equals the value, looking at every (skip + 1)th only: in
  // a pack of pairs, find(field, pack.first(), 1) looks at fields. `from` may be none.
  Cursor find(const EncodedEntry& value, Cursor from, std::size_t skip = 0) const;
  Cursor find(const EncodedEntry& value) const { return find(value, first()); }

  // Calls visit(Element) for `count` elements from `from` on, or until the end.
  template <typename Visit>
  void for_each(Cursor from, std::size_t count, Visit&& visit) const {
    if (!from) return;
    const char* entry = block_ + from.offset;
    for (; count != 0 && !listpack_entry::is_end(entry); --count) {
      const char* const here = entry;
      entry += listpack_entry::entry_size(entry);
      visit(listpack_entry::decode(here));
    }
  }
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for_each(first(), SIZE_MAX, std::forward<Visit>(visit));
  }

  // Whether the invariants 1 to 4 hold. For tests and debug builds.
  bool check() const;

 protected:
  static constexpr std::uint32_t kEmptyBytes = listpack_entry::kHeaderBytes + 1;
  static constexpr std::uint16_t kUnknownSize = 0xffff;

  template <typename Number>
  Number load(std::size_t offset) const {
    Number number;
    std::memcpy(&number, block_ + offset, sizeof number);
    return number;
  }

  std::uint16_t stored_size() const { return load<std::uint16_t>(4); }
  std::size_t count() const;
  std::uint32_t end_offset() const { return bytes() - 1; }

  Cursor none_at_end(std::uint32_t offset) const {
    return {listpack_entry::is_end(block_ + offset) ? 0 : offset};
  }
  Cursor none_before_first(std::uint32_t offset) const {
    if (offset == listpack_entry::kHeaderBytes) return {};
    return {offset - listpack_entry::previous_entry_size(block_ + offset)};
  }

  char* block_;
};

class Listpack : public ListpackView {
 public:
  Listpack() : ListpackView(kEmptyBlock) {}
  ~Listpack() { free_block(); }
  Listpack(Listpack&& other) noexcept : ListpackView(other.release_or_empty()) {}
  Listpack& operator=(Listpack&& other) noexcept {
    if (this != &other) {
      free_block();
      block_ = other.release_or_empty();
    }
    return *this;
  }

  // Bytes from outside: nullopt unless they are one whole valid listpack and nothing else. Linear,
  // and bounded by the bytes given.
  static std::optional<Listpack> from_bytes(std::string_view bytes);

  // A copy of a trusted pack.
  static Listpack copy_of(ListpackView source);

  // For an entry that keeps the pack in a tagged word of its own: the owner's one pointer, and
  // back.
  char* release() { return std::exchange(block_, const_cast<char*>(kEmptyBlock)); }
  static Listpack adopt(char* released) { return Listpack(released); }

  std::size_t size() {
    if (stored_size() == kUnknownSize) store_size(count());
    return ListpackView::size();
  }
  using ListpackView::size;

  // Bytes of heap behind this object.
  std::size_t allocated_bytes() const { return is_constant() ? 0 : block_capacity(bytes()); }

  // Whether the pack may grow by so many bytes (EncodedEntry::entry_size() for each element).
  bool fits(std::size_t extra_bytes) const { return extra_bytes <= kMaxListpackBytes - bytes(); }

  // All of these assert fits(). A returned cursor stands on the (first) new element.
  Cursor append(const EncodedEntry& value) { return insert_at(end_offset(), value); }
  Cursor prepend(const EncodedEntry& value) {
    return insert_at(listpack_entry::kHeaderBytes, value);
  }
  Cursor insert_before(Cursor at, const EncodedEntry& value) { return insert_at(at.offset, value); }
  Cursor insert_after(Cursor at, const EncodedEntry& value) {
    return insert_at(at.offset + listpack_entry::entry_size(block_ + at.offset), value);
  }
  // One resize for several.
  Cursor append_pair(const EncodedEntry& first, const EncodedEntry& second);
  Cursor append_all(std::span<const std::string_view> values);
  // The same for values of any kind: `emit` calls what it is given with one EncodedEntry after the
  // other. It runs twice, to measure and to write.
  template <typename Emit>
  void append_each(Emit&& emit) {
    std::size_t extra_bytes = 0;
    std::int64_t count = 0;
    emit([&](const EncodedEntry& value) {
      extra_bytes += value.entry_size();
      ++count;
    });
    AE_ASSERT(fits(extra_bytes));
    char* hole = resize_hole(end_offset(), 0, static_cast<std::uint32_t>(extra_bytes));
    emit([&](const EncodedEntry& value) {
      value.write(hole);
      hole += value.entry_size();
    });
    add_to_size(count);
  }
  // Two new elements side by side; at none, at the end.
  Cursor insert_pair_before(Cursor at, const EncodedEntry& first, const EncodedEntry& second);

  // The cursor stays good: the new value stands where the old one stood.
  void replace(Cursor at, const EncodedEntry& value);

  // Removes `count` elements from `at` on, or what there is of them. Returns the element that now
  // stands there, or none.
  Cursor erase(Cursor at, std::size_t count = 1);
  // The same by index, negative ones from the end. Returns how many were removed.
  std::size_t erase_range(std::int64_t index, std::size_t count);

  void clear() { *this = Listpack(); }

  bool check() const { return ListpackView::check() && (!is_constant() || empty()); }

 private:
  alignas(8) static constexpr char kEmptyBlock[kEmptyBytes] = {kEmptyBytes, 0, 0, 0, 0, 0, '\xff'};

  explicit Listpack(char* block) : ListpackView(block) {}

  bool is_constant() const { return block_ == kEmptyBlock; }
  char* release_or_empty() noexcept { return release(); }
  void free_block() {
    if (!is_constant()) block_free(block_, block_capacity(bytes()));
  }

  Cursor insert_at(std::uint32_t offset, const EncodedEntry& value);
  char* resize_hole(std::uint32_t offset, std::uint32_t old_size, std::uint32_t new_size);
  void resize_block(std::size_t old_bytes, std::size_t new_bytes);

  template <typename Number>
  void store(std::size_t offset, Number number) {
    std::memcpy(block_ + offset, &number, sizeof number);
  }
  void store_size(std::size_t size);
  void add_to_size(std::int64_t difference);
};

static_assert(sizeof(Listpack) == sizeof(void*));

}  // namespace millrace::ds
