#include "ae/sim/sim_peer.h"

#include <algorithm>
#include <array>

#include "ae/sim/sim_os.h"

namespace ae::sim {

SimPeer SimPeer::dial(SimOs& os, const Address& to, BufferSizes buffers) {
  const Address from = os.network().ephemeral(to.family());
  auto end = os.network().dial(from, to, buffers);
  return end ? SimPeer(*end) : SimPeer();
}

bool SimPeer::connected() const {
  return end_ && end_.link->established() && !end_.link->dead(end_.side);
}

size_t SimPeer::send(Bytes bytes) {
  if (!end_ || end_.link->closed(end_.side)) return 0;
  return end_.link->write(end_.side, bytes).bytes;
}

size_t SimPeer::send_segment(Bytes bytes) {
  const size_t sent = send(bytes);
  if (sent > 0) end_.link->mark_boundary(end_.side);
  return sent;
}

void SimPeer::fin() {
  if (end_ && !end_.link->closed(end_.side)) (void)end_.link->shutdown_write(end_.side);
}

void SimPeer::close() {
  if (end_) end_.link->close(end_.side);
}

void SimPeer::reset(Received received) {
  if (end_) end_.link->reset(end_.side, received);
}

std::string SimPeer::read(size_t limit) {
  std::string taken;
  if (!end_ || end_.link->closed(end_.side)) return taken;
  std::array<char, 4096> block;
  while (taken.size() < limit && unread() > 0) {
    const size_t room = std::min(block.size(), limit - taken.size());
    const IoResult result = end_.link->read(end_.side, MutableBytes(block.data(), room));
    if (result.status != IoStatus::kOk) break;
    taken.append(block.data(), result.bytes);
  }
  received_ += taken;
  return taken;
}

bool SimPeer::saw_end() const {
  return end_ && unread() == 0 && end_.link->fin_received(end_.side);
}

bool SimPeer::saw_reset() const {
  return end_ && end_.link->dead(end_.side);
}

}  // namespace ae::sim
