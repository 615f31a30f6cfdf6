// INFO of what has been done so far: stats, commandstats, errorstats, latencystats.
#include "server/acl/acl.h"
#include "server/command/lifecycle.h"
#include "server/command/replication_view.h"
#include "server/command/table.h"
#include "server/config/config.h"
#include "server/observe/command_stats.h"
#include "server/observe/info.h"
#include "server/observe/load_meter.h"
#include "server/pubsub/pub_sub.h"
#include "server/pubsub/tracking.h"

namespace millrace::info {
namespace {

void traffic(Services& services, InfoText& text) {
  const ServerStats& stats = services.stats;
  const Traffic now = services.lifecycle.traffic();
  text.field("total_net_input_bytes", now.read_bytes - stats.traffic_before.read_bytes);
  text.field("total_net_output_bytes", now.written_bytes - stats.traffic_before.written_bytes);
  text.ratio("instantaneous_input_kbps", stats.input_kib_per_second);
  text.ratio("instantaneous_output_kbps", stats.output_kib_per_second);
}

void keys(const ServerStats& stats, InfoText& text) {
  text.field("expired_keys", stats.expired_keys);
  text.ratio("expired_stale_perc", stats.expired_stale_percent);
  text.field("expired_time_cap_reached_count", stats.expired_time_cap_reached);
  text.field("evicted_keys", stats.evicted_keys);
  text.field("evicted_clients", stats.evicted_clients);
  text.field("keyspace_hits", stats.keyspace_hits);
  text.field("keyspace_misses", stats.keyspace_misses);
}

void event_loop(Services& services, InfoText& text) {
  const LoopTraffic now = LoopTraffic::of(services.lifecycle);
  const LoopTraffic& before = services.stats.loop_before;
  const LoadMeter::Recent recent = services.load.recent(0);
  const int64_t busy_us = recent.busy.count() / 1000;
  text.field("eventloop_cycles", now.cycles - before.cycles);
  text.field("eventloop_duration_sum", now.duration_us - before.duration_us);
  text.field("eventloop_duration_cmd_sum", now.command_us - before.command_us);
  text.field("instantaneous_eventloop_cycles_per_sec", uint64_t(recent.ticks_per_second()));
  text.field("instantaneous_eventloop_duration_usec",
             recent.ticks == 0 ? 0 : busy_us / int64_t(recent.ticks));
}

void denials(Services& services, InfoText& text) {
  const acl::AclLog::Counts& counts = services.acl.log().counts();
  text.field("acl_access_denied_auth", counts.logins);
  text.field("acl_access_denied_cmd", counts.commands);
  text.field("acl_access_denied_key", counts.keys);
  text.field("acl_access_denied_channel", counts.channels);
}

}  // namespace

void stats(Services& services, InfoText& text) {
  const ServerStats& stats = services.stats;
  const Traffic now = services.lifecycle.traffic();
  text.field("total_connections_received", stats.connections_received);
  text.field("total_commands_processed", stats.commands_processed);
  text.field("instantaneous_ops_per_sec", stats.ops_per_second);
  traffic(services, text);
  text.field("rejected_connections", stats.connections_rejected);
  text.field("idle_clients_closed", stats.idle_clients_closed);
  text.field("heartbeat_probes_sent", stats.heartbeat_probes);
  text.field("heartbeat_lost_clients", stats.heartbeat_lost_clients);
  keys(stats, text);
  text.field("pubsub_channels", services.pub_sub.channel_count(ChannelKind::kChannel));
  text.field("pubsub_patterns", services.pub_sub.pattern_count());
  text.field("pubsubshard_channels", services.pub_sub.channel_count(ChannelKind::kShard));
  const ReplicationCounters& syncs = services.replicas.counters();
  text.field("sync_full", syncs.full_syncs);
  text.field("sync_partial_ok", syncs.partial_ok);
  text.field("sync_partial_err", syncs.partial_refused);
  text.field("total_forks", services.persistence.child.forks);
  text.field("latest_fork_usec", services.persistence.child.last_fork_us);
  text.field("tracking_total_keys", services.tracking.key_count());
  text.field("tracking_total_items", services.tracking.item_count());
  text.field("tracking_total_prefixes", services.tracking.prefix_count());
  text.field("total_error_replies", stats.errors_replied);
  text.field("total_reads_processed", now.reads - stats.traffic_before.reads);
  text.field("total_writes_processed", now.writes - stats.traffic_before.writes);
  const Traffic threads = services.lifecycle.traffic_of_threads();
  text.field("io_threaded_reads_processed", threads.reads - stats.threads_before.reads);
  text.field("io_threaded_writes_processed", threads.writes - stats.threads_before.writes);
  event_loop(services, text);
  denials(services, text);
}

void command_stats(Services& services, InfoText& text) {
  for (size_t id = 0; id < services.commands.size(); ++id) {
    const CommandStats::Row& row = services.command_stats.row(uint16_t(id));
    if (row.calls == 0 && row.rejected == 0) continue;
    text.line("cmdstat_{}:calls={},usec={},usec_per_call={:.2f},rejected_calls={},failed_calls={}",
              services.commands.by_id(uint16_t(id)).full_name, row.calls, row.usec(),
              row.usec_per_call(), row.rejected, row.failed);
  }
}

void error_stats(Services& services, InfoText& text) {
  for (const auto& [code, count] : services.stats.errors_by_code)
    text.line("errorstat_{}:count={}", code, count);
}

void latency_stats(Services& services, InfoText& text) {
  for (size_t id = 0; id < services.commands.size(); ++id) {
    const CommandStats::Row& row = services.command_stats.row(uint16_t(id));
    if (!row.histogram) continue;
    text.line("latency_percentiles_usec_{}:{}", services.commands.by_id(uint16_t(id)).full_name,
              percentiles_us(*row.histogram, services.config));
  }
}

}  // namespace millrace::info
