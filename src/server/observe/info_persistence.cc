// INFO persistence.
#include <algorithm>

#include "server/command/append_only.h"
#include "server/observe/info.h"

namespace millrace::info {
namespace {

double percent_of(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * double(part) / double(whole);
}

void child(Services& services, InfoText& text) {
  const PersistenceFacts::Child& child = services.persistence.child;
  const int64_t age_us = services.tick.unix_us - child.measured_us;
  text.field("current_cow_peak", child.copied_peak_bytes);
  text.field("current_cow_size", child.copied_bytes);
  text.field("current_cow_size_age", child.measured_us == 0 ? 0 : age_us / 1'000'000);
  text.ratio("current_fork_perc", percent_of(child.keys_done, child.keys_total));
  text.field("current_save_keys_processed", child.keys_done);
  text.field("current_save_keys_total", child.keys_total);
}

// Also the one that replicas wait for.
bool writes_snapshot(Services& services) {
  return services.persistence.child.running && !services.append_only.status().rewrite_in_progress;
}

void snapshots(Services& services, InfoText& text) {
  const PersistenceFacts& facts = services.persistence;
  const PersistenceFacts::Snapshots& snapshots = facts.snapshots;
  const int64_t now_s = services.tick.unix_us / 1'000'000;
  text.field("rdb_changes_since_last_save", services.effects.unsaved_changes());
  text.field("rdb_bgsave_in_progress", int(writes_snapshot(services)));
  text.field("rdb_last_save_time", snapshots.last_save_s);
  text.field("rdb_last_bgsave_status", snapshots.last_succeeded ? "ok" : "err");
  text.field("rdb_last_bgsave_time_sec", snapshots.last_took_s);
  text.field("rdb_current_bgsave_time_sec", snapshots.running ? now_s - snapshots.started_s : -1);
  text.field("rdb_saves", snapshots.saves);
  text.field("rdb_last_cow_size", snapshots.last_copied_bytes);
  text.field("rdb_last_load_keys_expired", facts.load.keys_expired);
  text.field("rdb_last_load_keys_loaded", facts.load.keys_loaded);
}

void append_only(const AppendOnlyStatus& aof, InfoText& text) {
  text.field("aof_enabled", int(aof.enabled));
  text.field("aof_rewrite_in_progress", int(aof.rewrite_in_progress));
  text.field("aof_rewrite_scheduled", int(aof.rewrite_scheduled));
  text.field("aof_last_rewrite_time_sec", aof.last_rewrite_s);
  text.field("aof_current_rewrite_time_sec", aof.current_rewrite_s);
  text.field("aof_last_bgrewrite_status", aof.last_rewrite_ok ? "ok" : "err");
  text.field("aof_rewrites", aof.rewrites);
  text.field("aof_rewrites_consecutive_failures", aof.rewrite_failures_in_a_row);
  text.field("aof_last_write_status", aof.last_write_ok ? "ok" : "err");
  text.field("aof_last_cow_size", aof.last_cow_bytes);
}

void append_only_sizes(const AppendOnly& file, InfoText& text) {
  const AppendOnlyStatus aof = file.status();
  text.field("aof_current_size", aof.current_bytes);
  text.field("aof_base_size", aof.base_bytes);
  text.field("aof_pending_rewrite", int(aof.rewrite_scheduled));
  text.field("aof_buffer_length", file.buffered());
  text.field("aof_pending_bio_fsync", int(aof.sync_under_way));
  text.field("aof_delayed_fsync", aof.delayed_syncs);
}

// Only while it lasts.
void load(Services& services, InfoText& text) {
  if (!services.state.loading()) return;
  const PersistenceFacts::Load& load = services.persistence.load;
  const int64_t elapsed_s = services.tick.unix_us / 1'000'000 - load.started_s;
  const uint64_t left = load.total_bytes - std::min(load.total_bytes, load.loaded_bytes);
  const double bytes_per_second =
      double(load.loaded_bytes) / double(std::max<int64_t>(elapsed_s, 1));
  text.field("loading_start_time", load.started_s);
  text.field("loading_total_bytes", load.total_bytes);
  text.field("loading_rdb_used_mem", load.used_memory_bytes);
  text.field("loading_loaded_bytes", load.loaded_bytes);
  text.ratio("loading_loaded_perc", percent_of(load.loaded_bytes, load.total_bytes));
  text.field("loading_eta_seconds",
             bytes_per_second == 0 ? -1 : int64_t(double(left) / bytes_per_second));
}

}  // namespace

void persistence(Services& services, InfoText& text) {
  text.field("loading", int(services.state.facts().loading == Loading::kYes));
  text.field("async_loading", int(services.state.facts().loading == Loading::kBesideData));
  child(services, text);
  snapshots(services, text);
  const AppendOnlyStatus aof = services.append_only.status();
  append_only(aof, text);
  text.field("module_fork_in_progress", 0);
  text.field("module_fork_last_cow_size", 0);
  if (aof.enabled) append_only_sizes(services.append_only, text);
  load(services, text);
}

}  // namespace millrace::info
