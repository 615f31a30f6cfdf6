// Memory for small things in great numbers: keyspace entries, hash fields, set and sorted set
// members.
//
//   void* cell = ds::slab().allocate(54);   // 56 bytes, 8-byte aligned
//   ds::slab().release(cell, 54);           // the same size again: a cell does not know its own
//
// Why not malloc: jemalloc has size classes 48 and 64 and nothing between, so that the commonest
// entry (16-byte key, 32-byte value, 54 bytes in all) would cost 64; glibc would add 8 bytes and
// round to
// 16. Here the classes are 8 bytes apart up to 512, and beyond that the waste of malloc is small
// and operator new is asked.
//
// Layout. A slab is 64 KiB, aligned to its size, and holds cells of one class. Its header is found
// from a cell's address by masking; but were it at the start of the slab, the headers of all slabs
// would share one set of the cache (64 KiB is the period of a 1 MiB 16-way L2), and each release()
// would miss. So the header's offset is coloured by the slab's address, and cells stand on both
// sides:
//
//      base                    base + 64 * (slab number mod 1024)                    base + 64 KiB
//        | cell | cell | cell ..|  header, 64 B  | cell | cell | ...           | slack |
//
// (Colouring is J. Bonwick's, "The Slab Allocator", USENIX 1994, as is the name.)
//
// Invariants:
//  1. header.live = cells handed out and not released; 1 <= live, but for the one spare slab.
//  2. A slab is in its class' list of partial slabs exactly when it has a free cell.
//  3. Free cells are on header.free_list or at or beyond header.bump.
//  4. Sum over slabs of live * cell size = stats().live_bytes.
//
// allocate() and release() are O(1), about 2 ns when the lines are in the cache. An empty slab goes
// back to malloc, all but one, which is kept so that a class at the edge does not thrash.
//
// Thread: the main thread alone. Commands run on one loop, so one instance serves the process and
// is reached without the thread-pointer arithmetic; what other threads hold does not come from
// here. Under AddressSanitizer free cells are poisoned.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "ae/base/assert.h"

#if defined(__SANITIZE_ADDRESS__)
#define MILLRACE_SLAB_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MILLRACE_SLAB_ASAN 1
#endif
#endif

#ifdef MILLRACE_SLAB_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace millrace::ds {

class Slab {
 public:
  static constexpr size_t kCellStep = 8;
  static constexpr size_t kMaxCellBytes = 512;
  static constexpr size_t kSlabBytes = 64 * 1024;

  struct Stats {
    size_t live_bytes = 0;      // cells handed out, rounded up to their class
    size_t reserved_bytes = 0;  // slabs held; reserved - live is this allocator's fragmentation
    size_t large_bytes = 0;     // handed out by operator new, beyond kMaxCellBytes
  };

  constexpr Slab() = default;
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  // Never null: without memory the process ends, as a cache that cannot store has nothing to say.
  // bytes > 0.
  void* allocate(size_t bytes);
  // `bytes` is what allocate() was asked for, or anything of the same size class.
  void release(void* cell, size_t bytes);

  // What allocate(bytes) takes from memory.
  static constexpr size_t rounded(size_t bytes) {
    return bytes <= kMaxCellBytes ? (bytes + kCellStep - 1) & ~(kCellStep - 1) : bytes;
  }

  const Stats& stats() const { return stats_; }
  // Gives the spare slab back to malloc (MEMORY PURGE).
  void trim();
  // Walks every partial slab and asserts the invariants. For tests.
  void check() const;

 private:
  struct FreeCell {
    FreeCell* next;
  };

  struct alignas(64) Header {
    FreeCell* free_list;
    char* bump;      // next cell never yet handed out
    char* bump_end;  // end of the stretch of cells that bump is in
    Header* next_partial;
    Header* previous_partial;
    uint32_t live;
    uint32_t cell_bytes;
  };
  static_assert(sizeof(Header) == 64);

  static constexpr size_t kClassCount = kMaxCellBytes / kCellStep + 1;

  static char* base_of(const void* cell) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a slab is found from a cell by masking
    return reinterpret_cast<char*>(reinterpret_cast<uintptr_t>(cell) & ~(kSlabBytes - 1));
  }
  static Header* header_in(char* base) {
    const size_t colour = reinterpret_cast<uintptr_t>(base) / kSlabBytes % (kSlabBytes / 64);
    return reinterpret_cast<Header*>(base + colour * 64);
  }
  static void poison(void* cell, size_t bytes);
  static void unpoison(void* cell, size_t bytes);

  void* allocate_slow(size_t index);
  void* allocate_large(size_t bytes);
  void release_large(void* block, size_t bytes);
  Header* new_slab(size_t index);
  static void skip_to_second_stretch(Header* header);
  static void check_cells(const Header* header);
  void became_empty(Header* header, size_t index);
  void link(Header* header, size_t index);
  void unlink(Header* header, size_t index);

  std::array<Header*, kClassCount> partial_{};
  char* spare_ = nullptr;  // one empty slab of no class
  Stats stats_;
};

namespace slab_detail {
inline constinit Slab process_slab;
}

inline Slab& slab() {
  return slab_detail::process_slab;
}

inline void Slab::poison([[maybe_unused]] void* cell, [[maybe_unused]] size_t bytes) {
#ifdef MILLRACE_SLAB_ASAN
  __asan_poison_memory_region(cell, bytes);
#endif
}

inline void Slab::unpoison([[maybe_unused]] void* cell, [[maybe_unused]] size_t bytes) {
#ifdef MILLRACE_SLAB_ASAN
  __asan_unpoison_memory_region(cell, bytes);
#endif
}

inline void* Slab::allocate(size_t bytes) {
  AE_DCHECK(bytes > 0);
  if (bytes > kMaxCellBytes) return allocate_large(bytes);
  const size_t index = (bytes + kCellStep - 1) / kCellStep;
  Header* header = partial_[index];
  if (header == nullptr || header->free_list == nullptr) return allocate_slow(index);
  FreeCell* cell = header->free_list;
  unpoison(cell, index * kCellStep);
  header->free_list = cell->next;
  ++header->live;
  stats_.live_bytes += index * kCellStep;
  if (header->free_list == nullptr && header->bump == header->bump_end) unlink(header, index);
  return cell;
}

inline void Slab::release(void* cell, size_t bytes) {
  if (bytes > kMaxCellBytes) return release_large(cell, bytes);
  const size_t index = (bytes + kCellStep - 1) / kCellStep;
  Header* header = header_in(base_of(cell));
  AE_DCHECK(header->cell_bytes == index * kCellStep);
  const bool was_full = header->free_list == nullptr && header->bump == header->bump_end;
  auto* freed = static_cast<FreeCell*>(cell);
  freed->next = header->free_list;
  header->free_list = freed;
  poison(cell, index * kCellStep);
  stats_.live_bytes -= index * kCellStep;
  if (was_full) link(header, index);
  if (--header->live == 0) became_empty(header, index);
}

}  // namespace millrace::ds
