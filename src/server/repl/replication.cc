#include "server/repl/replication.h"

#include <fmt/format.h>

#include "server/command/append_only.h"
#include "server/command/blocking.h"
#include "server/command/lifecycle.h"
#include "server/config/config_store.h"
#include "server/observe/log.h"

namespace millrace {
namespace {

constexpr std::string_view kRoleChanged =
    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)";

void log_synthesized_master() {
  log::notice(
      "Before turning into a replica, using my own master parameters to synthesize a cached "
      "master: I may be able to synchronize with the new master with just a partial transfer.");
}

}  // namespace

Replication::Replication(Parts parts)
    : loop_(parts.loop),
      services_(parts.services),
      log_(parts.services.prng),
      leader_(parts.loop, parts.services, log_),
      snapshots_(parts.loop, parts.services, parts.storage, parts.processes, log_, leader_),
      waiters_(parts.services, leader_),
      link_({parts.loop, parts.table, parts.services, parts.storage, parts.seed}, *this),
      failover_(parts.loop, parts.services, log_, leader_, *this),
      farewell_(parts.loop, parts.services, log_, leader_) {
  timer_ = loop_.add_periodic(ae::Seconds(1), [this] { tick(); });
}

Replication::~Replication() {
  loop_.cancel(timer_);
}

// --- the start

void Replication::take_configured_role() {
  if (services_.config.replicaof.is_none()) return;
  has_data_ = false;
  begin_following();
  set_state();
}

// The file may say anything: what is no point of a history is not believed.
void Replication::recall(const ReplicationPoint& loaded) {
  const bool has_db = loaded.db >= 0 && size_t(loaded.db) < services_.databases.count();
  if (!has_db || loaded.offset < 0 || !ReplicationId::is_id(loaded.id)) return;
  const ResumePoint point{loaded.id, loaded.offset};
  if (!follows()) {
    log_.inherit(point, backlog_bytes());
    return leader_.expect_replicas();
  }
  log_synthesized_master();
  log_.recall(point);
  link_.select_stream_db(uint8_t(loaded.db));
  has_data_ = true;
}

void Replication::begin() {
  if (!follows() || services_.state.loading()) return;
  link_.start(services_.config.replicaof);
  set_state();
}

// --- the role

void Replication::follow(MasterAddress master) {
  const bool led = !follows();
  if (led) {
    leader_.flush();
    leader_.end_leading();
    services_.blocking.unblock_all(kRoleChanged);
    log_synthesized_master();
  }
  leader_.disconnect_all();
  services_.config_store.adjust([&](Config& config) { config.replicaof = master; });
  begin_following();
  link_.start(std::move(master));
  set_state();
}

void Replication::begin_following() {
  services_.state.change([](ServerState::Facts& facts) { facts.follows_master = true; });
  log::set_role(log::Role::kReplica);
}

void Replication::lead() {
  if (!follows()) return;
  link_.stop();
  leader_.flush();
  log_.branch();
  log::notice(
      "Setting secondary replication ID to {}, valid up to offset: {}. New replication ID is {}",
      log_.history().second_id(), log_.history().second_offset(), log_.history().id());
  leader_.disconnect_all();
  services_.config_store.adjust([](Config& config) { config.replicaof = {}; });
  services_.state.change([](ServerState::Facts& facts) { facts.follows_master = false; });
  log::set_role(log::Role::kServer);
  has_data_ = true;
  leader_.begin_leading();
  services_.append_only.resume();  // a snapshot that did not come to its end had stopped it
  set_state();
  log::notice("MASTER MODE enabled");
}

// What clients meet: gates answer from it.
void Replication::set_state() {
  const Config& config = services_.config;
  services_.state.change([&](ServerState::Facts& facts) {
    facts.read_only = follows() && config.replica_read_only;
    facts.stale = follows() && !link_.is_up() && !config.replica_serve_stale_data;
  });
}

bool Replication::cut_link() {
  const bool up = follows() && link_.is_up();
  if (up) link_.cut();
  return up;
}

void Replication::refresh() {
  leader_.refresh();
  set_state();
}

std::optional<std::string> Replication::refusal_to_sync() const {
  if (!follows() || link_.is_up()) return std::nullopt;
  return "NOMASTERLINK Can't SYNC while not connected with my master";
}

void Replication::tick() {
  link_.tick();
  leader_.tick();
  snapshots_.tick();
}

// --- what the link brings

FollowerHandshake::Terms Replication::terms() {
  const Config& config = services_.config;
  const uint16_t port = config.replica_announce_port != 0 ? config.replica_announce_port
                                                          : uint16_t(services_.lifecycle.port());
  FollowerHandshake::Terms terms{.user = config.masteruser,
                                 .password = config.masterauth,
                                 .listening_port = port,
                                 .announced_ip = config.replica_announce_ip,
                                 .failover = failover_.is_handing_over()};
  if (has_data_) {
    terms.resume = log_.resume_point();
    log::notice("Trying a partial resynchronization (request {}:{}).", terms.resume->id,
                terms.resume->offset);
  } else {
    log::notice("Partial resynchronization not possible (no cached master)");
  }
  return terms;
}

void Replication::data_goes() {
  failover_.succeeded();
  leader_.flush();
  leader_.disconnect_all();
  has_data_ = false;
  services_.state.change([](ServerState::Facts& facts) { facts.loading = Loading::kYes; });
}

void Replication::data_came(const std::optional<ResumePoint>& point) {
  services_.state.change([](ServerState::Facts& facts) { facts.loading = Loading::kNo; });
  if (!point) return;
  has_data_ = true;
  log_.adopt(*point, backlog_bytes());
}

void Replication::goes_on(std::string_view id) {
  if (!id.empty() && id != log_.history().id()) {
    log::notice("Master replication ID changed to {}", id);
    leader_.flush();
    leader_.disconnect_all();
  }
  log_.go_on(id, backlog_bytes());
  failover_.succeeded();
}

// --- what is told of it

MasterLinkFacts Replication::master_facts() const {
  MasterLinkFacts facts;
  facts.host = services_.config.replicaof.host;
  facts.port = services_.config.replicaof.port;
  facts.state = name(link_.state());
  facts.up = link_.is_up();
  facts.receiving_snapshot = link_.is_copying();
  facts.last_io_s = link_.seconds_since_io();
  facts.down_since_s = link_.seconds_down();
  facts.applied_offset = log_.offset();
  facts.read_offset = facts.applied_offset + int64_t(link_.held_bytes());
  if (const SnapshotTransfer* transfer = link_.transfer()) {
    facts.snapshot_bytes = transfer->total_bytes();
    facts.snapshot_received = transfer->received_bytes();
  }
  return facts;
}

std::optional<ReplicationPoint> Replication::point() const {
  if (follows() ? !has_data_ : !log_.backlog()) return std::nullopt;
  // Where no database has been named yet, the next command names one.
  const int db = follows() ? link_.stream_db() : leader_.stream_db().value_or(0);
  return ReplicationPoint{.db = db, .id = log_.history().id(), .offset = log_.offset()};
}

ReplicationFacts Replication::facts() const {
  ReplicationFacts facts;
  facts.follows = follows();
  if (facts.follows) facts.master = master_facts();
  leader_.add_facts(facts);
  facts.failover_state = failover_.state_name();
  facts.id = log_.history().id();
  facts.second_id = log_.history().second_id();
  facts.offset = log_.offset();
  facts.second_offset = log_.history().second_offset();
  facts.backlog_bytes = backlog_bytes();
  if (const Backlog* backlog = log_.backlog()) {
    facts.backlog_active = true;
    facts.backlog_first_offset = backlog->first_offset();
    facts.backlog_held = backlog->size();
  }
  return facts;
}

}  // namespace millrace
