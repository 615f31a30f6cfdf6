#include "server/repl/ack_waiters.h"

#include <utility>

#include "server/command/blocking.h"

namespace millrace {

AckWaiters::AckWaiters(Services& services, Leader& leader) : services_(services), leader_(leader) {
  leader_.on_acknowledged([this] { retry(); });
}

// One question serves all who wait for what was there before it.
void AckWaiters::add(SessionId session) {
  waiting_.push_back(session);
  if (asked_at_ == leader_.written_offset()) return;
  leader_.say({"REPLCONF", "GETACK", "*"});
  asked_at_ = leader_.written_offset();
}

// Who is not served comes again by add().
void AckWaiters::retry() {
  for (const SessionId session : std::exchange(waiting_, {})) services_.blocking.retry(session);
}

}  // namespace millrace
