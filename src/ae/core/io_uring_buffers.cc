#if AE_HAVE_IO_URING
#include "ae/core/io_uring_buffers.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>

#include "ae/base/assert.h"

namespace ae {
namespace {

constexpr size_t kSharedBytes = IoUringBuffers::kMaxBuffers * sizeof(io_uring_buf);

}  // namespace

Result<std::unique_ptr<IoUringBuffers>> IoUringBuffers::create(io_uring& ring) {
  std::unique_ptr<IoUringBuffers> buffers(new IoUringBuffers(ring));
  void* shared =
      ::mmap(nullptr, kSharedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return fail(errno, "mmap");
  buffers->shared_ = static_cast<io_uring_buf_ring*>(shared);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<uintptr_t>(shared);
  registration.ring_entries = kMaxBuffers;
  registration.bgid = kGroup;
  const int result = ::io_uring_register_buf_ring(&ring, &registration, 0);
  if (result != 0) return fail(-result, "io_uring_register_buf_ring");
  ::io_uring_buf_ring_init(buffers->shared_);
  buffers->add(kFirstBuffers);
  return buffers;
}

// Unregistered before the memory goes: a receive that the kernel has not yet ended finds no buffer.
IoUringBuffers::~IoUringBuffers() {
  if (shared_ == nullptr) return;
  ::io_uring_unregister_buf_ring(&ring_, kGroup);
  ::munmap(shared_, kSharedBytes);
}

void IoUringBuffers::recycle(uint16_t buffer) {
  AE_DCHECK(buffer < addresses_.size());
  ::io_uring_buf_ring_add(shared_, addresses_[buffer], kBufferBytes, buffer,
                          ::io_uring_buf_ring_mask(kMaxBuffers), 0);
  ::io_uring_buf_ring_advance(shared_, 1);
  ++free_;
}

void IoUringBuffers::grow() {
  const size_t now = addresses_.size();
  add(std::min(now, kMaxBuffers - now));
}

void IoUringBuffers::add(size_t count) {
  if (count == 0) return;
  blocks_.emplace_back(new char[count * kStride]);  // not zeroed: untouched pages cost nothing
  for (size_t i = 0; i < count; ++i) {
    addresses_.push_back(blocks_.back().get() + i * kStride);
    recycle(static_cast<uint16_t>(addresses_.size() - 1));
  }
}

}  // namespace ae
#endif  // AE_HAVE_IO_URING
