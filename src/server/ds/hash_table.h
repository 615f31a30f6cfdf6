// The hash table under the keyspace and under big sets, hashes and sorted sets.
//
//   struct MemberPolicy {
//     using Element = Member;                                    // 8-byte aligned
//     static std::string_view key(const Member& m) { return m.text(); }
//   };
//   ds::HashTable<MemberPolicy> table;
//   const uint64_t hash = ds::hash_bytes("alice");
//   if (table.find("alice", hash) == nullptr) table.insert(new_member("alice"), hash);
//   Member* gone = table.remove("alice", hash);                  // now the caller's to free
//
// It stores pointers to elements, at 9.1 to 12 bytes each, and does not own what they point to:
// whoever destroys a table that has elements has destroyed them, or does it with clear().
//
// WHAT IT IS. Extendible hashing (R. Fagin, J. Nievergelt, N. Pippenger, H. R. Strong, 1979) over
// segments of cache-line buckets:
//
//   directory, indexed by the top bits of the hash        segment: 1 to 125 buckets of 64 bytes
//   +-------------------------------+                      +--------+--------+--     --+--------+
//   | block | buckets | m | depth 2 | -------------------> | 8 slots| 8 slots|   ...   | 8 slots|
//   +-------------------------------+                      +--------+--------+--     --+--------+
//   | block | buckets | m | depth 3 | --> ...              slot: 16-bit tag, mark, pointer
//   +-------------------------------+                      bucket = (tag * buckets) >> 16
//   | block | buckets | m | depth 3 | --> ...              details: hash_segment.h
//   +-------------------------------+
//
// A lookup is three dependent loads: the directory word (in L2: 8 bytes per 700 elements), one
// bucket line, the element. The tags let through one in 600 of the elements that are not the
// one asked for.
//
// GROWTH. A segment at 90 % gets half as many or 16 more buckets: its slots are moved, its elements
// are not touched, for the tag is in the slot. A full segment of 125 splits in two; their tags
// begin one bit lower in the hash, which the slot knows too (hash_segment.h), so that again slots
// are moved and elements are not touched. Nothing else grows but the directory (a copy of 8 bytes
// per segment), so no operation takes long, and no block is larger than 8 KiB. Removal shrinks and
// merges in the same steps, with a gap of 30 % of the load between where it grows and where it
// shrinks. Block sizes are jemalloc's classes.
//
// ORDER. Buckets are in the order of hashes, whatever the depth and bucket count. So a scan's
// cursor is simply a hash: "all below this have been reported". It lives in the client, survives
// growing and shrinking, and each element that is there throughout is reported exactly once. (Redis
// reaches a weaker promise, at least once, by counting in bit-reversed order: P. Noordhuis.)
//
// MARKS. Each element can carry one bit, kept in the slot, so that the marked ones (keys with an
// expiry) can be found without a look at the others: scan_marked().
//
// BATCHES. prefetch_bucket() for all keys of a batch, then prefetch_element() for all, then find():
// the cache misses of a batch overlap instead of queueing.
//
// A stranger cannot build long chains, as the hash is keyed (hash.h). Should the hash be broken,
// equal prefixes make segments grow beyond 125 buckets rather than the directory grow without end
// (kMaxDirectoryPerSegment); the table stays right and becomes slow.
//
// Invariants: S1 to S5 of hash_segment.h, and
//  T1. directory size = 2^depth; a segment of depth d fills 2^(depth-d) consecutive words of it.
//  T2. an element's tag is the 16 bits of its hash below the segment's depth, and those above
//      are the segment's place in the directory.
//  T3. size and marked are the sums over the segments; the directory's m = (marked of segment > 0).
//  T4. some segment has depth = the directory's (otherwise the directory is halved).
//
// Costs: find, insert, remove O(1); the worst single insert is a split, about 40 us, at any
// size below 10^8 (growth_bench). A table of up to 8 elements is one bucket. An empty new table
// owns no heap.
//
// Thread: the owner's. Callbacks must not change the table. Errors: none; without memory the
// process ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "ae/base/assert.h"
#include "server/ds/hash.h"
#include "server/ds/hash_core.h"

namespace millrace::ds {

// `Policy::Element`, `Policy::key(const Element&)`; optionally `Policy::hash(const Element&)`, when
// it is not hash_bytes(key), and `Policy::kPrefetchBytes`, how much of an element a lookup reads
// (64).
template <class Policy>
class HashTable {
 public:
  using Element = typename Policy::Element;

  // A place in the table, for O(1) changes after one lookup. Valid until the next insert or remove.
  class Slot {
   public:
    Slot() = default;
    explicit operator bool() const { return ref_.word != nullptr; }
    Element* element() const { return static_cast<Element*>(slot_bits::pointer(*ref_.word)); }
    bool marked() const { return slot_bits::marked(*ref_.word); }
    // The element has moved. The key must be the same.
    void replace(Element* element) const { SlotRef(ref_).set_pointer(element); }

   private:
    friend class HashTable;
    explicit Slot(SlotRef ref) : ref_(ref) {}
    SlotRef ref_;
  };

  HashTable() : core_(&hash_of) {}

  // Of an empty table: the same elements, each f(const Element&), a copy with the same key. Much
  // less than inserting them: nothing is hashed and nothing grows.
  template <class F>
  void copy_from(const HashTable& other, F&& f) {
    core_.copy_from(other.core_,
                    [&](const void* p) -> void* { return f(*static_cast<const Element*>(p)); });
  }

  size_t size() const { return core_.size(); }
  bool empty() const { return core_.size() == 0; }
  size_t marked_count() const { return core_.marked_count(); }
  size_t bucket_count() const { return core_.bucket_count(); }
  // The table's own blocks; neither its elements nor sizeof(*this).
  size_t memory_bytes() const { return core_.memory_bytes(); }

  // In all that follows `hash` is the hash of `key`, computed once by the caller.

  Element* find(std::string_view key, uint64_t hash) const {
    const Slot slot = find_slot(key, hash);
    return slot ? slot.element() : nullptr;
  }
  Slot find_slot(std::string_view key, uint64_t hash) const {
    return Slot(core_.find(hash, [key](const void* element) {
      return Policy::key(*static_cast<const Element*>(element)) == key;
    }));
  }
  // The slot of an element known to be in the table, by its address: no key is compared.
  Slot slot_of(const Element* element, uint64_t hash) const {
    return Slot(core_.find(hash, [element](const void* other) { return other == element; }));
  }

  // Stages of a batch: see BATCHES above. Harmless for keys that are absent.
  void prefetch_bucket(uint64_t hash) const { core_.prefetch_bucket(hash); }
  void prefetch_element(uint64_t hash) const {
    core_.template prefetch_element<kPrefetchBytes>(hash);
  }

  // The key must be absent. The returned slot is for marking.
  Slot insert(Element* element, uint64_t hash) { return Slot(core_.insert(element, hash)); }

  // The element removed, now the caller's; null if there was none.
  Element* remove(std::string_view key, uint64_t hash) {
    const Slot slot = find_slot(key, hash);
    return slot ? remove(slot) : nullptr;
  }
  Element* remove(Slot slot) {
    Element* element = slot.element();
    core_.remove(slot.ref_);
    return element;
  }

  void mark(Slot slot) { core_.mark(slot.ref_); }
  void unmark(Slot slot) { core_.unmark(slot.ref_); }

  // A uniformly random element (of one segment, chosen by hash prefix: segments of one size differ
  // by about 2 %); null if the table is empty. `random()` gives 64 random bits.
  template <class Random>
  Element* random(Random&& random) const {
    return static_cast<Element*>(core_.random(random));
  }
  // Fills `out` with random elements, perhaps some twice, their cache misses overlapped; returns
  // how many: out.size(), or 0 if the table is empty.
  template <class Random>
  size_t sample(Random&& random, std::span<Element*> out) const {
    return core_.sample(
        random, [&](size_t i, void* p) { out[i] = static_cast<Element*>(p); }, out.size());
  }
  // The same among marked elements: neighbours in hash order from a random place on, each once.
  template <class Random>
  size_t sample_marked(Random&& random, std::span<Element*> out) const {
    size_t found = 0;
    core_.sample_marked(random(), out.size(),
                        [&](void* p) { out[found++] = static_cast<Element*>(p); });
    return found;
  }

  // Reports all elements of one bucket, f(Element&), and returns the cursor to go on with; 0 begins
  // a scan and is returned at its end. Any number is a valid cursor.
  template <class F>
  uint64_t scan(uint64_t cursor, F&& f) const {
    return core_.scan(cursor, [&](void* p) { f(*static_cast<Element*>(p)); });
  }
  // Visits up to `budget_buckets` buckets and reports the marked elements. A segment without any
  // costs as much as a bucket.
  template <class F>
  uint64_t scan_marked(uint64_t cursor, size_t budget_buckets, F&& f) const {
    return core_.scan_marked(cursor, budget_buckets,
                             [&](void* p) { f(*static_cast<Element*>(p)); });
  }
  // All elements, in hash order by bucket: f(Element&).
  template <class F>
  void for_each(F&& f) const {
    core_.for_each([&](void* p) { f(*static_cast<Element*>(p)); });
  }

  // Empties the table: f(Element*) gets each element, to free it. The heap is given back.
  template <class F>
  void clear(F&& f) {
    while (!clear_step(SIZE_MAX, f)) {
    }
  }
  // The same in slices of about `budget` elements; true when done. Between the steps nothing but
  // clear_step, size, memory_bytes and the destructor may be called.
  template <class F>
  bool clear_step(size_t budget, F&& f) {
    return core_.clear_step(budget, [&](void* p) { f(static_cast<Element*>(p)); });
  }

  // Asserts every invariant; touches every element. For tests.
  void check() const { core_.check(); }

 private:
  static constexpr size_t kPrefetchBytes = [] {
    if constexpr (requires { Policy::kPrefetchBytes; }) return size_t{Policy::kPrefetchBytes};
    return size_t{64};
  }();

  static uint64_t hash_of(const void* p) {
    const auto& element = *static_cast<const Element*>(p);
    if constexpr (requires { Policy::hash(element); }) {
      return Policy::hash(element);
    } else {
      return hash_bytes(Policy::key(element));
    }
  }

  HashCore core_;
};

}  // namespace millrace::ds
