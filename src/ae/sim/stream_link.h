// An established (or not yet established) stream between two ends: TCP, or a Unix stream socket, as
// far as a program that reads, writes and polls can tell.
//
//      end kDialer                                  end kAcceptor
//      +-----------------------+   inbound of the   +-----------------------+
//      | write ----------------+-->  acceptor  -----+--> read               |
//      | read  <---------------+---  inbound of  <--+--- write              |
//      +-----------------------+     the dialer     +-----------------------+
//
// There is no wire between the ends: what one end has written is at the other end at once. A
// direction holds at most send_buffer (of the writer) + receive_buffer (of the reader) bytes; the
// first receive_buffer of them are "received", the rest are "still in the writer's send buffer",
// and that difference shows in three places: a FIN is seen only when everything before it has been
// received, a reset loses what was not, and a writer is woken when the reader makes room.
//
// The rules were taken from Linux 6 by experiment; tests/sim/sim_os_parity_test.cc runs the same
// steps on the kernel and on this, and compares:
//  - reset: received bytes stay readable, then ECONNRESET once, then end of stream. A write instead
//    gets ECONNRESET first (EPIPE if the peer's FIN came before the reset), then EPIPE. The poller
//    says readable, writable, half-closed, error and hang-up.
//  - close with unread bytes is a reset, otherwise a FIN.
//  - the first write to an end that has closed succeeds, and is answered by a reset (TCP); it is
//  EPIPE
//    at once for Unix sockets.
//  - FIN in both directions is a hang-up.
// One thing is simpler than in Linux: a TCP socket there is writable again when a third of its
// buffer is free, here when one byte is.
//
// Invariants:
//  1. An end that has closed has no inbound bytes and is never woken.
//  2. inbound.size() - head <= send_buffer of the writer + receive_buffer of the reader.
//  3. wakes() grows with every event that would wake a waiting task in the kernel, and with nothing
//     else; edge-triggered pollers compare it with what they saw last.
//
// Thread: one. Ownership: shared by its two ends (a descriptor of SimOs, a SimPeer, an accept
// queue); it dies with the last of them.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "ae/base/bytes.h"
#include "ae/base/result.h"
#include "ae/core/events.h"
#include "ae/core/os.h"
#include "ae/net/address.h"

namespace ae::sim {

enum class Transport : uint8_t { kTcp, kUnix };
enum class Side : uint8_t { kDialer, kAcceptor };
constexpr Side other(Side side) {
  return side == Side::kDialer ? Side::kAcceptor : Side::kDialer;
}

// What a poller finds. `error` and `hang_up` are EPOLLERR and EPOLLHUP, which no interest masks.
struct Readiness {
  Events events = Events::kNone;
  bool error = false;
  bool hang_up = false;
};

struct BufferSizes {
  size_t send = 64 * 1024;
  size_t receive = 64 * 1024;
};

// What a reset does to bytes that have been received and not yet read. Linux keeps them readable;
// BSD drops them, and so does Linux when they arrive behind the reset.
enum class Received : uint8_t { kKept, kLost };

enum class Handshake : uint8_t { kInProgress, kImmediate };

class StreamLink {
 public:
  StreamLink(Transport transport, Address dialer, Address acceptor, BufferSizes dialer_buffers,
             BufferSizes acceptor_buffers);

  // --- the handshake. Until one of these two is called, both ends are silent.
  // Immediate: connect() itself says so; otherwise it says EINPROGRESS, whatever came of it since,
  // as Linux does for TCP even on loopback.
  void establish(Handshake handshake = Handshake::kInProgress);
  void refuse(int error);  // the dialler's pending error
  bool connected_immediately() const { return immediate_; }
  bool established() const { return state_ == State::kEstablished; }
  bool connecting() const { return state_ == State::kConnecting; }

  // --- what a program may do at its end
  IoResult read(Side side, MutableBytes into);
  IoResult write(Side side, Bytes from);
  Status shutdown_write(Side side);
  void close(Side side);
  void reset(Side side, Received received);  // SO_LINGER 0 and close
  int take_error(Side side);                 // SO_ERROR
  Readiness readiness(Side side) const;
  uint64_t wakes(Side side) const { return end(side).wakes; }

  // --- what only the simulation may do
  // The connection dies under this end (ETIMEDOUT, EHOSTUNREACH): what it will read is up to
  // `error`. The other end hears a reset.
  void fail(Side side, int error);
  // The next reads of the other end stop here, even if more has arrived: a segment boundary.
  void mark_boundary(Side writer);
  // As if more had happened at this end: edge-triggered pollers report it again.
  void wake(Side side) { ++end(side).wakes; }

  size_t unread(Side side) const { return end(side).inbound.size() - end(side).head; }
  size_t room(Side writer) const;
  bool closed(Side side) const { return end(side).closed; }
  bool dead(Side side) const { return end(side).dead; }
  bool fin_sent(Side side) const { return end(side).fin_sent; }
  bool fin_received(Side side) const;
  uint64_t bytes_written(Side side) const { return end(side).written; }
  const Address& address(Side side) const { return end(side).address; }
  void set_address(Side side, const Address& address) { end(side).address = address; }
  void resize_buffers(Side side, BufferSizes sizes) { end(side).buffers = sizes; }
  const BufferSizes& buffers(Side side) const { return end(side).buffers; }
  Transport transport() const { return transport_; }

 private:
  enum class State : uint8_t { kConnecting, kEstablished, kRefused };

  struct End {
    Address address;
    BufferSizes buffers;
    std::string inbound;  // [head, size) is unread
    size_t head = 0;
    std::deque<uint64_t> boundaries;  // of the stream that comes in, counted from its first byte
    uint64_t consumed = 0;            // bytes read so far
    uint64_t written = 0;             // bytes written so far
    uint64_t wakes = 1;
    int error = 0;  // pending, given once
    bool fin_sent = false;
    bool closed = false;
    bool dead = false;     // reset, refused or failed: TCP_CLOSE
    bool starved = false;  // a write found no room since the last wake
  };

  End& end(Side side) { return ends_[size_t(side)]; }
  const End& end(Side side) const { return ends_[size_t(side)]; }
  size_t readable_now(const End& reader) const;
  void consume(Side side, size_t bytes);
  IoResult read_nothing(Side side);
  IoResult refuse_write(Side side);
  void deliver(Side from, Bytes bytes);
  void answer_with_reset(Side writer);
  void leave(Side side, bool abruptly, Received received);
  void break_off(Side victim, Received received);
  void kill(Side side, int error, Received received);
  void send_fin(Side side);

  Transport transport_;
  State state_ = State::kConnecting;
  bool immediate_ = false;
  std::array<End, 2> ends_;
};

// One end of a link, as its holder sees it.
struct LinkEnd {
  std::shared_ptr<StreamLink> link;
  Side side = Side::kDialer;

  explicit operator bool() const { return link != nullptr; }
  LinkEnd peer() const { return {link, other(side)}; }
};

}  // namespace ae::sim
