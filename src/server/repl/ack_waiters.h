// Clients that wait until replicas have what was written (WAIT). They are blocked clients like
// those that wait for a key; here is only when they are worth another try.
//
// Thread: the one that runs commands.
#pragma once

#include <vector>

#include "server/command/session.h"
#include "server/repl/leader.h"

namespace millrace {

class AckWaiters {
 public:
  AckWaiters(Services& services, Leader& leader);

  // To be tried again when a replica has acknowledged something. Replicas are asked for it.
  void add(SessionId session);
  // The same for one who waits for nothing of theirs, only for our own disk (WAITAOF).
  void add_local(SessionId session) { waiting_.push_back(session); }
  // Something that somebody may wait for has come about.
  void retry();

 private:
  Services& services_;
  Leader& leader_;
  std::vector<SessionId> waiting_;
  int64_t asked_at_ = -1;  // up to where the last GETACK asked
};

}  // namespace millrace
