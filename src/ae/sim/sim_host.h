// A server that the program dials, moved by the test.
//
//   SimHost upstream(os, ae::Address::loopback(7000));
//   upstream.answer_with(Answer::kAccept);            // the default
//   ... the program connects ...
//   auto peer = upstream.take();                      // std::optional<SimPeer>
//   peer->send("+OK\r\n");
//
// The answer is given to each dial that comes; one that must come later is kSilence now and
// accept_waiting() or refuse_waiting() from the agenda.
//
// Thread: one. Detaches from its address when it dies; what it accepted lives on.
#pragma once

#include <cerrno>
#include <cstdint>
#include <deque>
#include <optional>

#include "ae/net/address.h"
#include "ae/sim/network.h"
#include "ae/sim/sim_os.h"
#include "ae/sim/sim_peer.h"

namespace ae::sim {

enum class Answer : uint8_t {
  kAccept,        // EINPROGRESS, then writable
  kAcceptAtOnce,  // connect() returns 0
  kRefuse,        // EINPROGRESS, then ECONNREFUSED
  kRefuseAtOnce,  // connect() fails
  kSilence,       // never answered: a firewall that drops
  kSelf,          // connected to itself: local and peer address are the same (a port the kernel
                  // chose for the dialler happened to be the one it dials)
};

class SimHost final : public Service {
 public:
  // Nobody else may be at this address.
  SimHost(SimOs& os, const Address& address, BufferSizes buffers = {});
  ~SimHost() { network_.detach(this); }
  SimHost(const SimHost&) = delete;
  SimHost& operator=(const SimHost&) = delete;

  void answer_with(Answer answer) { answer_ = answer; }
  // What kRefuse and kRefuseAtOnce mean: ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT.
  void refuse_with(int error) { refusal_ = error; }

  // The next connection that was established, oldest first.
  std::optional<SimPeer> take();
  // What was met with silence so far.
  size_t waiting() const { return waiting_.size(); }
  void accept_waiting();
  void refuse_waiting();

  const Address& address() const { return address_; }
  uint64_t dials() const { return dials_; }

  // --- Service
  Status on_dial(LinkEnd acceptor) override;
  BufferSizes accepted_buffers() const override { return buffers_; }

 private:
  void accept(LinkEnd acceptor, Handshake handshake);

  Network& network_;
  Address address_;
  BufferSizes buffers_;
  Answer answer_ = Answer::kAccept;
  int refusal_ = ECONNREFUSED;
  uint64_t dials_ = 0;
  std::deque<LinkEnd> accepted_;
  std::deque<LinkEnd> waiting_;
};

}  // namespace ae::sim
