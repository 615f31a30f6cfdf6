// The completion face of the io_uring poller: multishot receives into provided buffers, sends that
// complete within the call that submits them.
//
// A receive's life, by the token's low 32 bits, which must be dense (a slot):
//
//            start_receive            no buffer free           buffers came back
//     kNone --------------> kArmed --------------> kStarved --------------------> kArmed
//       ^                     |                        |
//       +---- FIN, error, or stop_receive: on_receive_ended ----+
//
// The kernel ends a multishot receive for reasons of its own too (its queue of completions was
// full); it is then armed again, and nobody hears of it.
#pragma once

#include <memory>
#include <vector>

#include "ae/base/chunked_array.h"
#include "ae/base/slot_map.h"
#include "ae/core/completions.h"
#include "ae/core/io_uring_buffers.h"
#include "ae/core/io_uring_ring.h"
#include "ae/core/poller.h"

namespace ae {

class IoUringCompletions final : public Completions {
 public:
  // Fails where the kernel lacks multishot receive (before 6.0).
  static Result<std::unique_ptr<IoUringCompletions>> create(IoUringRing& ring);

  void set_sink(CompletionSink* sink) override { sink_ = sink; }
  void start_receive(int fd, uint64_t token) override;
  void stop_receive(uint64_t token) override;
  void send(int fd, uint64_t token, Bytes bytes) override;
  void sendv(int fd, uint64_t token, std::span<const iovec> pieces) override;
  void recycle(uint16_t buffer) override { buffers_->recycle(buffer); }
  size_t deliver() override;
  PollerMemory memory() const {
    return {.descriptors = receives_.reserved_bytes(), .buffers = buffers_->bytes()};
  }

  // For the poller. Before the wait: arms what was starved. False if there is something to deliver
  // already, so that the wait must not block.
  bool prepare_wait();
  void on_receive_completed(RequestId id, int result, uint32_t flags);
  void on_send_completed(RequestId id, int result);

 private:
  enum class State : uint8_t { kNone, kArmed, kStarved };

  struct Receive {
    uint64_t token = 0;
    int fd = -1;
    uint32_t sequence = 0;
    State state = State::kNone;
    bool stopping = false;
  };
  struct Send {
    uint64_t token;
    msghdr message;  // must stay where it is until it is submitted; for sendv
  };
  struct Sent {
    uint64_t token;
    IoResult result;
  };
  // Bytes, or the end where data is null.
  struct Received {
    uint64_t token;
    MutableBytes data;
    uint16_t buffer;
    IoResult why;
  };

  IoUringCompletions(IoUringRing& ring, std::unique_ptr<IoUringBuffers> buffers)
      : ring_(ring), buffers_(std::move(buffers)) {}

  static RequestId id_of(const Receive& receive) {
    return {RequestKind::kReceive, receive.sequence, static_cast<uint32_t>(receive.token)};
  }
  void arm(Receive& receive);
  void end(Receive& receive, IoResult why);
  void continue_or_end(Receive& receive, int result);
  void deliver_received(const Received& received);

  IoUringRing& ring_;
  std::unique_ptr<IoUringBuffers> buffers_;
  CompletionSink* sink_ = nullptr;
  ChunkedArray<Receive> receives_;
  std::vector<uint32_t> starved_;
  SlotMap<Send> sends_;
  std::vector<Sent> sent_;          // by the last wait, not yet delivered
  std::vector<Received> received_;  // likewise
};

}  // namespace ae
