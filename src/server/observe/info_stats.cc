// INFO of what has been done so far: stats, commandstats, errorstats, latencystats.
#include "ae/base/decimal.h"
#include "server/command/lifecycle.h"
#include "server/command/table.h"
#include "server/config/config.h"
#include "server/observe/command_stats.h"
#include "server/observe/info.h"

namespace millrace::info {
namespace {

void traffic(Services& services, InfoText& text) {
  const ServerStats& stats = services.stats;
  const Traffic now = Traffic::of(services.lifecycle);
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
  text.field("evicted_clients", 0);
  text.field("keyspace_hits", stats.keyspace_hits);
  text.field("keyspace_misses", stats.keyspace_misses);
}

// "99", "99.9"
std::string percentile_name(double percent) {
  char digits[ae::kMaxDoubleChars];
  return std::string(digits, ae::format_double(percent, digits));
}

}  // namespace

void stats(Services& services, InfoText& text) {
  const ServerStats& stats = services.stats;
  const Traffic now = Traffic::of(services.lifecycle);
  text.field("total_connections_received", stats.connections_received);
  text.field("total_commands_processed", stats.commands_processed);
  text.field("instantaneous_ops_per_sec", stats.ops_per_second);
  traffic(services, text);
  text.field("rejected_connections", stats.connections_rejected);
  keys(stats, text);
  text.field("pubsub_channels", 0);
  text.field("pubsub_patterns", 0);
  text.field("pubsubshard_channels", 0);
  text.field("total_forks", 0);
  text.field("tracking_total_keys", 0);
  text.field("tracking_total_items", 0);
  text.field("tracking_total_prefixes", 0);
  text.field("total_error_replies", stats.errors_replied);
  text.field("total_reads_processed", now.reads - stats.traffic_before.reads);
  text.field("total_writes_processed", now.writes - stats.traffic_before.writes);
  text.field("io_threaded_reads_processed", 0);
  text.field("io_threaded_writes_processed", 0);
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
    std::string percentiles;
    for (double percent : services.config.latency_tracking_info_percentiles) {
      if (!percentiles.empty()) percentiles += ',';
      percentiles += fmt::format("p{}={:.3f}", percentile_name(percent),
                                 double(row.histogram->percentile(percent).count()) / 1000);
    }
    text.line("latency_percentiles_usec_{}:{}", services.commands.by_id(uint16_t(id)).full_name,
              percentiles);
  }
}

}  // namespace millrace::info
