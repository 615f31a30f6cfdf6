#if AE_HAVE_IO_URING
#include "ae/core/io_uring_ring.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "ae/base/assert.h"

namespace ae {
namespace {

// What we cannot do without: a timeout in the wait itself (5.11), no completion ever dropped (5.5),
// arguments read at submission (5.5), answers that can be waived (5.17).
constexpr unsigned kFeaturesNeeded =
    IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_CQE_SKIP;

int set_up(io_uring& ring, unsigned flags) {
  io_uring_params parameters{};
  parameters.flags = flags | IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
  parameters.cq_entries = IoUringRing::kCompletionEntries;
  const int result =
      ::io_uring_queue_init_params(IoUringRing::kSubmissionEntries, &ring, &parameters);
  if (result != 0) return result;
  if ((parameters.features & kFeaturesNeeded) == kFeaturesNeeded) return 0;
  ::io_uring_queue_exit(&ring);
  return -ENOSYS;
}

}  // namespace

Result<std::unique_ptr<IoUringRing>> IoUringRing::create() {
  std::unique_ptr<IoUringRing> ring(new IoUringRing);
  int result = -EINVAL;  // what a kernel says to flags it does not know
  for (const unsigned flags :
       {unsigned{IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN},
        unsigned{IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN}, 0u}) {
    result = set_up(ring->ring_, flags);
    if (result != -EINVAL) break;
  }
  if (result == 0) return ring;
  ring->ring_.ring_fd = -1;
  return fail(-result, "io_uring_setup");
}

IoUringRing::~IoUringRing() {
  if (ring_.ring_fd != -1) ::io_uring_queue_exit(&ring_);
}

bool IoUringRing::supports(int operation) const {
  io_uring_probe* probe = ::io_uring_get_probe_ring(const_cast<io_uring*>(&ring_));
  if (probe == nullptr) return false;
  const bool supported = ::io_uring_opcode_supported(probe, operation) != 0;
  ::io_uring_free_probe(probe);
  return supported;
}

void IoUringRing::enable() {
  if (enabled_) return;
  // The bare system call: liburing 2.3 declares io_uring_enable_rings but does not export it.
  AE_ASSERT(::syscall(SYS_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr,
                      0) == 0);
  enabled_ = true;
}

io_uring_sqe* IoUringRing::next_request() {
  io_uring_sqe* request = ::io_uring_get_sqe(&ring_);
  if (request != nullptr) return request;
  submit_now();
  request = ::io_uring_get_sqe(&ring_);
  AE_ASSERT(request != nullptr);
  return request;
}

void IoUringRing::submit_now() {
  enable();
  ::io_uring_submit_and_get_events(&ring_);
}

Status IoUringRing::submit_and_wait(std::optional<std::chrono::nanoseconds> timeout) {
  enable();
  int result = 0;
  if (timeout && timeout->count() <= 0) {
    result = ::io_uring_submit_and_get_events(&ring_);
  } else {
    __kernel_timespec time{};
    if (timeout) {
      const auto seconds = std::chrono::floor<std::chrono::seconds>(*timeout);
      time = {seconds.count(), (*timeout - seconds).count()};
    }
    io_uring_cqe* first = nullptr;
    result =
        ::io_uring_submit_and_wait_timeout(&ring_, &first, 1, timeout ? &time : nullptr, nullptr);
  }
  // EBUSY and EAGAIN: the kernel is short of room or memory; what it could not take stays in the
  // ring for the next tick.
  const bool harmless =
      result >= 0 || result == -ETIME || result == -EINTR || result == -EBUSY || result == -EAGAIN;
  if (!harmless) return fail(-result, "io_uring_enter");
  return {};
}

}  // namespace ae
#endif  // AE_HAVE_IO_URING
