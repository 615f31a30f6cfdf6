#if AE_HAVE_IO_URING
#include "ae/core/io_uring_completions.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "ae/base/assert.h"

namespace ae {

Result<std::unique_ptr<IoUringCompletions>> IoUringCompletions::create(IoUringRing& ring) {
  // No probe tells of multishot receive; the zero-copy send came in the same release, 6.0.
  if (!ring.supports(IORING_OP_SEND_ZC)) return fail(ENOSYS, "multishot receive");
  Result<std::unique_ptr<IoUringBuffers>> buffers = IoUringBuffers::create(ring.raw());
  if (!buffers) return fail(buffers.error());
  return std::unique_ptr<IoUringCompletions>(new IoUringCompletions(ring, std::move(*buffers)));
}

// --- receiving

void IoUringCompletions::start_receive(int fd, uint64_t token) {
  Receive& receive = receives_.at(static_cast<uint32_t>(token));
  AE_ASSERT(receive.state == State::kNone);
  receive.token = token;
  receive.fd = fd;
  receive.sequence = (receive.sequence + 1) & RequestId::kSequenceMask;
  receive.stopping = false;
  arm(receive);
}

void IoUringCompletions::arm(Receive& receive) {
  io_uring_sqe* request = ring_.next_request();
  ::io_uring_prep_recv_multishot(request, receive.fd, nullptr, 0, 0);
  IoUringRing::identify(request, id_of(receive));
  request->flags |= IOSQE_BUFFER_SELECT;
  request->buf_group = IoUringBuffers::kGroup;
  receive.state = State::kArmed;
}

void IoUringCompletions::stop_receive(uint64_t token) {
  Receive* receive = receives_.find(static_cast<uint32_t>(token));
  if (receive == nullptr || receive->state == State::kNone || receive->token != token) return;
  if (std::exchange(receive->stopping, true)) return;
  if (receive->state == State::kStarved) return;  // prepare_wait ends it
  io_uring_sqe* request = ring_.next_request();
  ::io_uring_prep_cancel64(request, id_of(*receive).packed(), 0);
  IoUringRing::without_answer(request);
}

bool IoUringCompletions::prepare_wait() {
  // One buffer for each that is armed: else they would starve again at once.
  size_t arms = std::min(buffers_->free(), starved_.size());
  std::erase_if(starved_, [&](uint32_t index) {
    Receive& receive = receives_.at(index);
    if (receive.stopping) {
      end(receive, {});
      return true;
    }
    if (arms == 0) return false;
    --arms;
    arm(receive);
    return true;
  });
  return sent_.empty() && received_.empty();
}

void IoUringCompletions::on_receive_completed(RequestId id, int result, uint32_t flags) {
  Receive* receive = receives_.find(id.index);
  const bool current =
      receive != nullptr && receive->state == State::kArmed && receive->sequence == id.sequence;
  if ((flags & IORING_CQE_F_BUFFER) != 0) {
    const auto buffer = static_cast<uint16_t>(flags >> IORING_CQE_BUFFER_SHIFT);
    buffers_->taken();
    if (current && result > 0) {
      const MutableBytes data(buffers_->at(buffer), static_cast<size_t>(result));
      received_.push_back({receive->token, data, buffer, {}});
    } else {
      buffers_->recycle(buffer);
    }
  }
  if (current && (flags & IORING_CQE_F_MORE) == 0) continue_or_end(*receive, result);
}

// The kernel has let go of this receive.
void IoUringCompletions::continue_or_end(Receive& receive, int result) {
  if (result == 0) return end(receive, {IoStatus::kEnd});
  const bool ours_to_continue = result > 0 || result == -ENOBUFS || result == -ECANCELED ||
                                result == -EINTR || result == -EAGAIN;
  if (!ours_to_continue) return end(receive, {IoStatus::kError, -result});
  if (receive.stopping) return end(receive, {});
  if (result != -ENOBUFS) return arm(receive);
  buffers_->grow();
  receive.state = State::kStarved;
  starved_.push_back(static_cast<uint32_t>(receive.token));
}

void IoUringCompletions::end(Receive& receive, IoResult why) {
  receive.state = State::kNone;
  received_.push_back({receive.token, {}, 0, why});
}

// --- sending

// MSG_DONTWAIT makes the kernel answer within the submission, with what it could take or EAGAIN,
// instead of waiting for room on our behalf.
constexpr int kSendFlags = MSG_DONTWAIT | MSG_NOSIGNAL;

void IoUringCompletions::send(int fd, uint64_t token, Bytes bytes) {
  const SlotId slot = sends_.emplace(token, msghdr{});
  io_uring_sqe* request = ring_.next_request();
  ::io_uring_prep_send(request, fd, bytes.data(), bytes.size(), kSendFlags);
  IoUringRing::identify(request, {RequestKind::kSend, 0, slot.slot});
}

void IoUringCompletions::sendv(int fd, uint64_t token, std::span<const iovec> pieces) {
  const SlotId slot = sends_.emplace(token, msghdr{});
  msghdr& message = sends_.find(slot)->message;
  message.msg_iov = const_cast<iovec*>(pieces.data());  // the kernel reads it only
  message.msg_iovlen = pieces.size();
  io_uring_sqe* request = ring_.next_request();
  ::io_uring_prep_sendmsg(request, fd, &message, kSendFlags);
  IoUringRing::identify(request, {RequestKind::kSend, 0, slot.slot});
}

void IoUringCompletions::on_send_completed(RequestId id, int result) {
  const uint64_t token = sends_.at(id.index).token;
  sends_.erase(sends_.id_of(id.index));
  IoResult sent;
  if (result >= 0) {
    sent.bytes = static_cast<size_t>(result);
  } else if (result == -EAGAIN || result == -EINTR) {
    sent.status = IoStatus::kWouldBlock;
  } else {
    sent = {IoStatus::kError, -result};
  }
  sent_.push_back({token, sent});
}

// --- delivering

// By index: a callback may send, start and stop, which adds requests but no results; results come
// from waits alone.
size_t IoUringCompletions::deliver() {
  const size_t count = sent_.size() + received_.size();
  for (size_t i = 0; i < sent_.size(); ++i) {
    if (sink_ != nullptr) sink_->on_sent(sent_[i].token, sent_[i].result);
  }
  sent_.clear();
  for (size_t i = 0; i < received_.size(); ++i) deliver_received(received_[i]);
  received_.clear();
  return count;
}

void IoUringCompletions::deliver_received(const Received& received) {
  const bool is_end = received.data.data() == nullptr;
  if (sink_ == nullptr) {
    if (!is_end) recycle(received.buffer);
  } else if (is_end) {
    sink_->on_receive_ended(received.token, received.why);
  } else {
    sink_->on_received(received.token, received.data, received.buffer);
  }
}

}  // namespace ae
#endif  // AE_HAVE_IO_URING
