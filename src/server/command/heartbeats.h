// Application heartbeats (CLIENT HEARTBEAT): clients that asked to be asked. What a handler may do;
// core/client_heartbeats.h does it.
//
// After `interval` without input the server pushes
//
//   >2 heartbeat <n>        n = 1 for the first probe since input came last, then 2, 3, ...
//
// again after each further interval, and when `misses` probes and another interval have brought no
// input it closes the connection (CloseReason::kHeartbeatLost). Any input is a sign of life: a
// command, or more bytes of one. TCP keepalive, which the kernel of a hung process answers, cannot
// tell that.
//
// Thread: the loop that runs commands.
#pragma once

#include <cstddef>
#include <cstdint>

#include "server/command/session.h"

namespace millrace {

struct HeartbeatTerms {
  // An hour is the longest that a heartbeat is good for; the shortest is the wheel's resolution.
  static constexpr int64_t kMaxIntervalS = 3600;
  static constexpr int64_t kMaxMisses = 100;

  uint32_t interval_s = 30;
  uint32_t misses = 3;
};

class Heartbeats {
 public:
  // From now on, on these terms; replaces earlier ones. Sets SessionFlag::kHeartbeat.
  virtual void start(Session& session, HeartbeatTerms terms) = 0;
  // Without effect on a session that has none. To be called before a session with one is gone.
  virtual void stop(Session& session) = 0;
  virtual size_t count() const = 0;

 protected:
  ~Heartbeats() = default;
};

}  // namespace millrace
