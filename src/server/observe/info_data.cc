// INFO of the data and its copies: persistence, replication, modules, cluster, keyspace.
#include <array>

#include "ae/base/prng.h"
#include "server/command/replication_view.h"
#include "server/observe/info.h"

namespace millrace::info {
namespace {

// Redis averages what its expiry cycle came across; here keys are drawn when somebody asks.
constexpr size_t kTtlSamples = 64;

int64_t average_ttl_ms(const Keyspace& keyspace, ae::Prng& prng, int64_t now_ms) {
  std::array<Entry*, kTtlSamples> sample;
  const size_t count = keyspace.sample_expiring(prng, sample);
  int64_t sum_ms = 0;
  for (size_t i = 0; i < count; ++i)
    sum_ms += std::max<int64_t>(sample[i]->expire_at_ms() - now_ms, 0);
  return count == 0 ? 0 : sum_ms / int64_t(count);
}

// What comes of the snapshot that the master sends.
void snapshot_progress(const MasterLinkFacts& link, InfoText& text) {
  const int64_t left = link.snapshot_bytes - link.snapshot_received;
  text.field("master_sync_total_bytes", link.snapshot_bytes);
  text.field("master_sync_read_bytes", link.snapshot_received);
  text.field("master_sync_left_bytes", left);
  text.ratio("master_sync_perc", link.snapshot_bytes > 0 ? 100.0 * double(link.snapshot_received) /
                                                               double(link.snapshot_bytes)
                                                         : 0.0);
  text.field("master_sync_last_io_seconds_ago", link.last_io_s);
}

void master_link(const MasterLinkFacts& link, const Config& config, InfoText& text) {
  text.field("master_host", link.host);
  text.field("master_port", link.port);
  text.field("master_link_status", link.up ? "up" : "down");
  text.field("master_last_io_seconds_ago", link.up ? link.last_io_s : -1);
  text.field("master_sync_in_progress", int(link.receiving_snapshot));
  text.field("slave_read_repl_offset", link.read_offset);
  text.field("slave_repl_offset", link.applied_offset);
  if (link.receiving_snapshot) snapshot_progress(link, text);
  if (!link.up) text.field("master_link_down_since_seconds", link.down_since_s);
  text.field("slave_priority", config.replica_priority);
  text.field("slave_read_only", int(config.replica_read_only));
  text.field("replica_announced", int(config.replica_announced));
}

}  // namespace

void replication(Services& services, InfoText& text) {
  const ReplicationFacts facts = services.replicas.facts();
  text.field("role", facts.follows ? "slave" : "master");
  if (facts.follows) master_link(facts.master, services.config, text);
  text.field("connected_slaves", facts.replicas.size());
  const Config& config = services.config;
  if (config.min_replicas_to_write > 0 && config.min_replicas_max_lag_s > 0)
    text.field("min_slaves_good_slaves", facts.good_replicas);
  size_t number = 0;
  for (const ReplicaFacts& replica : facts.replicas)
    text.line("slave{}:ip={},port={},state={},offset={},lag={}", number++, replica.ip, replica.port,
              replica.state, replica.offset, replica.lag_s);
  text.field("master_failover_state", facts.failover_state);
  text.field("master_replid", facts.id);
  text.field("master_replid2", facts.second_id);
  text.field("master_repl_offset", facts.offset);
  text.field("second_repl_offset", facts.second_offset);
  text.field("repl_backlog_active", int(facts.backlog_active));
  text.field("repl_backlog_size", facts.backlog_bytes);
  text.field("repl_backlog_first_byte_offset", facts.backlog_first_offset);
  text.field("repl_backlog_histlen", facts.backlog_held);
}

void modules(Services&, InfoText&) {}

void cluster(Services&, InfoText& text) {
  text.field("cluster_enabled", 0);
}

void keyspace(Services& services, InfoText& text) {
  for (size_t i = 0; i < services.databases.count(); ++i) {
    const Keyspace& keyspace = services.databases[i];
    if (keyspace.size() == 0) continue;
    text.line("db{}:keys={},expires={},avg_ttl={}", i, keyspace.size(), keyspace.expiring(),
              average_ttl_ms(keyspace, services.prng, services.tick.unix_us / 1000));
  }
}

}  // namespace millrace::info
