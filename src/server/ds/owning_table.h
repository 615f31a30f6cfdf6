// A HashTable that owns its elements, counts their bytes and frees them in slices: the large
// encoding of FieldMap and StringSet.
//
// `Element` is made by create(...) and copy(element), unmade by destroy(Element*), says
// memory_bytes() of itself, and `KeyOf` names its key. The methods are those of HashTable, less
// what the two do not need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "ae/base/assert.h"
#include "ae/base/prng.h"
#include "server/ds/collection_limits.h"
#include "server/ds/function_ref.h"
#include "server/ds/hash.h"
#include "server/ds/hash_table.h"
#include "server/ds/sampling.h"

namespace millrace::ds {

template <typename Policy>
class OwningTable {
 public:
  using Element = typename Policy::Element;
  using Table = HashTable<Policy>;
  using Slot = typename Table::Slot;
  using Visit = FunctionRef<void(const Element&)>;

  OwningTable() = default;
  ~OwningTable() {
    table_.clear([](Element* element) { Element::destroy(element); });
  }
  OwningTable(const OwningTable&) = delete;
  OwningTable& operator=(const OwningTable&) = delete;

  // Of an empty table.
  void copy_from(const OwningTable& other) {
    table_.copy_from(other.table_, [](const Element& element) { return Element::copy(element); });
    element_bytes_ = other.element_bytes_;
  }

  size_t size() const { return table_.size(); }
  Element* find(std::string_view key, uint64_t hash) const { return table_.find(key, hash); }
  Slot find_slot(std::string_view key, uint64_t hash) const { return table_.find_slot(key, hash); }

  void prefetch_bucket(uint64_t hash) const { table_.prefetch_bucket(hash); }
  void prefetch_element(uint64_t hash) const { table_.prefetch_element(hash); }

  // The element's key must be absent.
  void insert(Element* element, uint64_t hash) {
    element_bytes_ += element->memory_bytes();
    table_.insert(element, hash);
  }
  // Another element with the same key takes the place of the one there, which is destroyed.
  void replace(Slot slot, Element* element) {
    element_bytes_ += element->memory_bytes();
    Element* const old = slot.element();
    slot.replace(element);
    destroy(old);
  }
  void erase(Slot slot) { destroy(table_.remove(slot)); }
  bool erase(std::string_view key) {
    const Slot slot = table_.find_slot(key, hash_bytes(key));
    if (slot) erase(slot);
    return static_cast<bool>(slot);
  }

  // The table is not empty.
  const Element& random(ae::Prng& prng) const { return *table_.random(prng); }
  // Several, perhaps some twice, their cache misses overlapped; prefetched.
  void draw(ae::Prng& prng, std::span<Element*> out) const { table_.sample(prng, out); }
  // Of an element of this table.
  Slot slot_of(const Element& element) const {
    const Slot slot = table_.slot_of(&element, hash_bytes(Policy::key(element)));
    AE_ASSERT(slot);
    return slot;
  }
  void sample(uint64_t count, Repetition repetition, ae::Prng& prng, Visit visit) const;

  void for_each(Visit visit) const { table_.for_each(visit); }
  uint64_t scan(uint64_t cursor, Visit visit) const { return table_.scan(cursor, visit); }

  size_t memory_bytes() const { return table_.memory_bytes() + element_bytes_; }

  // Frees about `budget` elements; true if none is left. In between only this and the destructor
  // may be called.
  bool free_some(size_t budget) {
    return table_.clear_step(budget, [&](Element* element) { destroy(element); });
  }

  void check() const;

 private:
  void destroy(Element* element) {
    element_bytes_ -= element->memory_bytes();
    Element::destroy(element);
  }
  void sample_walking(uint64_t count, ae::Prng& prng, Visit visit) const;
  void sample_drawing(uint64_t count, ae::Prng& prng, Visit visit) const;

  Table table_;
  size_t element_bytes_ = 0;
};

template <typename Policy>
void OwningTable<Policy>::sample(uint64_t count, Repetition repetition, ae::Prng& prng,
                                 Visit visit) const {
  if (size() == 0) return;
  if (repetition == Repetition::kRepeating) {
    for (; count != 0; --count) visit(random(prng));
  } else if (walks(size(), count)) {
    sample_walking(count, prng, visit);
  } else {
    sample_drawing(count, prng, visit);
  }
}

template <typename Policy>
void OwningTable<Policy>::sample_walking(uint64_t count, ae::Prng& prng, Visit visit) const {
  SequentialSample sample(size(), count);
  uint64_t cursor = 0;
  do {
    cursor = table_.scan(cursor, [&](const Element& element) {
      if (sample.takes_next(prng)) visit(element);
    });
  } while (cursor != 0 && !sample.done());
}

// At most a third is drawn, so at most one draw in three is in vain.
template <typename Policy>
void OwningTable<Policy>::sample_drawing(uint64_t count, ae::Prng& prng, Visit visit) const {
  SeenSet seen(count);
  while (count != 0) {
    const Element& element = random(prng);
    if (!seen.insert(reinterpret_cast<uintptr_t>(&element))) continue;
    visit(element);
    --count;
  }
}

template <typename Policy>
void OwningTable<Policy>::check() const {
  table_.check();
  size_t bytes = 0;
  table_.for_each([&](const Element& element) {
    bytes += element.memory_bytes();
    const std::string_view key = Policy::key(element);
    AE_ASSERT(table_.find(key, hash_bytes(key)) == &element);
  });
  AE_ASSERT(bytes == element_bytes_);
}

}  // namespace millrace::ds
