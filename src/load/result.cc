#include "load/result.h"

#include <algorithm>

namespace load {

// Processes work side by side: what they did adds up, how long it took does not.
void PhaseResult::add(const PhaseResult& other) {
  asked += other.asked;
  answered += other.answered;
  late += other.late;
  unanswered += other.unanswered;
  lost += other.lost;
  unasked += other.unasked;
  connected += other.connected;
  connect_failed += other.connect_failed;
  if (connect_error == 0) connect_error = other.connect_error;
  broken += other.broken;
  present += other.present;
  peers_closed += other.peers_closed;
  peer_bytes += other.peer_bytes;
  wrong += other.wrong;
  if (first_wrong[0] == '\0') std::memcpy(first_wrong, other.first_wrong, sizeof(first_wrong));
  wall = std::max(wall, other.wall);
  reconnect = std::max(reconnect, other.reconnect);
  cpu += other.cpu;
  latency.add(other.latency);
  lag.add(other.lag);
  closed.add(other.closed);
  connect.add(other.connect);
}

}  // namespace load
