// A table of records that are named by slot + generation instead of by pointer.
//
//   struct FileId { uint32_t slot = 0, generation = 0; };
//   ae::SlotMap<Registration, FileId> files;
//   FileId id = files.emplace(handler, fd);
//   if (Registration* file = files.find(id)) ...    // null once it has been erased
//
// Why an id and not a pointer: events, timers and other threads remember things for longer than the
// things live. A dangling pointer is a crash at best; a stale id is a comparison that fails.
//
//   chunk 0                              chunk 1
//   +--------+--------+-----+--------+   +--------+----
//   | record | record | ... | record |   | record | ...     slot = chunk * kSlotsPerChunk + index
//   +--------+--------+-----+--------+   +--------+----
//   | gen 1  | gen 4  | ... | gen 7  |   | gen 1  | ...     4 bytes each, kept apart: no padding
//   +--------+--------+-----+--------+   +--------+----
//
// Invariants:
//  1. A slot's generation is odd while the slot is taken and even while it is free, and grows by
//  one
//     at each change; hence no id of a live record has generation 0, and 0 names nothing.
//  2. A record never moves: growth adds a chunk of at most kChunkBytes, and a table of a million
//     records has neither a copy nor one great allocation in its life.
//  3. Free slots form a stack whose links lie in the free records themselves. The slot freed last
//  is
//     reused first: its cache lines are warm.
//  4. Slots at and above `reached_` were never used, and their memory was never touched.
//
// Costs: emplace, erase, find O(1); memory sizeof(T) + 4 per slot ever used at once, plus 8 bytes
// per chunk. Chunks are not given back: the table stays as large as its fullest moment. A
// generation comes back after 2^31 reuses of the same slot; an id kept for so long may then name a
// stranger.
//
// The idea is old; see "generational index" in the games literature, and Allan Deutsch's "slot map"
// (C++Now 2017) for a survey.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "ae/base/assert.h"

namespace ae {

// An id for those that need no type of their own.
struct SlotId {
  uint32_t slot = 0;
  uint32_t generation = 0;  // 0 names nothing
  bool valid() const { return generation != 0; }
  friend bool operator==(SlotId, SlotId) = default;
};

template <typename T, typename Id = SlotId>
class SlotMap {
 public:
  // Small enough for an allocator's ordinary size classes, large enough that the chunk table of a
  // million records fits a few pages.
  static constexpr size_t kChunkBytes = 64 * 1024;
  static constexpr uint32_t kSlotsPerChunk =
      std::bit_floor(uint32_t{kChunkBytes / (sizeof(T) + sizeof(uint32_t))});
  static_assert(kSlotsPerChunk >= 1, "a record larger than a chunk");
  static_assert(sizeof(T) >= sizeof(uint32_t), "a free record holds the link of the free stack");

  SlotMap() = default;
  SlotMap(const SlotMap&) = delete;
  SlotMap& operator=(const SlotMap&) = delete;
  ~SlotMap() {
    for (uint32_t slot = 0; slot < reached_; ++slot) {
      if (live(slot)) record(slot).~T();
    }
  }

  template <typename... Args>
  Id emplace(Args&&... args) {
    const uint32_t slot = take_free_slot();
    ::new (place(slot)) T{std::forward<Args>(args)...};
    ++size_;
    return Id{slot, ++generation(slot)};
  }

  // False if the id is stale.
  bool erase(Id id) {
    T* found = find(id);
    if (found == nullptr) return false;
    found->~T();
    ++generation(id.slot);
    std::memcpy(place(id.slot), &free_top_, sizeof(free_top_));
    free_top_ = id.slot;
    --size_;
    return true;
  }

  T* find(Id id) {
    if (id.slot >= reached_ || generation(id.slot) != id.generation) return nullptr;
    return (id.generation & 1) != 0 ? &record(id.slot) : nullptr;
  }
  const T* find(Id id) const { return const_cast<SlotMap*>(this)->find(id); }

  // By slot alone, for links between records of one table. The slot is taken.
  T& at(uint32_t slot) {
    AE_DCHECK(live(slot));
    return record(slot);
  }
  const T& at(uint32_t slot) const { return const_cast<SlotMap*>(this)->at(slot); }
  bool live(uint32_t slot) const { return slot < reached_ && (generation(slot) & 1) != 0; }
  Id id_of(uint32_t slot) const {
    AE_DCHECK(live(slot));
    return Id{slot, generation(slot)};
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Slots ever used at once: every slot of a live record is below.
  uint32_t reached() const { return reached_; }

  // Walks in slices: looks at up to `slots` slots from `cursor` on and calls visitor(Id, T&) for
  // the live ones. Returns the cursor to go on with, 0 at the end. The visitor may erase anything
  // and insert anything; what is inserted meanwhile may or may not be visited.
  template <typename Visitor>
  uint32_t visit(uint32_t cursor, size_t slots, Visitor&& visitor) {
    for (; slots > 0 && cursor < reached_; --slots, ++cursor) {
      if (live(cursor)) visitor(Id{cursor, generation(cursor)}, record(cursor));
    }
    return cursor < reached_ ? cursor : 0;
  }

 private:
  static constexpr uint32_t kNoSlot = UINT32_MAX;

  struct Chunk {
    alignas(T) std::byte records[kSlotsPerChunk * sizeof(T)];
    uint32_t generations[kSlotsPerChunk];
  };

  uint32_t take_free_slot() {
    if (free_top_ == kNoSlot) return reach_new_slot();
    const uint32_t slot = free_top_;
    std::memcpy(&free_top_, place(slot), sizeof(free_top_));
    return slot;
  }

  uint32_t reach_new_slot() {
    AE_ASSERT(reached_ != kNoSlot);
    // Default-initialised, not zeroed: pages that hold no record yet stay untouched.
    if (reached_ % kSlotsPerChunk == 0) chunks_.emplace_back(new Chunk);
    generation(reached_) = 0;
    return reached_++;
  }

  Chunk& chunk(uint32_t slot) const { return *chunks_[slot / kSlotsPerChunk]; }
  void* place(uint32_t slot) const {
    return chunk(slot).records + sizeof(T) * (slot % kSlotsPerChunk);
  }
  T& record(uint32_t slot) const { return *std::launder(static_cast<T*>(place(slot))); }
  uint32_t& generation(uint32_t slot) const {
    return chunk(slot).generations[slot % kSlotsPerChunk];
  }

  std::vector<std::unique_ptr<Chunk>> chunks_;
  uint32_t reached_ = 0;
  uint32_t free_top_ = kNoSlot;
  size_t size_ = 0;
};

}  // namespace ae
