#include "server/repl/failover.h"

#include "server/observe/log.h"

namespace millrace {

const char* Failover::state_name() const {
  switch (state_) {
    case State::kNone:
      return "no-failover";
    case State::kWaiting:
      return "waiting-for-sync";
    case State::kHandingOver:
      return "failover-in-progress";
  }
  return "";
}

std::optional<std::string> Failover::refusal(const FailoverTerms& terms) {
  if (under_way()) return "ERR FAILOVER already in progress.";
  if (services_.state.follows_master())
    return "ERR FAILOVER is not valid when server is a replica.";
  if (leader_.replica_count() == 0) return "ERR FAILOVER requires connected replicas.";
  if (terms.force && (!terms.target || terms.timeout_ms == 0))
    return "ERR FAILOVER with force option requires both a timeout and target HOST and IP.";
  if (!terms.target) return std::nullopt;
  std::optional<std::string> refusal = "ERR FAILOVER target HOST and PORT is not a replica.";
  leader_.each([&](Replica& replica) {
    if (!(address_of(replica) == *terms.target)) return;
    refusal = std::nullopt;
    if (replica.state != Replica::State::kOnline)
      refusal = "ERR FAILOVER target replica is not online.";
  });
  return refusal;
}

std::optional<std::string> Failover::begin(const FailoverTerms& terms) {
  if (auto why = refusal(terms)) return why;
  log::notice("FAILOVER requested to {}.",
              terms.target ? terms.target->host + ":" + std::to_string(terms.target->port)
                           : std::string("any replica"));
  terms_ = terms;
  state_ = State::kWaiting;
  deadline_ = loop_.now() + ae::Milliseconds(terms.timeout_ms);
  services_.clients.pause(PauseKind::kWrites, INT64_MAX);
  leader_.say({"REPLCONF", "GETACK", "*"});
  timer_ = loop_.add_periodic(kLook, [this] { look(); });
  return std::nullopt;
}

void Failover::look() {
  if (state_ != State::kWaiting) return;
  if (const Replica* ready = target()) return hand_over(address_of(*ready));
  if (terms_.timeout_ms == 0 || loop_.now() < deadline_) return;
  if (!terms_.force) return abort("Replica never caught up before timeout");
  log::notice("Failover to {}:{} time out exceeded, failing over.", terms_.target->host,
              terms_.target->port);
  hand_over(*terms_.target);
}

// One that has everything, and is the one that was asked for.
const Replica* Failover::target() {
  const Replica* found = nullptr;
  leader_.each([&](Replica& replica) {
    if (replica.state != Replica::State::kOnline || replica.acked_offset < log_.offset()) return;
    if (!terms_.target || address_of(replica) == *terms_.target) found = &replica;
  });
  return found;
}

void Failover::hand_over(MasterAddress to) {
  log::notice("Failover target {}:{} is synced, failing over.", to.host, to.port);
  state_ = State::kHandingOver;
  owner_.follow(std::move(to));
}

void Failover::abort(std::string_view why) {
  if (!under_way()) return;
  log::notice("Aborting failover: {}", why);
  const bool has_stepped_down = is_handing_over();
  end();
  if (has_stepped_down) owner_.lead();
}

void Failover::succeeded() {
  if (!is_handing_over()) return;
  log::notice("Failover completed.");
  end();
}

void Failover::end() {
  state_ = State::kNone;
  loop_.cancel(timer_);
  services_.clients.unpause();
}

MasterAddress Failover::address_of(const Replica& replica) const {
  return {leader_.ip_of(replica), replica.listening_port};
}

}  // namespace millrace
