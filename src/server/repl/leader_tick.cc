// What the leader does by the clock: signs of life, replicas that give none, a backlog that nobody
// needs.
#include "server/command/elapsed.h"
#include "server/config/config.h"
#include "server/observe/log.h"
#include "server/repl/leader.h"

namespace millrace {

// min-replicas-to-write
void Leader::judge_replicas() {
  const Config& config = services_.config;
  const bool asked = config.min_replicas_to_write > 0 && config.min_replicas_max_lag_s > 0;
  const bool too_few = asked && !follows() && good_count() < size_t(config.min_replicas_to_write);
  if (services_.state.facts().too_few_replicas == too_few) return;
  services_.state.change([&](ServerState::Facts& facts) { facts.too_few_replicas = too_few; });
}

void Leader::tick() {
  ++ticks_;
  if (ticks_ % uint64_t(services_.config.repl_ping_replica_period_s) == 0 && replica_count() > 0 &&
      services_.clients.paused(services_.tick.unix_us / 1000) == PauseKind::kNone)
    say({"PING"});
  send_alive_signs();
  end_silent();
  end_stalled();
  drop_unused_backlog();
  judge_replicas();
}

void Leader::refresh() {
  log_.resize_backlog(size_t(services_.config.repl_backlog_size_bytes));
  judge_replicas();
}

// Who waits for a snapshot must not take us for dead. Between the header of a snapshot and its end
// such a line would be part of it.
void Leader::send_alive_signs() {
  each_in(Replica::State::kWaiting,
          [this](Replica&, Session& session) { services_.clients.push(session, "\n"); });
}

void Leader::end_silent() {
  each_in(Replica::State::kOnline, [this](Replica& replica, Session& session) {
    if (!replica.speaks_psync) return;
    if (seconds_between(replica.acked_at, loop_.now()) <= services_.config.repl_timeout_s) return;
    log::warning("Disconnecting timedout replica (streaming sync): {}", address_of(replica));
    services_.clients.link().close_now(session);
  });
}

// One that takes nothing of its snapshot holds up the others, and the child. Loading it may take as
// long as it likes: of that we hear nothing.
void Leader::end_stalled() {
  each([this](Replica& replica) {
    if (!replica.holds_back()) return;
    Session& session = *services_.clients.find(replica.session);
    const size_t unsent = services_.clients.link().output_bytes(session);
    if (unsent == 0 || unsent != replica.unsent_bytes) replica.acked_at = loop_.now();
    replica.unsent_bytes = unsent;
    if (seconds_between(replica.acked_at, loop_.now()) <= services_.config.repl_timeout_s) return;
    log::warning("Disconnecting timedout replica (full sync): {}", address_of(replica));
    services_.clients.link().close_now(session);
  });
}

// Without replicas the backlog serves nobody after a while, and keeping it up costs each change.
void Leader::drop_unused_backlog() {
  const int64_t ttl_s = services_.config.repl_backlog_ttl_s;
  if (ttl_s == 0 || !log_.backlog() || follows() || replica_count() > 0) return;
  if (seconds_between(alone_since_, loop_.now()) <= ttl_s) return;
  services_.feed.detach(*this);
  log_.drop_backlog();
  log::notice("Replication backlog freed after {} seconds without connected replicas.", ttl_s);
}

}  // namespace millrace
