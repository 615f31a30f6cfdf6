// Makes, changes and frees the blocks that entries are. For the keyspace and its kin; everybody
// else sees entries only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "server/db/entry.h"

namespace millrace {

// What a string is to be stored as: a number, or text (a view, copied when stored).
struct StringValue {
  std::string_view text;
  int64_t integer = 0;
  bool is_integer = false;

  static StringValue of(std::string_view text);
  static StringValue of(int64_t integer) {
    return {.text = {}, .integer = integer, .is_integer = true};
  }
};

class EntryStore {
 public:
  // Redis says "embstr" up to here and "raw" beyond.
  static constexpr size_t kMaxEmbeddedBytes = 44;
  // A longer entry keeps its string on the heap. It is the slab's largest cell: beyond it a block
  // would be malloc's in any case.
  static constexpr size_t kMaxInlineEntryBytes = 512;
  // Names and inline lengths are 32 bits.
  static constexpr size_t kMaxKeyBytes = UINT32_MAX;

  static Entry* make_string(std::string_view key, const StringValue& value, int64_t expire_at_ms);
  template <class T>
  static Entry* make_object(std::string_view key, T&& collection) {
    using Collection = std::remove_cvref_t<T>;
    static_assert(std::is_rvalue_reference_v<T&&> && sizeof(Collection) == sizeof(void*));
    Entry* entry = allocate(key, TypeOf<Collection>::kType, Entry::Layout::kObject, kNoExpiry, 8);
    new (entry->word()) Collection(std::forward<T>(collection));
    return entry;
  }
  // Frees the entry and what it holds.
  static void destroy(Entry* entry);

  // Writes the value into the entry's own block, if it gives the same block with the same expiry (a
  // time or kNoExpiry); false: it does not.
  static bool overwrite(Entry* entry, const StringValue& value, int64_t expire_at_ms);
  // A block with this name and this expiry that takes over value and access bits; the old block,
  // now empty, is freed.
  static Entry* rebuild(Entry* entry, std::string_view key, int64_t expire_at_ms);
  // See Keyspace::edit_string. Returns the entry, moved or not, and sets `bytes`.
  static Entry* edit(Entry* entry, size_t new_length, ae::MutableBytes& bytes);
  // Sets the time of an entry that has one already.
  static void replace_expiry(Entry* entry, int64_t expire_at_ms);

  // Everything copied, for COPY.
  static Entry* copy(const Entry& entry);

  // Frees up to `budget` elements of the collection; returns how many. Fewer than asked for: it is
  // empty.
  static size_t free_some(Entry* entry, size_t budget);

 private:
  using Layout = Entry::Layout;

  struct Shape {
    Layout layout;
    size_t value_bytes;
  };
  static Shape shape_of(size_t prefix_bytes, const StringValue& value);
  static size_t prefix_bytes(size_t key_bytes, int64_t expire_at_ms);
  static size_t block_bytes(size_t prefix_bytes, Shape shape);
  static Entry* allocate(std::string_view key, Type type, Layout layout, int64_t expire_at_ms,
                         size_t value_bytes);
  static void write_value(Entry* entry, Shape shape, const StringValue& value);
  static void set_heap_string(Entry* entry, const HeapString* string);
  static void set_layout(Entry* entry, Type type, Layout layout);
  static void release_value(Entry* entry);
  static Entry* edit_inline(Entry* entry, size_t new_length, ae::MutableBytes& bytes);
  static Entry* edit_heap(Entry* entry, size_t new_length, ae::MutableBytes& bytes);
};

// Owns an entry that is in no keyspace.
class Detached {
 public:
  Detached() = default;
  explicit Detached(Entry* entry) : entry_(entry) {}
  ~Detached() {
    if (entry_ != nullptr) EntryStore::destroy(entry_);
  }
  Detached(Detached&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
  Detached& operator=(Detached&& other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
  }

  // A deep copy, for COPY.
  static Detached copy_of(const Entry& entry) { return Detached(EntryStore::copy(entry)); }

  explicit operator bool() const { return entry_ != nullptr; }
  Entry& operator*() const { return *entry_; }
  Entry* operator->() const { return entry_; }
  Entry* get() const { return entry_; }
  Entry* release() { return std::exchange(entry_, nullptr); }

 private:
  Entry* entry_ = nullptr;
};

}  // namespace millrace
