#include "server/repl/farewell.h"

#include <utility>

#include "server/command/blocking.h"
#include "server/command/clients.h"
#include "server/observe/log.h"

namespace millrace {

void Farewell::begin(ae::TimePoint deadline, ae::Callback<void()> done) {
  log::notice("Waiting for replicas before shutting down.");
  deadline_ = deadline;
  done_ = std::move(done);
  leader_.say({"REPLCONF", "GETACK", "*"});  // else the next word of theirs is up to a second away
  timer_ = loop_.add_periodic(kLook, [this] { look(); });
}

void Farewell::look() {
  if (is_due() && loop_.now() < deadline_) return;
  loop_.cancel(std::exchange(timer_, {}));
  std::exchange(done_, nullptr)();
}

void Farewell::cancel() {
  loop_.cancel(std::exchange(timer_, {}));
  done_ = nullptr;
  refused_ = std::exchange(askers_, {});
  for (const SessionId asker : refused_) services_.blocking.retry(asker);
}

// A master's own PING or GETACK is nothing that could be lost. What a replica passes on is counted
// as it comes.
int64_t Farewell::target() const {
  return services_.state.follows_master() ? log_.offset() : leader_.written_offset();
}

size_t Farewell::lagging_count() const {
  size_t count = 0;
  leader_.each([&](Replica& replica) { count += replica.acked_offset < target() ? 1 : 0; });
  return count;
}

void Farewell::log_lagging() const {
  const size_t count = leader_.replica_count();
  if (count == 0) return;
  leader_.each([this](Replica& replica) {
    const int64_t behind = target() - replica.acked_offset;
    if (behind <= 0) return;
    log::warning("Lagging replica {} reported offset {} behind master, lag={}, state={}.",
                 leader_.address_of(replica), behind, leader_.lag_s(replica), name(replica.state));
  });
  log::notice("{} of {} replicas are in sync when shutting down.", count - lagging_count(), count);
}

}  // namespace millrace
