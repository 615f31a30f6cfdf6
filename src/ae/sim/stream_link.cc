#include "ae/sim/stream_link.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "ae/base/assert.h"

namespace ae::sim {
namespace {

IoResult ok(size_t bytes) {
  return {IoStatus::kOk, 0, bytes};
}
IoResult would_block() {
  return {IoStatus::kWouldBlock, 0, 0};
}
IoResult end_of_stream() {
  return {IoStatus::kEnd, 0, 0};
}
IoResult failed(int error) {
  return {IoStatus::kError, error, 0};
}

// Consumed bytes in front of the unread ones are given up when they are at least this many and the
// larger part: amortised O(1) per byte.
constexpr size_t kCompactBytes = 4096;

}  // namespace

StreamLink::StreamLink(Transport transport, Address dialer, Address acceptor,
                       BufferSizes dialer_buffers, BufferSizes acceptor_buffers)
    : transport_(transport) {
  end(Side::kDialer).address = dialer;
  end(Side::kDialer).buffers = dialer_buffers;
  end(Side::kAcceptor).address = acceptor;
  end(Side::kAcceptor).buffers = acceptor_buffers;
}

void StreamLink::establish(Handshake handshake) {
  AE_ASSERT(state_ == State::kConnecting);
  immediate_ = handshake == Handshake::kImmediate || transport_ == Transport::kUnix;
  state_ = State::kEstablished;
  wake(Side::kDialer);
  wake(Side::kAcceptor);
}

void StreamLink::refuse(int error) {
  AE_ASSERT(state_ == State::kConnecting);
  state_ = State::kRefused;
  kill(Side::kDialer, error, Received::kLost);
  end(Side::kAcceptor).closed = true;
}

// --- reading

size_t StreamLink::readable_now(const End& reader) const {
  const size_t unread = reader.inbound.size() - reader.head;
  if (reader.boundaries.empty()) return unread;
  return std::min<uint64_t>(unread, reader.boundaries.front() - reader.consumed);
}

IoResult StreamLink::read(Side side, MutableBytes into) {
  AE_ASSERT(!into.empty());  // the kernel would say 0, and 0 reads as FIN
  if (state_ == State::kConnecting) return would_block();
  End& self = end(side);
  const size_t bytes = std::min(into.size(), readable_now(self));
  if (bytes == 0) return read_nothing(side);
  std::memcpy(into.data(), self.inbound.data() + self.head, bytes);
  consume(side, bytes);
  return ok(bytes);
}

void StreamLink::consume(Side side, size_t bytes) {
  End& self = end(side);
  self.head += bytes;
  self.consumed += bytes;
  while (!self.boundaries.empty() && self.boundaries.front() <= self.consumed) {
    self.boundaries.pop_front();
  }
  if (self.head >= kCompactBytes && self.head * 2 >= self.inbound.size()) {
    self.inbound.erase(0, self.head);
    self.head = 0;
  }
  End& writer = end(other(side));
  if (writer.starved && !writer.closed) {
    writer.starved = false;
    ++writer.wakes;
  }
}

// Nothing is unread: why? A TCP socket that has seen a FIN says so even if a reset came behind it;
// a Unix socket tells of the error first.
IoResult StreamLink::read_nothing(Side side) {
  End& self = end(side);
  if (transport_ == Transport::kTcp && fin_received(side)) return end_of_stream();
  if (self.error != 0) return failed(std::exchange(self.error, 0));
  if (self.dead || fin_received(side)) return end_of_stream();
  return would_block();
}

bool StreamLink::fin_received(Side side) const {
  return end(other(side)).fin_sent && unread(side) <= end(side).buffers.receive;
}

// --- writing

size_t StreamLink::room(Side writer) const {
  const size_t capacity = end(writer).buffers.send + end(other(writer)).buffers.receive;
  const size_t used = unread(other(writer));
  return capacity > used ? capacity - used : 0;
}

IoResult StreamLink::write(Side side, Bytes from) {
  if (state_ == State::kConnecting) return would_block();
  End& self = end(side);
  const bool peer_closed = end(other(side)).closed;
  const bool broken = transport_ == Transport::kUnix && peer_closed;
  if (self.dead || self.fin_sent || broken) return refuse_write(side);
  if (peer_closed) {
    answer_with_reset(side);
    self.written += from.size();
    return ok(from.size());
  }
  const size_t bytes = std::min(from.size(), room(side));
  if (bytes < from.size()) self.starved = true;
  if (bytes == 0 && !from.empty()) return would_block();
  deliver(side, from.substr(0, bytes));
  return ok(bytes);
}

IoResult StreamLink::refuse_write(Side side) {
  End& self = end(side);
  if (transport_ == Transport::kUnix || self.error == 0) return failed(EPIPE);
  return failed(std::exchange(self.error, 0));
}

void StreamLink::deliver(Side from, Bytes bytes) {
  if (bytes.empty()) return;
  End& reader = end(other(from));
  reader.inbound.append(bytes);
  end(from).written += bytes.size();
  ++reader.wakes;
}

// The peer's kernel no longer knows the connection. Its FIN has been here before, so the pending
// error is EPIPE and not ECONNRESET.
void StreamLink::answer_with_reset(Side writer) {
  kill(writer, EPIPE, Received::kKept);
}

void StreamLink::mark_boundary(Side writer) {
  End& reader = end(other(writer));
  const uint64_t at = reader.consumed + unread(other(writer));
  const bool fresh = reader.boundaries.empty() || reader.boundaries.back() < at;
  if (at > reader.consumed && fresh) reader.boundaries.push_back(at);
}

// --- ends

Status StreamLink::shutdown_write(Side side) {
  const bool tcp = transport_ == Transport::kTcp;
  const bool over = end(side).dead || (end(side).fin_sent && fin_received(side));
  if (!established() || (tcp && over)) return ae::fail(ENOTCONN, "shutdown");
  if (!end(side).fin_sent) send_fin(side);
  return {};
}

void StreamLink::send_fin(Side side) {
  End& self = end(side);
  self.fin_sent = true;
  ++self.wakes;
  if (!end(other(side)).closed) ++end(other(side)).wakes;
}

void StreamLink::close(Side side) {
  leave(side, unread(side) > 0, Received::kKept);
}

// A Unix socket has no RST to send: SO_LINGER changes nothing there.
void StreamLink::reset(Side side, Received received) {
  leave(side, transport_ == Transport::kTcp || unread(side) > 0, received);
}

void StreamLink::leave(Side side, bool abruptly, Received received) {
  End& self = end(side);
  if (self.closed) return;
  const Side far = other(side);
  // After a FIN each way the peer's kernel has no connection left that a RST could end.
  const bool over = self.fin_sent && fin_received(side) && fin_received(far);
  if (state_ == State::kEstablished && !self.dead && !end(far).closed) {
    if (abruptly && !(over && transport_ == Transport::kTcp)) {
      break_off(far, received);
    } else if (!self.fin_sent) {
      send_fin(side);
    }
  }
  self.closed = true;
  self.inbound.clear();
  self.head = 0;
}

void StreamLink::break_off(Side victim, Received received) {
  const bool after_fin = transport_ == Transport::kTcp && fin_received(victim);
  kill(victim, after_fin ? EPIPE : ECONNRESET, received);
}

void StreamLink::kill(Side side, int error, Received received) {
  End& self = end(side);
  self.error = error;
  self.dead = true;
  ++self.wakes;
  const size_t kept = received == Received::kLost ? 0 : self.buffers.receive;
  if (unread(side) > kept) self.inbound.resize(self.head + kept);
}

void StreamLink::fail(Side side, int error) {
  if (end(side).closed || end(side).dead) return;
  const Side far = other(side);
  if (state_ == State::kConnecting) return refuse(error);
  if (!end(far).closed && !end(far).dead) kill(far, ECONNRESET, Received::kKept);
  kill(side, error, Received::kLost);
}

int StreamLink::take_error(Side side) {
  return std::exchange(end(side).error, 0);
}

// --- polling

Readiness StreamLink::readiness(Side side) const {
  if (state_ == State::kConnecting) return {};
  const End& self = end(side);
  const End& peer = end(other(side));
  const bool ended = fin_received(side);
  const bool unix_peer_gone = transport_ == Transport::kUnix && peer.closed;
  Readiness ready;
  ready.error = self.error != 0;
  ready.hang_up = self.dead || (ended && self.fin_sent) || unix_peer_gone;
  if (unread(side) > 0 || ended || self.dead) ready.events = ready.events | Events::kReadable;
  if (ended || self.dead) ready.events = ready.events | Events::kHalfClosed;
  const bool unhindered = self.dead || self.fin_sent || peer.closed;
  if (unhindered || room(side) > 0) ready.events = ready.events | Events::kWritable;
  return ready;
}

}  // namespace ae::sim
