// The other end of a connection, moved by the test.
//
//   auto peer = SimPeer::dial(os, listener_address);   // as a client of the program
//   peer.send_pieces({"PI", "NG\r\n"});                // two segments: two reads
//   loop.run_once(ae::Nanoseconds(0));
//   EXPECT_EQ(peer.read(), "+PONG\r\n");
//   peer.reset();
//
// A peer takes from its receive buffer only when told to: one that is not asked to read is the slow
// reader that fills every buffer. A peer that is dropped without close(), fin() or reset() has
// vanished without a word, as behind a pulled cable.
//
// Thread: one. Movable; owns its end of the link.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include "ae/base/bytes.h"
#include "ae/sim/stream_link.h"

namespace ae::sim {

class SimOs;

class SimPeer {
 public:
  static constexpr size_t kEverything = ~size_t{0};

  SimPeer() = default;
  explicit SimPeer(LinkEnd end) : end_(std::move(end)) {}
  SimPeer(SimPeer&&) = default;
  SimPeer& operator=(SimPeer&&) = default;

  // A client that connects. Nobody there: a peer that is not connected.
  static SimPeer dial(SimOs& os, const Address& to, BufferSizes buffers = {});

  explicit operator bool() const { return bool(end_); }
  // Established, and not reset since. (The accepting program may still have it in its backlog.)
  bool connected() const;

  // --- what it sends. Returns how many bytes the window took.
  size_t send(Bytes bytes);
  // The program's read will not go beyond the last byte of this segment.
  size_t send_segment(Bytes bytes);
  void send_pieces(std::initializer_list<Bytes> pieces) {
    for (const Bytes piece : pieces) send_segment(piece);
  }
  void fin();                                       // no more from here; still reads
  void close();                                     // FIN, or a reset if something is unread
  void reset(Received received = Received::kKept);  // RST

  // --- what it hears
  // Takes up to `limit` bytes and returns those it took; received() is all of them since the start.
  std::string read(size_t limit = kEverything);
  const std::string& received() const { return received_; }
  size_t unread() const { return end_ ? end_.link->unread(end_.side) : 0; }
  // The program's FIN is here and everything before it has been read.
  bool saw_end() const;
  bool saw_reset() const;

  Address local_address() const { return end_.link->address(end_.side); }
  Address remote_address() const { return end_.link->address(other(end_.side)); }
  const LinkEnd& end() const { return end_; }

 private:
  LinkEnd end_;
  std::string received_;
};

}  // namespace ae::sim
