// FieldMap: fields with values, in no order. The value of a Redis hash.
//
// Two encodings, one word:
//
//     word_ = block            "listpack": field, value, field, value … in order of arrival, one
//     block word_ = Table* | 1       "hashtable": HashTable ──> Field { lengths, field, value }
//
// A Field is one slab cell that holds field and value together: one allocation, one cache miss, no
// pointers. Writing a value that fits the cell leaves it where it is; another goes to a new cell.
//
// Invariants
//   1. The listpack holds at most the limits' entries (pairs), no text longer than the limits'
//   value.
//   2. No field twice.
//   3. The encoding only ever changes from listpack to hash table.
//
// Costs for n fields. Listpack: everything O(n), n at most 128 by default. Table: everything O(1)
// but walks.
//
// Views that a visitor gets are good during the call; a visitor must not change the map. No thread
// safety.
//
//   FieldMap user;
//   user.set("name", "ada", limits);
//   Element::TextBuffer buffer;
//   if (auto name = user.get("name", buffer)) reply.bulk(*name);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "ae/base/prng.h"
#include "server/ds/collection_limits.h"
#include "server/ds/function_ref.h"
#include "server/ds/listpack.h"

namespace millrace::ds {

class FieldMap {
 public:
  enum class Encoding { kListpack, kHashTable };
  enum class SetResult { kCreated, kUpdated };

  using Visit = FunctionRef<void(std::string_view field, std::string_view value)>;

  FieldMap() : FieldMap(empty_word()) {}
  ~FieldMap();
  FieldMap(FieldMap&& other) noexcept : word_(std::exchange(other.word_, empty_word())) {}
  FieldMap& operator=(FieldMap&& other) noexcept;

  // Converts now if so many fields at once would not fit the small encoding (HSET's own rule).
  void expect(size_t fields, const ListpackLimits& limits);

  FieldMap copy() const;

  // The value, in the map or, if it is kept as an integer, formatted into `buffer`. Good until the
  // map changes or the buffer is used again.
  std::optional<std::string_view> get(std::string_view field, Element::TextBuffer& buffer) const;
  bool contains(std::string_view field) const;
  // HSTRLEN.
  std::optional<size_t> value_length(std::string_view field) const;
  uint64_t size() const;
  bool empty() const { return size() == 0; }

  // Stages of a batch: fetch the line where a field with this hash stands or would (the listpack
  // itself, if it is one); then, when that line is here, the field.
  void prefetch_place(uint64_t hash) const;
  void prefetch_member(uint64_t hash) const;

  SetResult set(std::string_view field, std::string_view value, const ListpackLimits& limits);
  // False: no such field.
  bool erase(std::string_view field);

  void for_each(Visit visit) const;

  // One field, chosen at random; the map is not empty.
  void random(ae::Prng& prng, Visit visit) const;
  // `count` of them. Unique: at most all. An empty map gives none.
  void random(uint64_t count, Repetition repetition, ae::Prng& prng, Visit visit) const;

  // HSCAN: visits some fields, returns the cursor to go on with, 0 at the end. A field present from
  // the first call to the last is visited, even if the map changes in between. Starts at 0.
  uint64_t scan(uint64_t cursor, Visit visit) const;

  Encoding encoding() const { return is_table() ? Encoding::kHashTable : Encoding::kListpack; }
  std::string_view encoding_name() const { return is_table() ? "hashtable" : "listpack"; }

  // The listpack's bytes, which RDB carries as they are; nothing if it is a table.
  std::optional<std::string_view> raw() const;
  // Takes over a listpack of pairs without a field twice.
  static FieldMap from_pack(Listpack pack);

  // Heap behind this object. O(1).
  size_t memory_bytes() const;

  // Does up to `budget` fields' worth of freeing and returns how much; budget > 0. Less than asked
  // for: all is freed, the map is empty. Between the first such call and the last only the
  // destructor may be called instead.
  size_t free_some(size_t budget);

  // Aborts unless the invariants hold (1 for the limits given).
  void check(const ListpackLimits& limits = {}) const;

 private:
  struct Table;
  static constexpr uintptr_t kListpackTag = 0;
  static constexpr uintptr_t kTableTag = 1;

  explicit FieldMap(uintptr_t word) : word_(word) {}
  static uintptr_t empty_word();

  bool is_table() const { return (word_ & kTableTag) != 0; }
  Table& table() const {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the tag shares the word with the pointer
    return *reinterpret_cast<Table*>(word_ - kTableTag);
  }
  ListpackView pack() const;

  void convert_to_table();
  bool fits_pack(std::string_view field, std::string_view value, const ListpackLimits& limits);
  SetResult set_in_pack(std::string_view field, std::string_view value,
                        const ListpackLimits& limits);
  SetResult set_in_table(std::string_view field, std::string_view value);

  uintptr_t word_;
};

static_assert(sizeof(FieldMap) == sizeof(void*));

}  // namespace millrace::ds
