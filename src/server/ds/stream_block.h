// One block of a stream: up to a hundred entries in a listpack. The bytes are Redis' (S.
// Sanfilippo, 2017), which RDB files carry as they are.
//
//     | live | deleted | n | field 1 … field n | 0 |  entry  |  entry  | …
//      \________________ master ________________/
//
// The master names the fields of the block's first entry. Entries of a log mostly have the same
// fields, and then they do not name them again:
//
//     same fields:   | flags | ms | seq |     value 1 … value n     | pieces |
//     others:        | flags | ms | seq | n | field 1 value 1 … … … | pieces |
//
//     flags    bit 0: deleted, bit 1: same fields as the master
//     ms, seq  what is to be added to the master's id, the id of the block's first entry. (Modulo
//              2^64 each: seq is negative where a later millisecond has a smaller number.)
//     pieces   elements before this one that belong to the entry, so that one can walk backwards;
//              the master's is 0
//
// Invariants
//   1. `live` and `deleted` count the entries without and with the bit; there is one at least.
//   2. Ids ascend strictly, the first is the master's at least.
//   3. Every entry has the pieces it says, and one field at least.
//   4. No bytes but these.
//
// To delete is to set the bit: the bytes go when the block's last live entry goes. (Not if trimming
// by id takes it and a deleted one with a higher id is left: Redis keeps such a block, and where
// blocks end can be seen.)
//
// Costs. Everything is a walk through at most stream-node-max-bytes, 4 KiB; appending is O(fields).
//
// A StreamBlock reads a listpack that somebody else owns, a StreamEntry views into it; both are
// good until the next change of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "server/ds/listpack.h"
#include "server/ds/stream_id.h"

namespace millrace::ds {

// Of an entry's fields and values: name, value, name, value …; an even number, two at least.
using FieldValues = std::span<const std::string_view>;

class StreamEntry {
 public:
  explicit operator bool() const { return start_ != nullptr; }

  StreamId id() const { return id_; }
  bool deleted() const { return (flags_ & kDeleted) != 0; }
  size_t field_count() const { return field_count_; }

  // Calls visit(Element field, Element value).
  template <typename Visit>
  void for_each(Visit&& visit) const {
    const char* field = same_fields() ? master_fields_ : data_;
    const char* value = data_;
    for (size_t i = 0; i < field_count_; ++i) {
      if (!same_fields()) value = field + listpack_entry::entry_size(field);
      visit(listpack_entry::decode(field), listpack_entry::decode(value));
      const char* const behind = value + listpack_entry::entry_size(value);
      field = same_fields() ? field + listpack_entry::entry_size(field) : behind;
      value = behind;
    }
  }

 private:
  friend class StreamBlock;
  static constexpr uint64_t kDeleted = 1;
  static constexpr uint64_t kSameFields = 2;

  bool same_fields() const { return (flags_ & kSameFields) != 0; }
  size_t data_elements() const { return same_fields() ? field_count_ : 2 * field_count_; }

  StreamId id_;
  uint64_t flags_ = 0;
  size_t field_count_ = 0;
  const char* start_ = nullptr;          // its flags
  const char* data_ = nullptr;           // its first value, or field
  const char* master_fields_ = nullptr;  // the master's first field
};

class StreamBlock {
 public:
  StreamBlock(StreamId master, const char* bytes);

  uint64_t live() const { return number(live_at()); }
  uint64_t deleted() const { return number(deleted_at()); }

  // Entries in order, deleted ones included; false beyond the ends.
  StreamEntry first() const { return at_or_end(entries_); }
  StreamEntry last() const { return before(end()); }
  StreamEntry next(const StreamEntry& entry) const;
  StreamEntry previous(const StreamEntry& entry) const { return before(entry.start_); }
  // The same without deleted ones.
  StreamEntry first_live() const;
  // The live entry of this id.
  StreamEntry find(StreamId id) const;

  // Whether a further entry goes into this block, by Redis' rule. 0: no limit.
  bool takes(FieldValues entry, uint64_t max_bytes, uint64_t max_entries) const;
  // Whether an entry goes into any block at all.
  static bool fits(FieldValues entry) { return most_bytes(entry) <= kMaxListpackBytes; }

  // --- changing the listpack

  // A block of one entry.
  static Listpack create(FieldValues entry);
  // Appends an entry to the block whose master is `master`.
  static void append(Listpack& pack, StreamId master, StreamId id, FieldValues entry);
  // Deletes the first entries, up to one for which `from_here(entry, live ones before it)` is true.
  // Returns how many live ones that were.
  template <typename Stop>
  static uint64_t delete_front(Listpack& pack, StreamId master, Stop&& from_here) {
    uint64_t count = 0;
    const StreamBlock block(master, pack.raw().data());
    for (auto at = block.first(); at && !from_here(at, count); at = block.next(at)) {
      if (at.deleted()) continue;
      block.set_deleted(pack, at);
      ++count;
    }
    count_deleted(pack, count);
    return count;
  }
  // Deletes this live entry, which is not the last one.
  static void delete_entry(Listpack& pack, StreamId master, const StreamEntry& entry);

  // Bytes from outside: nothing, unless they are a block whose invariants hold.
  static std::optional<Listpack> from_bytes(StreamId master, std::string_view bytes);

  bool check() const;

 private:
  const char* live_at() const { return bytes_ + listpack_entry::kHeaderBytes; }
  const char* deleted_at() const { return skip(live_at(), 1); }
  const char* end() const { return bytes_ + ListpackView(bytes_).bytes() - 1; }

  static uint64_t number(const char* at) {
    return static_cast<uint64_t>(listpack_entry::decode(at).integer());
  }
  static const char* skip(const char* at, size_t elements) {
    for (; elements != 0; --elements) at += listpack_entry::entry_size(at);
    return at;
  }

  // What an entry takes at most, as the first of a block.
  static size_t most_bytes(FieldValues entry);
  StreamEntry decode(const char* start) const;
  StreamEntry at_or_end(const char* start) const;
  StreamEntry before(const char* place) const;
  bool has_same_fields(FieldValues entry) const;
  void set_deleted(Listpack& pack, const StreamEntry& entry) const;
  static void count_deleted(Listpack& pack, uint64_t count);

  StreamId master_;
  const char* bytes_;
  size_t master_count_;
  const char* master_fields_;
  const char* entries_;  // behind the master
};

}  // namespace millrace::ds
