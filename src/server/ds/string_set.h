// StringSet: distinct byte strings, in no order. The value of a Redis set.
//
// Three encodings, one word:
//
//     word_ = block | 0        "intset": sorted integers, while every member is one (int_set.h)
//     word_ = block | 2        "listpack": a few short strings, in order of arrival
//     word_ = Table* | 1       "hashtable": HashTable ──> Member { length, bytes }, one slab cell
//     each
//
// An integer set that gets its first other member becomes a listpack if it is small enough, else a
// table; both small encodings become a table when they outgrow their limits. It never goes back.
//
// Invariants
//   1. Members of an intset, and of a listpack, are within the limits in number; those of a
//   listpack
//      also in length.
//   2. No member twice.
//
// Costs for n members. Intset: contains O(log n), changes O(n) with n at most 512 by default.
// Listpack: O(n), n at most 128 by default. Table: everything O(1) but walks.
//
// Views that a visitor gets are good during the call; a visitor must not change the set. No thread
// safety. Intersection, union and difference are in set_algebra.h.
//
//   StringSet tags;
//   tags.add("red", limits);
//   tags.pop_random(prng, [&](std::string_view member) { reply.bulk(member); });
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "ae/base/prng.h"
#include "server/ds/collection_limits.h"
#include "server/ds/function_ref.h"

namespace millrace::ds {

class IntSet;
class Listpack;
class ListpackView;

class StringSet {
 public:
  enum class Encoding { kIntSet, kListpack, kHashTable };

  using Visit = FunctionRef<void(std::string_view member)>;
  using StepVisit = FunctionRef<Step(std::string_view member)>;

  StringSet() : StringSet(empty_word()) {}
  ~StringSet();
  StringSet(StringSet&& other) noexcept : word_(std::exchange(other.word_, empty_word())) {}
  StringSet& operator=(StringSet&& other) noexcept;

  // An empty set in the encoding that suits `members` members of which `first` is one (SADD's rule
  // for a new key).
  static StringSet sized_for(std::string_view first, size_t members, const StringSetLimits& limits);

  // Converts now if so many members at once would not fit the small encodings (SADD's rule for an
  // existing key).
  void expect(size_t members, const StringSetLimits& limits);

  StringSet copy() const;

  // False: it was there already.
  bool add(std::string_view member, const StringSetLimits& limits);
  // False: it was not there.
  bool erase(std::string_view member);

  bool contains(std::string_view member) const;
  uint64_t size() const;
  bool empty() const { return size() == 0; }

  // Stages of a batch: fetch the line where a member with this hash stands or would (the listpack
  // itself, if it is one); then, when that line is here, the member.
  void prefetch_place(uint64_t hash) const;
  void prefetch_member(uint64_t hash) const;

  void for_each(Visit visit) const;
  // The same, until the visitor says stop.
  void for_each_until(StepVisit visit) const;

  // One member, chosen at random; the set is not empty.
  void random(ae::Prng& prng, Visit visit) const;
  // `count` of them. Unique: at most all. An empty set gives none.
  void random(uint64_t count, Repetition repetition, ae::Prng& prng, Visit visit) const;
  // Visits and removes one member chosen at random; the set is not empty.
  void pop_random(ae::Prng& prng, Visit visit);
  // The same with up to `count` members; returns how many.
  uint64_t pop_random(uint64_t count, ae::Prng& prng, Visit visit);

  // SSCAN: visits some members, returns the cursor to go on with, 0 at the end. A member present
  // from the first call to the last is visited, even if the set changes in between. Starts at 0.
  uint64_t scan(uint64_t cursor, Visit visit) const;

  Encoding encoding() const {
    const uintptr_t tag = word_ & kTagMask;
    if (tag == kTableTag) return Encoding::kHashTable;
    return tag == kListpackTag ? Encoding::kListpack : Encoding::kIntSet;
  }
  std::string_view encoding_name() const;

  // The bytes of the intset or the listpack, which RDB carries as they are; nothing if it is a
  // table.
  std::optional<std::string_view> raw() const;
  // Take over a listpack without a member twice, an intset.
  static StringSet from_pack(Listpack pack);
  static StringSet from_integers(IntSet integers);

  // Heap behind this object. O(1).
  size_t memory_bytes() const;

  // Does up to `budget` members' worth of freeing and returns how much; budget > 0. Less than asked
  // for: all is freed, the set is empty. Between the first such call and the last only the
  // destructor may be called instead.
  size_t free_some(size_t budget);

  // Aborts unless the invariants hold (1 for the limits given).
  void check(const StringSetLimits& limits = {}) const;

 private:
  class DrawnAhead;
  struct Table;
  static constexpr uintptr_t kTagMask = 3;
  static constexpr uintptr_t kIntSetTag = 0;
  static constexpr uintptr_t kTableTag = 1;
  static constexpr uintptr_t kListpackTag = 2;

  explicit StringSet(uintptr_t word) : word_(word) {}
  static uintptr_t empty_word();

  Table& table() const {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the tag shares the word with the pointer
    return *reinterpret_cast<Table*>(word_ - kTableTag);
  }
  ListpackView pack() const;

  void convert_to_table();
  void convert_to_listpack();
  bool may_become_listpack(std::string_view newcomer, const StringSetLimits& limits) const;
  bool add_to_integers(std::string_view member, const StringSetLimits& limits);
  bool add_integer(int64_t member, const StringSetLimits& limits);
  bool add_to_pack(std::string_view member, const StringSetLimits& limits);
  bool add_to_table(std::string_view member);

  uintptr_t word_;
};

static_assert(sizeof(StringSet) == sizeof(void*));

}  // namespace millrace::ds
