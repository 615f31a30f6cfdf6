// One io_uring: how it is set up, how a request gets into it, and the one system call of a tick.
//
// Included where liburing is; see poller_io_uring.cc for the whole.
//
// The set-up asks for the most and takes what this kernel gives:
//   SINGLE_ISSUER | DEFER_TASKRUN   (6.1) completions are worked off by our own call, when we ask
//   for
//                                   them, and not whenever the kernel next interrupts the thread
//   COOP_TASKRUN                    (5.19) at least without an interrupt of its own
//   neither                         works as well, a little dearer
// The ring starts disabled (R_DISABLED) and is enabled by the first wait: it belongs to the thread
// that waits, which need not be the one that made it.
//
// user_data of a request says whose it is: kind (4 bits), sequence (28), index (32). The sequence
// is raised whenever what the index names changes its meaning, so that a completion that was under
// way then is recognised as stale.
#pragma once

#include <liburing.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "ae/base/result.h"

namespace ae {

enum class RequestKind : uint8_t { kIgnored, kPoll, kReceive, kSend };

struct RequestId {
  RequestKind kind;
  uint32_t sequence;  // 28 bits
  uint32_t index;

  static constexpr uint32_t kSequenceMask = (1u << 28) - 1;

  uint64_t packed() const {
    return uint64_t(kind) << 60 | uint64_t{sequence & kSequenceMask} << 32 | index;
  }
  static RequestId unpack(uint64_t data) {
    return {RequestKind(data >> 60), uint32_t(data >> 32) & kSequenceMask, uint32_t(data)};
  }
};

class IoUringRing {
 public:
  // Requests per system call; when a tick makes more, it makes one call more. 64 bytes each.
  static constexpr unsigned kSubmissionEntries = 1024;
  // Completions that fit before the kernel must keep them in a list of its own, which it does
  // without losing any (FEAT_NODROP) but ends multishot requests over. 16 bytes each.
  static constexpr unsigned kCompletionEntries = 4 * kSubmissionEntries;

  static Result<std::unique_ptr<IoUringRing>> create();
  ~IoUringRing();
  IoUringRing(const IoUringRing&) = delete;
  IoUringRing& operator=(const IoUringRing&) = delete;

  // A request to be prepared, then identified. Submits first if there is no room.
  io_uring_sqe* next_request();
  static void identify(io_uring_sqe* request, RequestId id) { request->user_data = id.packed(); }
  // Instead: nobody waits for its success, and its failure is ignored.
  static void without_answer(io_uring_sqe* request) {
    request->flags |= IOSQE_CQE_SKIP_SUCCESS;
    identify(request, {RequestKind::kIgnored, 0, 0});
  }

  // Submits all, and waits until there is a completion or the time is up: one io_uring_enter. An
  // interrupted wait is success.
  Status submit_and_wait(std::optional<std::chrono::nanoseconds> timeout);
  // Submits all, and lets the kernel finish what it can finish at once.
  void submit_now();

  bool supports(int operation) const;
  io_uring& raw() { return ring_; }

 private:
  IoUringRing() = default;
  void enable();

  io_uring ring_{};
  bool enabled_ = false;
};

}  // namespace ae
