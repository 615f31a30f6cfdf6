// Heap blocks of the data structures: one family of calls (malloc, realloc, free), in one place, so
// that accounting or another allocator is one edit away.
//
// Every caller says the size of the block when it resizes or frees it. Nobody stores that size: a
// structure that knows how many bytes it uses (a listpack says so in its first four) derives the
// size of its block from them through block_capacity(). So an owner is one pointer, and the block
// is never larger than what the allocator would have handed out for the bytes in use anyway.
//
// Out of memory is not an operating error here: it aborts, as it does for operator new in this
// tree.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdlib>

#include "ae/base/assert.h"

namespace millrace::ds {

// The size class that `bytes` falls into: 8, multiples of 16 up to 128, then four classes to each
// doubling (160, 192, 224, 256, 320, ...). These are jemalloc's classes, so under jemalloc rounding
// up costs no memory at all, and a structure that grows by a few bytes at a time is resized only
// when it leaves its class: rarely, and geometrically for large ones. At most 25 % of a block is
// slack.
constexpr std::size_t block_capacity(std::size_t bytes) {
  if (bytes <= 8) return 8;
  if (bytes <= 128) return (bytes + 15) & ~std::size_t{15};
  const std::size_t step = std::bit_floor(bytes - 1) / 4;
  return (bytes + step - 1) & ~(step - 1);
}

inline void* block_allocate(std::size_t bytes) {
  void* block = std::malloc(bytes);
  AE_ASSERT(block != nullptr);
  return block;
}

// The first min(old_bytes, new_bytes) bytes survive; the block may move.
inline void* block_resize(void* block, [[maybe_unused]] std::size_t old_bytes,
                          std::size_t new_bytes) {
  void* resized = std::realloc(block, new_bytes);
  AE_ASSERT(resized != nullptr);
  return resized;
}

inline void block_free(void* block, [[maybe_unused]] std::size_t bytes) {
  std::free(block);
}

}  // namespace millrace::ds
