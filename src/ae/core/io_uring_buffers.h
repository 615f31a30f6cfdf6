// The buffers that the kernel receives into: a ring of them, shared with the kernel, from which it
// picks one for each piece that arrives. An idle connection owns none.
//
// How many: as few as do. The kernel takes them in turn, so all of them pass through the
// processor's cache, and it pays to have a hundred warm ones instead of a thousand cold. We start
// with kFirstBuffers and double, up to kMaxBuffers, each time the kernel runs out.
//
// How large: a piece never spans two buffers, so a large one saves completions when there is much
// to read, and costs address space alone when there is little: pages not written are never there.
//
// The distance between two is not a power of two but a cache line more. Else the first lines of all
// buffers, the only ones that small requests touch, would compete for one set of the cache.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ae/base/bytes.h"
#include "ae/base/limits.h"
#include "ae/base/result.h"

namespace ae {

class IoUringBuffers {
 public:
  static constexpr size_t kBufferBytes = 16 * 1024;
  // One for each of the clients that a benchmark's default of 50 has ready at once.
  static constexpr size_t kFirstBuffers = 64;
  // 16 MiB at most; beyond, receives wait for a buffer (and are told so by nobody, and lose
  // nothing).
  static constexpr size_t kMaxBuffers = 1024;
  static constexpr int kGroup = 0;

  // ENOSYS, EINVAL where the kernel has no rings of buffers (before 5.19).
  static Result<std::unique_ptr<IoUringBuffers>> create(io_uring& ring);
  ~IoUringBuffers();
  IoUringBuffers(const IoUringBuffers&) = delete;
  IoUringBuffers& operator=(const IoUringBuffers&) = delete;

  char* at(uint16_t buffer) const { return addresses_[buffer]; }
  // The kernel has taken one, or gets one back.
  void taken() { --free_; }
  void recycle(uint16_t buffer);
  // More of them, if there may be more.
  void grow();
  size_t free() const { return free_; }
  size_t bytes() const { return addresses_.size() * kStride; }

 private:
  static constexpr size_t kStride = kBufferBytes + kCacheLineBytes;

  explicit IoUringBuffers(io_uring& ring) : ring_(ring) {}
  void add(size_t count);

  io_uring& ring_;
  io_uring_buf_ring* shared_ = nullptr;  // page-aligned, kMaxBuffers entries
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::vector<char*> addresses_;  // by number
  size_t free_ = 0;
};

}  // namespace ae
