#include "ae/sim/sim_host.h"

#include <utility>

#include "ae/base/assert.h"

namespace ae::sim {

SimHost::SimHost(SimOs& os, const Address& address, BufferSizes buffers)
    : network_(os.network()), buffers_(buffers) {
  const auto attached = network_.attach(address, Sharing::kAlone, this);
  AE_ASSERT(attached.has_value());
  address_ = *attached;
}

Status SimHost::on_dial(LinkEnd acceptor) {
  ++dials_;
  switch (answer_) {
    case Answer::kAccept:
      accept(std::move(acceptor), Handshake::kInProgress);
      return {};
    case Answer::kAcceptAtOnce:
      accept(std::move(acceptor), Handshake::kImmediate);
      return {};
    case Answer::kRefuse:
      acceptor.link->refuse(refusal_);
      return {};
    case Answer::kRefuseAtOnce:
      return ae::fail(refusal_, "connect");
    case Answer::kSilence:
      waiting_.push_back(std::move(acceptor));
      return {};
    case Answer::kSelf:
      acceptor.link->set_address(Side::kDialer, acceptor.link->address(Side::kAcceptor));
      accept(std::move(acceptor), Handshake::kInProgress);
      return {};
  }
  return {};
}

void SimHost::accept(LinkEnd acceptor, Handshake handshake) {
  acceptor.link->establish(handshake);
  accepted_.push_back(std::move(acceptor));
}

std::optional<SimPeer> SimHost::take() {
  if (accepted_.empty()) return std::nullopt;
  SimPeer peer(std::move(accepted_.front()));
  accepted_.pop_front();
  return peer;
}

// The dialler may have given up meanwhile.
void SimHost::accept_waiting() {
  for (LinkEnd& end : std::exchange(waiting_, {})) {
    const bool gone = end.link->closed(Side::kDialer) || !end.link->connecting();
    if (!gone) accept(std::move(end), Handshake::kInProgress);
  }
}

void SimHost::refuse_waiting() {
  for (const LinkEnd& end : std::exchange(waiting_, {})) {
    if (end.link->connecting()) end.link->refuse(refusal_);
  }
}

}  // namespace ae::sim
