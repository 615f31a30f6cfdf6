// maxmemory: keeps what the server uses below the limit by evicting keys before a command that may
// need more. Which keys is the policy's matter (db/eviction.h); how much is used, the meter's
// (observe/memory_meter.h).
//
// One call evicts for a limited time (maxmemory-eviction-tenacity), so that a lowered limit does
// not stop the server; what is left goes in slices, a tick each, whether or not commands come.
//
// Thread: the loop's.
#pragma once

#include "ae/core/event_loop.h"
#include "server/command/services.h"
#include "server/db/eviction.h"

namespace millrace {

class MemoryGuard {
 public:
  MemoryGuard(ae::EventLoop& loop, Services& services);

  // To be called when the configuration changes. What is above a new limit goes before the loop
  // sleeps.
  void refresh();
  bool limited() const;
  // False: usage is above the limit and nothing can go (or the policy is noeviction).
  bool make_room();

 private:
  void configure();
  uint64_t excess() const;  // bytes above the limit
  bool may_evict() const;
  Evictor::Outcome evict(uint64_t to_free, ae::TimePoint start);

  ae::EventLoop& loop_;
  Services& services_;
  Evictor evictor_;
  bool unfinished_ = false;
};

}  // namespace millrace
