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
//  3. The free slots of a chunk form a stack whose links lie in the free records themselves. The
//     slot freed last is reused first: its cache lines are warm.
//  4. A chunk is in the list of those with room exactly when it is there and has a free slot.
//  5. At most one chunk is empty. The next to become so is given back to the allocator; the one
//     that is kept spares a table at the edge an allocation each time it steps over it. The slots
//     of a chunk that comes again begin at the highest generation of its former life, so ids of
//     that life stay stale.
//
// Costs: emplace, erase, find O(1), and once per kSlotsPerChunk of them a chunk's generations are
// written or read; memory sizeof(T) + 4 per slot of the chunks that hold a record, plus 32 bytes
// per chunk there ever was. A generation comes back after 2^31 reuses of the same slot; an id kept
// for so long may then name a stranger.
//
// The idea is old; see "generational index" in the games literature, and Allan Deutsch's "slot map"
// (C++Now 2017) for a survey.
#pragma once

#include <algorithm>
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
  static constexpr size_t kSlotBytes = sizeof(T) + sizeof(uint32_t);
  static_assert(kSlotsPerChunk >= 1, "a record larger than a chunk");
  static_assert(sizeof(T) >= sizeof(uint32_t), "a free record holds the link of the free stack");

  SlotMap() = default;
  SlotMap(const SlotMap&) = delete;
  SlotMap& operator=(const SlotMap&) = delete;
  ~SlotMap() {
    for (uint32_t slot = 0; slot < reached(); ++slot) {
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
    --size_;
    put_back(id.slot);
    return true;
  }

  T* find(Id id) {
    if (!is_there(id.slot) || generation(id.slot) != id.generation) return nullptr;
    return (id.generation & 1) != 0 ? &record(id.slot) : nullptr;
  }
  const T* find(Id id) const { return const_cast<SlotMap*>(this)->find(id); }

  // By slot alone, for links between records of one table. The slot is taken.
  T& at(uint32_t slot) {
    AE_DCHECK(live(slot));
    return record(slot);
  }
  const T& at(uint32_t slot) const { return const_cast<SlotMap*>(this)->at(slot); }
  bool live(uint32_t slot) const { return is_there(slot) && (generation(slot) & 1) != 0; }
  Id id_of(uint32_t slot) const {
    AE_DCHECK(live(slot));
    return Id{slot, generation(slot)};
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Every slot of a live record is below.
  uint32_t reached() const { return uint32_t(chunks_.size()) * kSlotsPerChunk; }
  // Memory of the records there are, each with its generation.
  size_t live_bytes() const { return size_ * kSlotBytes; }
  // Memory held for records, in use or not.
  size_t reserved_bytes() const { return chunks_there_ * sizeof(Chunk); }

  // Walks in slices: looks at up to `slots` slots from `cursor` on and calls visitor(Id, T&) for
  // the live ones. Returns the cursor to go on with, 0 at the end. The visitor may erase anything
  // and insert anything; what is inserted meanwhile may or may not be visited.
  template <typename Visitor>
  uint32_t visit(uint32_t cursor, size_t slots, Visitor&& visitor) {
    for (; slots > 0 && cursor < reached(); --slots, ++cursor) {
      if (live(cursor)) visitor(Id{cursor, generation(cursor)}, record(cursor));
    }
    return cursor < reached() ? cursor : 0;
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Chunk {
    alignas(T) std::byte records[kSlotsPerChunk * sizeof(T)];
    uint32_t generations[kSlotsPerChunk];
  };

  // What is known of a chunk, there or given back.
  struct Room {
    uint32_t free_top = kNone;  // the stack of slots that were freed
    uint32_t touched = 0;       // slots at and above it were never used
    uint32_t live = 0;
    uint32_t first_generation = 0;  // of all slots when the chunk is made
    uint32_t next = kNone;          // in the list of chunks with room, or of those given back
    uint32_t previous = kNone;
  };

  bool is_there(uint32_t slot) const {
    return slot < reached() && chunks_[slot / kSlotsPerChunk] != nullptr;
  }

  uint32_t take_free_slot() {
    if (with_room_ == kNone) add_chunk();
    const uint32_t index = with_room_;
    Room& room = rooms_[index];
    if (room.live == 0) --empty_chunks_;
    if (++room.live == kSlotsPerChunk) unlink(index);
    if (room.free_top == kNone) return index * kSlotsPerChunk + room.touched++;
    const uint32_t slot = room.free_top;
    std::memcpy(&room.free_top, place(slot), sizeof(room.free_top));
    return slot;
  }

  void put_back(uint32_t slot) {
    const uint32_t index = slot / kSlotsPerChunk;
    Room& room = rooms_[index];
    std::memcpy(place(slot), &room.free_top, sizeof(room.free_top));
    room.free_top = slot;
    if (room.live-- == kSlotsPerChunk) link(index);
    if (room.live != 0) return;
    empty_chunks_ == 0 ? void(++empty_chunks_) : give_back(index);
  }

  void add_chunk() {
    uint32_t index = given_back_;
    if (index == kNone) {
      index = uint32_t(chunks_.size());
      AE_ASSERT(index < kNone / kSlotsPerChunk);
      chunks_.emplace_back();
      rooms_.emplace_back();
    } else {
      given_back_ = rooms_[index].next;
    }
    // Default-initialised, not zeroed: pages that hold no record yet stay untouched.
    chunks_[index].reset(new Chunk);
    std::ranges::fill(chunks_[index]->generations, rooms_[index].first_generation);
    ++chunks_there_;
    ++empty_chunks_;
    link(index);
  }

  void give_back(uint32_t index) {
    unlink(index);
    Room& room = rooms_[index];
    const uint32_t highest = std::ranges::max(chunks_[index]->generations);
    chunks_[index].reset();
    --chunks_there_;
    room = {.first_generation = highest, .next = std::exchange(given_back_, index)};
  }

  void link(uint32_t index) {
    Room& room = rooms_[index];
    room.previous = kNone;
    room.next = with_room_;
    if (with_room_ != kNone) rooms_[with_room_].previous = index;
    with_room_ = index;
  }

  void unlink(uint32_t index) {
    const Room& room = rooms_[index];
    if (room.next != kNone) rooms_[room.next].previous = room.previous;
    (room.previous != kNone ? rooms_[room.previous].next : with_room_) = room.next;
  }

  Chunk& chunk(uint32_t slot) const { return *chunks_[slot / kSlotsPerChunk]; }
  void* place(uint32_t slot) const {
    return chunk(slot).records + sizeof(T) * (slot % kSlotsPerChunk);
  }
  T& record(uint32_t slot) const { return *std::launder(static_cast<T*>(place(slot))); }
  uint32_t& generation(uint32_t slot) const {
    return chunk(slot).generations[slot % kSlotsPerChunk];
  }

  std::vector<std::unique_ptr<Chunk>> chunks_;  // null: given back
  std::vector<Room> rooms_;                     // beside it
  uint32_t with_room_ = kNone;
  uint32_t given_back_ = kNone;
  size_t empty_chunks_ = 0;
  size_t chunks_there_ = 0;
  size_t size_ = 0;
};

}  // namespace ae
