#include "ae/sim/sim_socket.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace ae::sim {
namespace {

IoResult failed(int error) {
  return {IoStatus::kError, error, 0};
}

}  // namespace

SimSocket::SimSocket(LinkEnd end)
    : kind_(SocketKind::kStream),
      family_(end.link->address(end.side).family()),
      buffers_(end.link->buffers(end.side)),
      end_(std::move(end)) {}

// --- listening

Status SimSocket::listen(int backlog) {
  if (kind_ != SocketKind::kFresh && kind_ != SocketKind::kListener) {
    return ae::fail(EINVAL, "listen");
  }
  kind_ = SocketKind::kListener;
  backlog_ = backlog;
  return {};
}

Status SimSocket::on_dial(LinkEnd acceptor) {
  if (kind_ != SocketKind::kListener) {
    if (is_unix()) return ae::fail(ECONNREFUSED, "connect");
    acceptor.link->refuse(ECONNREFUSED);
    return {};
  }
  if (!queue_is_full()) {
    enqueue(std::move(acceptor));
    return {};
  }
  if (is_unix()) return ae::fail(EAGAIN, "connect");
  handshaking_.push_back(std::move(acceptor));
  return {};
}

void SimSocket::enqueue(LinkEnd acceptor) {
  acceptor.link->establish();
  accepted_.push_back(std::move(acceptor));
  ++wakes_;
}

void SimSocket::admit_waiting() {
  while (!queue_is_full() && !handshaking_.empty()) {
    LinkEnd waiting = std::move(handshaking_.front());
    handshaking_.pop_front();
    const bool gone = waiting.link->closed(Side::kDialer);
    if (!gone && waiting.link->connecting()) enqueue(std::move(waiting));
  }
}

Result<LinkEnd> SimSocket::accept() {
  if (kind_ != SocketKind::kListener) return ae::fail(EINVAL, "accept");
  if (accepted_.empty()) return ae::fail(EAGAIN, "accept");
  LinkEnd end = std::move(accepted_.front());
  accepted_.pop_front();
  admit_waiting();
  return end;
}

// --- streams

void SimSocket::attach_link(LinkEnd end) {
  kind_ = SocketKind::kStream;
  end_ = std::move(end);
}

IoResult SimSocket::read(MutableBytes into) {
  if (kind_ == SocketKind::kStream) return end_.link->read(end_.side, into);
  return failed(is_unix() ? EINVAL : ENOTCONN);
}

// Piece by piece: the first that is not taken whole ends the call.
IoResult SimSocket::write(std::span<const iovec> pieces, size_t most) {
  if (kind_ != SocketKind::kStream) return failed(is_unix() ? ENOTCONN : EPIPE);
  size_t total = 0;
  for (const iovec& piece : pieces) {
    const Bytes bytes(static_cast<const char*>(piece.iov_base), std::min(piece.iov_len, most));
    const IoResult result = end_.link->write(end_.side, bytes);
    if (result.status != IoStatus::kOk && total == 0) return result;
    total += result.bytes;
    most -= result.bytes;
    if (result.bytes < piece.iov_len) break;
  }
  return {IoStatus::kOk, 0, total};
}

Status SimSocket::shutdown_write() {
  if (kind_ == SocketKind::kStream) return end_.link->shutdown_write(end_.side);
  return ae::fail(ENOTCONN, "shutdown");
}

// What a listener has not accepted is reset, what is still shaking hands is refused.
void SimSocket::close() {
  if (end_) end_.link->close(end_.side);
  for (const LinkEnd& queued : accepted_) queued.link->reset(queued.side, Received::kKept);
  for (const LinkEnd& waiting : handshaking_) {
    if (waiting.link->connecting()) waiting.link->refuse(ECONNREFUSED);
  }
  accepted_.clear();
  handshaking_.clear();
}

Result<Address> SimSocket::local_address() const {
  if (end_) return end_.link->address(end_.side);
  if (bound_) return *bound_;
  return Address();
}

Result<Address> SimSocket::peer_address() const {
  const bool connected = end_ && end_.link->established() && !end_.link->dead(end_.side);
  if (!connected) return ae::fail(ENOTCONN, "getpeername");
  return end_.link->address(other(end_.side));
}

// --- options

void SimSocket::set_option(int level, int name, int value) {
  options_[{level, name}] = value;
  if (level != SOL_SOCKET || value < 0) return;
  // Linux doubles what it is asked for, to pay for its own bookkeeping.
  if (name == SO_SNDBUF) resize_buffers({size_t(value) * 2, buffers_.receive});
  if (name == SO_RCVBUF) resize_buffers({buffers_.send, size_t(value) * 2});
}

void SimSocket::resize_buffers(BufferSizes sizes) {
  buffers_ = sizes;
  if (end_) end_.link->resize_buffers(end_.side, sizes);
}

std::optional<int> SimSocket::option(int level, int name) const {
  if (level == SOL_SOCKET && name == SO_SNDBUF) return int(buffers_.send);
  if (level == SOL_SOCKET && name == SO_RCVBUF) return int(buffers_.receive);
  if (level == SOL_SOCKET && name == SO_TYPE) return SOCK_STREAM;
  if (level == SOL_SOCKET && name == SO_DOMAIN) return int(family_);
  if (level == SOL_SOCKET && name == SO_ACCEPTCONN) return int(kind_ == SocketKind::kListener);
  const auto found = options_.find({level, name});
  if (found == options_.end()) return std::nullopt;
  return found->second;
}

// --- polling

void SimSocket::signal() {
  ++signals_;
  ++wakes_;
}

bool SimSocket::claim(const void* poller) {
  const bool unclaimed = claimed_by_ == nullptr || claimed_wakes_ != wakes();
  if (unclaimed) claimed_by_ = poller;
  claimed_wakes_ = wakes();
  return claimed_by_ == poller;
}

void SimSocket::release_claim(const void* poller) {
  if (claimed_by_ == poller) claimed_by_ = nullptr;
}

Readiness SimSocket::readiness() const {
  switch (kind_) {
    case SocketKind::kStream:
      return end_.link->readiness(end_.side);
    case SocketKind::kListener:
      return {accepted_.empty() ? Events::kNone : Events::kReadable, false, false};
    case SocketKind::kWaker:
      return {signals_ > 0 ? Events::kReadWrite : Events::kWritable, false, false};
    case SocketKind::kFresh:
      return {Events::kWritable, false, true};
    case SocketKind::kReserve:
      return {Events::kReadWrite, false, false};
  }
  return {};
}

}  // namespace ae::sim
