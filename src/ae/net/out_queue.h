// Output that has to wait: a list of chunks, and the pool they come from.
//
//   OutQueue   first -> [hdr|sent|unsent......] -> [hdr|unsent....] -> [hdr|unsent|free] <- last
//                            ^begin        ^end
//
// The usual reply never gets here: it is a view that the kernel takes at once. What does get here
// is a copied send(), or the part of a view that the kernel refused. The first chunk of a queue is
// small, because a message to each of a hundred thousand subscribers is small; a queue that goes on
// gets larger chunks, so that a gathered write of kMaxGatheredPieces moves a megabyte.
//
// Invariants:
//  1. bytes() is the sum of end - begin over the chunks; no chunk in a queue is empty.
//  2. An empty queue owns no chunk.
//  3. Bytes between begin and end do not move while they are queued (a send may be under way on
//  them).
//
// Costs: append O(bytes), one allocation or none per chunk; gather O(pieces); consume O(chunks
// freed). Thread: the loop's. A queue must be cleared before it dies: it does not know its pool.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

#include "ae/base/bytes.h"

namespace ae {

struct OutChunk {
  OutChunk* next;
  uint32_t capacity;  // bytes behind the header
  uint32_t begin;
  uint32_t end;
  uint32_t size_class;

  char* data() { return reinterpret_cast<char*>(this + 1); }
  size_t size() const { return end - begin; }
  size_t free() const { return capacity - end; }
};

// Free chunks by size class, bounded.
class ChunkPool {
 public:
  // Whole sizes, header included, so that they fall into the allocator's own classes. 512 holds a
  // pushed message, 4 KiB a page of a reply, 16 KiB is where copying costs more than the header.
  static constexpr size_t kClassBytes[] = {512, 4 * 1024, 16 * 1024};
  static constexpr uint32_t kClasses = 3;
  static constexpr uint32_t kUnpooled = kClasses;
  // A larger piece gets chunks of its own, so that a long reply gives memory back while it leaves.
  static constexpr size_t kMaxChunkBytes = 1024 * 1024;
  // Kept for reuse: enough that slow readers who come and go at the usual rate cost no allocation,
  // little enough that ten thousand of them leave nothing behind that one would see.
  static constexpr size_t kMaxPooledBytes = 256 * 1024;

  ChunkPool() = default;
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;
  ~ChunkPool();

  // A chunk for `bytes`, or as many of them as one chunk may hold; at least of `least_class`.
  OutChunk* take(size_t bytes, uint32_t least_class);
  void give(OutChunk* chunk);
  size_t pooled_bytes() const { return pooled_bytes_; }
  // In queues: whole chunks.
  size_t lent_bytes() const { return lent_bytes_; }

 private:
  OutChunk* free_[kClasses] = {};
  size_t pooled_bytes_ = 0;
  size_t lent_bytes_ = 0;
};

class OutQueue {
 public:
  // Pieces of one gathered write. Linux takes 1024 (IOV_MAX); with 16 KiB chunks 64 pieces are more
  // than a socket's send buffer takes at once.
  static constexpr size_t kMaxGatheredPieces = 64;

  bool empty() const { return bytes_ == 0; }
  size_t bytes() const { return bytes_; }

  void append(ChunkPool& pool, Bytes bytes);
  // Takes over the chunks of `behind`, which is empty afterwards.
  void splice(OutQueue& behind);
  // Describes the first bytes in up to `room` pieces; returns how many.
  size_t gather(iovec* pieces, size_t room) const;
  // The first `count` bytes have left.
  void consume(ChunkPool& pool, size_t count);
  void clear(ChunkPool& pool);

 private:
  OutChunk* first_ = nullptr;
  OutChunk* last_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace ae
