// One key with its value, its time of expiry and its access bits: one block of memory.
//
//   Entry* entry = keyspace.find(key);
//   TextBuffer buffer;
//   if (entry->type() == Type::kString) reply.bulk(entry->text(buffer));
//   if (entry->type() == Type::kList) entry->list().push(ds::End::kBack, "job", limit);
//
// Layout, from a cell of the slab (ds/slab.h), 8-byte aligned:
//
//   0        4              4 or 12
//   | header | expiry, ms   | key length      | key bytes | value                          |
//     4 B      8 B, if any    1 B, or 255+4 B
//
//   header:  bits 0..2 type, 3..6 layout, 7 has expiry, 8..31 access bits (access_clock.h)
//   value:   kInteger   8 bytes, aligned
//            kEmbedded  length as the key's, then the bytes; OBJECT ENCODING says "embstr"
//            kInline    the same; OBJECT ENCODING says "raw"
//            kHeap      pointer to a HeapString, aligned; "raw"
//            kObject    the collection's own word (QuickList, FieldMap, StringSet, SortedSet,
//            Stream), aligned
//
// A 16-byte key with a 32-byte value takes 54 bytes, hence a cell of 56; with an expiry 62,
// hence 64. Redis 7.2 takes 3 blocks and 96 bytes for it, with an expiry 4 and 136. (One allocation
// for key and small value: Redis' own embstr taken one step further, as V. Seleznev's and M.
// Olson's work in Valkey 8 did; the layout is ours.)
//
// The size of the block is not stored: it follows from the content. So a change that would give
// another size class needs another block, and only the Keyspace, which knows where the pointer is
// kept, makes such changes. A change of what is inside a collection, or of the access bits, anyone
// may make.
//
// Thread: the main thread's. Owner: the Keyspace it is in, or a Detached.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "ae/base/assert.h"
#include "ae/base/bytes.h"
#include "server/db/value.h"
#include "server/ds/field_map.h"
#include "server/ds/quick_list.h"
#include "server/ds/sorted_set.h"
#include "server/ds/stream.h"
#include "server/ds/string_set.h"

namespace millrace {

// Which Type a C++ type of a collection is.
template <class T>
struct TypeOf;
template <>
struct TypeOf<ds::QuickList> {
  static constexpr Type kType = Type::kList;
};
template <>
struct TypeOf<ds::StringSet> {
  static constexpr Type kType = Type::kSet;
};
template <>
struct TypeOf<ds::SortedSet> {
  static constexpr Type kType = Type::kZSet;
};
template <>
struct TypeOf<ds::FieldMap> {
  static constexpr Type kType = Type::kHash;
};
template <>
struct TypeOf<ds::Stream> {
  static constexpr Type kType = Type::kStream;
};

// The content of a string too long for its entry.
struct HeapString {
  size_t length;
  size_t capacity;

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
};

class alignas(8) Entry {
 public:
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  std::string_view key() const;
  Type type() const { return static_cast<Type>(header_ & kTypeMask); }
  Encoding encoding() const;

  bool has_expiry() const { return (header_ & kExpiryBit) != 0; }
  int64_t expire_at_ms() const;  // kNoExpiry if there is none

  // 24 bits; what they mean says the AccessClock.
  uint32_t access() const { return header_ >> kAccessShift; }
  void set_access(uint32_t access) {
    const uint32_t header = (header_ & ((1U << kAccessShift) - 1)) | access << kAccessShift;
    if (header != header_) header_ = header;  // a clean cache line stays clean
  }

  // --- strings (type() == Type::kString)

  bool is_integer() const { return layout() == Layout::kInteger; }
  int64_t integer() const;  // is_integer() only
  // The value as text. A number is written into `buffer`; else the view is of the entry and good
  // until the entry is changed or removed.
  std::string_view text(TextBuffer& buffer) const;
  size_t text_length() const;

  // --- collections; the type must be the right one

  ds::QuickList& list() { return object<ds::QuickList>(); }
  ds::StringSet& set() { return object<ds::StringSet>(); }
  ds::SortedSet& sorted_set() { return object<ds::SortedSet>(); }
  ds::FieldMap& hash() { return object<ds::FieldMap>(); }
  ds::Stream& stream() { return object<ds::Stream>(); }
  const ds::QuickList& list() const { return object<ds::QuickList>(); }
  const ds::StringSet& set() const { return object<ds::StringSet>(); }
  const ds::SortedSet& sorted_set() const { return object<ds::SortedSet>(); }
  const ds::FieldMap& hash() const { return object<ds::FieldMap>(); }
  const ds::Stream& stream() const { return object<ds::Stream>(); }

  // Elements of a collection: list items, members, fields; of a stream its entries, those that its
  // groups wait for, and consumers. 1 for a string.
  uint64_t collection_size() const;

  // Stages of a batch: fetch the place of the member with this hash inside the collection, then the
  // member. Nothing for a string or a list.
  void prefetch_place(uint64_t member_hash) const;
  void prefetch_member(uint64_t member_hash) const;

  // What the key takes: its block and the heap behind it (MEMORY USAGE). O(1) but for lists, whose
  // nodes are added up, and streams, whose consumers are.
  size_t memory_bytes() const;

 private:
  friend class EntryStore;

  enum class Layout : uint8_t { kInteger, kEmbedded, kInline, kHeap, kObject };

  static constexpr uint32_t kTypeMask = 7;
  static constexpr uint32_t kLayoutShift = 3;
  static constexpr uint32_t kLayoutMask = 15;
  static constexpr uint32_t kExpiryBit = 1U << 7;
  static constexpr uint32_t kAccessShift = 8;
  static constexpr size_t kHeaderBytes = 4;
  static constexpr size_t kExpiryBytes = 8;
  static constexpr size_t kWordBytes = 8;  // an integer, a pointer, a collection
  // A length of 255 or more is written as 255 and four bytes.
  static constexpr size_t kLengthEscape = 255;
  static constexpr size_t kLongLengthBytes = 5;

  Entry() = default;

  static constexpr size_t length_bytes(size_t length) {
    return length < kLengthEscape ? 1 : kLongLengthBytes;
  }
  static constexpr size_t align8(size_t offset) { return (offset + 7) & ~size_t{7}; }
  // The text that begins with its length at `at`.
  static std::string_view text_at(const char* at);

  Layout layout() const { return static_cast<Layout>(header_ >> kLayoutShift & kLayoutMask); }
  char* base() { return reinterpret_cast<char*>(this); }
  const char* base() const { return reinterpret_cast<const char*>(this); }
  size_t key_offset() const { return kHeaderBytes + (has_expiry() ? kExpiryBytes : 0); }
  size_t value_offset() const {
    const std::string_view name = key();
    return static_cast<size_t>(name.data() + name.size() - base());
  }
  // Integers, pointers and collections stand at the next multiple of 8 behind the key.
  char* word() { return base() + align8(value_offset()); }
  const char* word() const { return base() + align8(value_offset()); }
  HeapString* heap_string() const;
  size_t block_bytes() const;

  template <class T>
  T& object() {
    AE_DCHECK(type() == TypeOf<T>::kType);
    return *reinterpret_cast<T*>(word());
  }
  template <class T>
  const T& object() const {
    AE_DCHECK(type() == TypeOf<T>::kType);
    return *reinterpret_cast<const T*>(word());
  }

  uint32_t header_;
};

inline std::string_view Entry::text_at(const char* at) {
  const size_t length = static_cast<unsigned char>(*at);
  if (length != kLengthEscape) [[likely]]
    return {at + 1, length};
  uint32_t long_length;
  std::memcpy(&long_length, at + 1, sizeof long_length);
  return {at + kLongLengthBytes, long_length};
}

inline std::string_view Entry::key() const {
  return text_at(base() + key_offset());
}

inline int64_t Entry::expire_at_ms() const {
  if (!has_expiry()) return kNoExpiry;
  int64_t expiry;
  std::memcpy(&expiry, base() + kHeaderBytes, sizeof expiry);
  return expiry;
}

inline int64_t Entry::integer() const {
  AE_DCHECK(is_integer());
  int64_t number;
  std::memcpy(&number, word(), sizeof number);
  return number;
}

inline HeapString* Entry::heap_string() const {
  HeapString* string;
  std::memcpy(&string, word(), kWordBytes);
  return string;
}

inline std::string_view Entry::text(TextBuffer& buffer) const {
  AE_DCHECK(type() == Type::kString);
  switch (layout()) {
    case Layout::kEmbedded:
    case Layout::kInline:
      return text_at(base() + value_offset());
    case Layout::kInteger:
      return {buffer.data(), ae::format_int64(integer(), buffer.data())};
    default:
      return {heap_string()->bytes(), heap_string()->length};
  }
}

}  // namespace millrace
