// maxmemory-clients: when all clients together hold more than they may, those that hold most are
// closed until the others do not. Spared are clients that have said CLIENT NO-EVICT ON and those of
// the admin lane.
//
// What a client holds is what CLIENT LIST calls tot-mem: its records, names and subscriptions, the
// commands it has queued and the keys it watches, the half of a request that has come and the
// replies it has not read. The sum is kept by counting (command/client_memory.h); only above the
// limit are the clients gone through.
//
// Looked at before and after each sleep of the loop; with IO threads, which stand still for it, ten
// times a second. Thread: the loop's.
#pragma once

#include <cstdint>
#include <vector>

#include "ae/core/event_loop.h"
#include "server/command/services.h"
#include "server/command/session.h"

namespace millrace {

class ClientEviction {
 public:
  static constexpr ae::Nanoseconds kLookAtThreads = ae::Milliseconds(100);

  ClientEviction(ae::EventLoop& loop, Services& services);

 private:
  struct Candidate {
    size_t bytes;
    SessionId session;
  };

  void look();
  void evict(size_t held, size_t allowed);
  void close(Session& session);

  ae::EventLoop& loop_;
  Services& services_;
  ae::TimePoint looked_{};
};

}  // namespace millrace
