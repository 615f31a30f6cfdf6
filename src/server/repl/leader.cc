#include "server/repl/leader.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>

#include "server/command/elapsed.h"
#include "server/config/output_limit.h"
#include "server/observe/log.h"

namespace millrace {

Leader::Leader(ae::EventLoop& loop, Services& services, ReplicationLog& log)
    : FeedSink(Audience::kReplicas),
      loop_(loop),
      services_(services),
      log_(log),
      alone_since_(loop.now()) {
  services_.clients.on_leave([this](Session& session) { left(session); });
  // Behind the tick's commands, and once more for what the timers brought about.
  loop_.after_events([this] { flush(); });
  loop_.before_sleep([this] { flush(); });
}

Leader::~Leader() {
  services_.feed.detach(*this);
}

Replica& Leader::record(Session& session) {
  Replica& replica = replicas_[session.self.packed()];
  replica.session = session.self;
  return replica;
}

Replica* Leader::find(SessionId session) {
  const auto found = replicas_.find(session.packed());
  return found == replicas_.end() ? nullptr : &found->second;
}

// --- PSYNC

std::optional<std::string> Leader::sync(Session& session, const SyncRequest& request) {
  Replica& replica = record(session);
  const SyncDecision decision = decide_sync(request, log_.history(), log_.backlog());
  explain(request, decision, replica);
  if (decision == SyncDecision::kContinue) {
    ++counters_.partial_ok;
    const std::string line = continue_line(log_.history(), replica.knows_psync2);
    resume(session, replica, request.offset);
    return line;
  }
  if (decision != SyncDecision::kFullAsked) ++counters_.partial_refused;
  sync_whole(session);
  return std::nullopt;
}

void Leader::sync_whole(Session& session) {
  ++counters_.full_syncs;
  begin_history();
  take(session, record(session), Replica::State::kWaiting);
}

void Leader::take(Session& session, Replica& replica, Replica::State state) {
  session.replica = true;
  replica.state = state;
  replica.since = replica.acked_at = loop_.now();
  if (services_.config.repl_disable_tcp_nodelay)
    static_cast<void>(loop_.os().set_option(services_.clients.link().descriptor(session),
                                            IPPROTO_TCP, TCP_NODELAY, 0));
}

void Leader::resume(Session& session, Replica& replica, int64_t from) {
  flush();
  take(session, replica, Replica::State::kOnline);
  log::notice(
      "Partial resynchronization request from {} accepted. Sending {} bytes of backlog starting "
      "from offset {}.",
      address_of(replica), log_.next_offset() - from, from);
  for (std::string_view piece : log_.backlog()->from(from))
    if (!piece.empty()) services_.clients.push(session, piece);
  judge_replicas();
}

void Leader::explain(const SyncRequest& request, SyncDecision decision, const Replica& replica) {
  const std::string who = address_of(replica);
  switch (decision) {
    case SyncDecision::kContinue:
      return;
    case SyncDecision::kFullAsked:
      return log::notice("Full resync requested by replica {}", who);
    case SyncDecision::kFullOtherHistory:
      return log::notice(
          "Partial resynchronization not accepted: Replication ID mismatch (Replica asked for "
          "'{}', my replication IDs are '{}' and '{}')",
          request.id, log_.history().id(), log_.history().second_id());
    case SyncDecision::kFullBeyondSecond:
      return log::notice(
          "Partial resynchronization not accepted: Requested offset for second ID was {}, but I "
          "can reply up to {}",
          request.offset, log_.history().second_offset());
    case SyncDecision::kFullLackOfBacklog:
      return log::notice(
          "Unable to partial resync with replica {} for lack of backlog (Replica request was: "
          "{}).",
          who, request.offset);
  }
}

// The first replica: from here on changes are counted.
void Leader::begin_history() {
  if (log_.backlog()) return;
  log_.begin_backlog(size_t(services_.config.repl_backlog_size_bytes));
  begin_leading();
  log::notice("Replication backlog created, my new replication IDs are '{}' and '{}'",
              log_.history().id(), log_.history().second_id());
}

void Leader::acknowledged(Session& session, int64_t offset, std::optional<int64_t> synced) {
  Replica* replica = find(session.self);
  if (!replica || !replica->is_replica()) return;
  replica->acked_offset = std::max(replica->acked_offset, offset);
  if (synced) replica->synced_offset = std::max(replica->synced_offset, *synced);
  replica->acked_at = loop_.now();
  if (replica->state == Replica::State::kArriving) went_online(*replica);
  judge_replicas();
  if (on_acknowledged_) on_acknowledged_();
}

// --- the stream

void Leader::on_command(uint8_t db, Words words) {
  if (follows()) return;  // it comes from our master, whose own bytes are passed on
  const size_t before = pending_.size();
  encoder_.append(pending_, db, words);
  log_.append(std::string_view(pending_).substr(before));
  written_offset_ = log_.offset();
}

void Leader::on_message(uint8_t db, Words words) {
  on_command(db, words);
}

void Leader::forward(std::string_view bytes) {
  log_.append(bytes);
  if (!replicas_.empty()) pending_ += bytes;
}

void Leader::say(std::initializer_list<std::string_view> words) {
  if (follows() || !log_.backlog()) return;
  const size_t before = pending_.size();
  CommandEncoder::append(pending_, std::span(words.begin(), words.size()));
  log_.append(std::string_view(pending_).substr(before));
}

void Leader::flush() {
  if (pending_.empty()) return;
  const std::string bytes = std::exchange(pending_, {});
  const size_t most = output_limit(services_.config, ClientClass::kReplica).hard_bytes;
  each([&](Replica& replica) {
    Session& session = *services_.clients.find(replica.session);
    if (replica.state == Replica::State::kOnline) return services_.clients.push(session, bytes);
    if (!replica.holds_back()) return;
    replica.held += bytes;
    if (most != 0 && replica.held.size() > most)
      drop(replica, "the changes since its snapshot exceed client-output-buffer-limit");
  });
}

void Leader::went_online(Replica& replica) {
  replica.state = Replica::State::kOnline;
  replica.acked_at = loop_.now();
  Session& session = *services_.clients.find(replica.session);
  if (replica.wants_snapshot_only) {
    log::notice("RDB transfer completed, rdb only replica ({}) should be disconnected asap",
                address_of(replica));
    return services_.clients.link().close_after_reply(session);
  }
  if (!replica.held.empty()) services_.clients.push(session, replica.held);
  replica.held = {};
  log::notice("Synchronization with replica {} succeeded", address_of(replica));
  judge_replicas();
}

void Leader::drop(Replica& replica, std::string_view why) {
  log::warning("Disconnecting replica {}: {}", address_of(replica), why);
  services_.clients.link().close_now(*services_.clients.find(replica.session));
}

void Leader::disconnect_all() {
  each([this](Replica& replica) {
    services_.clients.link().close_now(*services_.clients.find(replica.session));
  });
}

void Leader::left(Session& session) {
  const auto found = replicas_.find(session.self.packed());
  if (found == replicas_.end()) return;
  if (found->second.is_replica())
    log::notice("Connection with replica {} lost.", address_of(found->second));
  replicas_.erase(found);
  if (replica_count() == 0) alone_since_ = loop_.now();
  judge_replicas();
}

void Leader::begin_leading() {
  encoder_.forget_database();
  written_offset_ = log_.offset();
  if (log_.backlog()) services_.feed.attach(*this);
}

void Leader::expect_replicas() {
  alone_since_ = loop_.now();
  begin_leading();
}

// --- counting

void Leader::each(ds::FunctionRef<void(Replica&)> visitor) {
  for (auto& [id, replica] : replicas_)
    if (replica.is_replica()) visitor(replica);
}

void Leader::each_in(Replica::State state, ds::FunctionRef<void(Replica&, Session&)> visitor) {
  each([&](Replica& replica) {
    if (replica.state == state) visitor(replica, *services_.clients.find(replica.session));
  });
}

size_t Leader::count_in(Replica::State state) const {
  return size_t(std::count_if(replicas_.begin(), replicas_.end(),
                              [state](const auto& pair) { return pair.second.state == state; }));
}

size_t Leader::replica_count() const {
  return replicas_.size() - count_in(Replica::State::kAnnounced);
}

size_t Leader::count_acked(int64_t offset) const {
  return size_t(std::count_if(replicas_.begin(), replicas_.end(), [offset](const auto& pair) {
    return pair.second.state == Replica::State::kOnline && pair.second.acked_offset >= offset;
  }));
}

size_t Leader::count_synced(int64_t offset) const {
  return size_t(std::count_if(replicas_.begin(), replicas_.end(), [offset](const auto& pair) {
    return pair.second.state == Replica::State::kOnline && pair.second.synced_offset >= offset;
  }));
}

size_t Leader::good_count() const {
  const int most_s = services_.config.min_replicas_max_lag_s;
  return size_t(std::count_if(replicas_.begin(), replicas_.end(), [&](const auto& pair) {
    return pair.second.state == Replica::State::kOnline &&
           seconds_between(pair.second.acked_at, loop_.now()) <= most_s;
  }));
}

// --- names

int64_t Leader::lag_s(const Replica& replica) const {
  const bool online = replica.state == Replica::State::kOnline;
  return online ? seconds_between(replica.acked_at, loop_.now()) : 0;
}

std::string Leader::ip_of(const Replica& replica) const {
  if (!replica.announced_ip.empty()) return replica.announced_ip;
  const Session* session = services_.clients.find(replica.session);
  if (!session) return "?";
  std::string peer = services_.clients.link().peer_text(*session);
  peer.resize(std::min(peer.size(), peer.rfind(':')));
  if (peer.starts_with('[') && peer.ends_with(']')) peer = peer.substr(1, peer.size() - 2);
  return peer;
}

std::string Leader::address_of(const Replica& replica) const {
  const std::string ip = ip_of(replica);
  if (replica.listening_port == 0) return fmt::format("{}:<unknown-replica-port>", ip);
  const bool is_ipv6 = ip.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", ip, replica.listening_port)
                 : fmt::format("{}:{}", ip, replica.listening_port);
}

UnsentToReplicas Leader::unsent() const {
  UnsentToReplicas sum;
  for (const auto& [id, replica] : replicas_) {
    if (!replica.is_replica()) continue;
    const Session& session = *services_.clients.find(replica.session);
    sum.queued += services_.clients.link().output_bytes(session);
    sum.held += replica.held.size();
  }
  return sum;
}

void Leader::add_facts(ReplicationFacts& facts) const {
  for (const auto& [id, replica] : replicas_) {
    if (!replica.is_replica()) continue;
    facts.replicas.push_back({.ip = ip_of(replica),
                              .port = replica.listening_port,
                              .state = name(replica.state),
                              .online = replica.state == Replica::State::kOnline,
                              .offset = replica.acked_offset,
                              .lag_s = seconds_between(replica.acked_at, loop_.now())});
  }
  facts.good_replicas = good_count();
}

}  // namespace millrace
