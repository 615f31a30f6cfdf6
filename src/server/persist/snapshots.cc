#include "server/persist/snapshots.h"

#include <cstring>

#include "server/config/config.h"
#include "server/observe/log.h"
#include "server/persist/disk_latency.h"
#include "server/persist/file_stream.h"
#include "server/persist/loader_settings.h"
#include "server/persist/snapshot_file.h"
#include "server/scripting/function_registry.h"
#include "server/scripting/scripting.h"

namespace millrace {

Snapshots::Snapshots(ae::EventLoop& loop, Services& services, Storage& storage, ChildProcess& child)
    : loop_(loop), services_(services), storage_(storage), child_(child) {
  facts().last_save_s = now_s();
  loop_.add_periodic(kCronInterval, [this] { run_cron(); });
}

void Snapshots::mark_saved() {
  services_.effects.saved_up_to(services_.effects.changes());
  facts().last_save_s = now_s();
}

void Snapshots::note_outcome(bool succeeded) {
  facts().last_succeeded = succeeded;
  refresh();
}

void Snapshots::refresh() {
  const Config& config = services_.config;
  const bool refuses =
      config.stop_writes_on_bgsave_error && !config.save.empty() && !facts().last_succeeded;
  services_.state.change([refuses](ServerState::Facts& state) {
    if (refuses && state.disk == DiskTrouble::kNone) state.disk = DiskTrouble::kSnapshot;
    if (!refuses && state.disk == DiskTrouble::kSnapshot) state.disk = DiskTrouble::kNone;
  });
}

// --- here and now

Saving::Outcome Snapshots::save() {
  ++facts().saves;
  auto nobody = [](uint64_t) {};
  const bool saved =
      write_snapshot_file(storage_, services_, snapshot_facts(services_), nobody).has_value();
  if (saved) {
    mark_saved();
    note_outcome(true);
  }
  return saved ? Outcome::kDone : Outcome::kFailed;
}

void Snapshots::on_flushed_all() {
  if (saving_in_background()) child_.cancel();
  if (!services_.config.save.empty()) (void)save();
}

bool Snapshots::save_for_exit(FinalSave wish) {
  if (saving_in_background()) {
    log::warning("There is a child saving an .rdb. Killing it!");
    child_.cancel_now();
  }
  const bool wanted = wish == FinalSave::kYes ||
                      (wish == FinalSave::kIfConfigured && !services_.config.save.empty());
  if (!wanted) return true;
  log::notice("Saving the final RDB snapshot before exiting.");
  if (save() == Outcome::kDone) return true;
  log::warning("Error trying to save the DB, can't exit.");
  return false;
}

// --- in a child

Saving::Begun Snapshots::save_in_background(IfBusy if_busy) {
  if (saving_in_background()) return Begun::kSavingAlready;
  if (if_busy == IfBusy::kSchedule && child_.running()) {
    scheduled_ = true;
    return Begun::kScheduled;
  }
  return child_.running() ? Begun::kOtherChild : start_child();
}

Saving::Begun Snapshots::start_child() {
  changes_at_start_ = services_.effects.changes();
  last_try_s_ = now_s();
  ++facts().saves;
  const SnapshotFacts head = snapshot_facts(services_);
  const auto pid = child_.start(
      ChildKind::kSnapshot,
      [this, head](ChildProgress& progress) {
        auto tell = [&progress](uint64_t keys) { progress.keys_done(keys); };
        return write_snapshot_file(storage_, services_, head, tell);
      },
      [this](const ChildResult& result) { on_child_ended(result); });
  if (!pid) {
    log::warning("Can't save in background: fork: {}", std::strerror(pid.error().code));
    note_outcome(false);
    return Begun::kFailed;
  }
  log::notice("Background saving started by pid {}", *pid);
  child_pid_ = *pid;
  scheduled_ = false;
  facts().running = true;
  facts().started_s = now_s();
  return Begun::kStarted;
}

void Snapshots::on_child_ended(const ChildResult& result) {
  facts().running = false;
  facts().last_took_s = now_s() - facts().started_s;
  facts().last_copied_bytes = result.copied_bytes;
  if (result.succeeded()) {
    constexpr uint64_t kMegabyte = 1 << 20;
    log::notice("Background saving terminated with success");
    log::notice("Fork CoW for RDB: {} MB", result.copied_bytes / kMegabyte);
    services_.effects.saved_up_to(changes_at_start_);
    facts().last_save_s = now_s();
    return note_outcome(true);
  }
  if (result.signal == 0) {
    log::warning("Background saving error");
    return note_outcome(false);
  }
  log::warning("Background saving terminated by signal {}", result.signal);
  (void)DiskLatency(loop_, services_).measure({"rdb-unlink-temp-file"}, [this] {
    return storage_.remove(temporary_snapshot_path(services_.config, child_pid_));
  });
  if (!result.cancelled) note_outcome(false);
}

// --- by itself

bool Snapshots::may_try() {
  return facts().last_succeeded || now_s() - last_try_s_ > kRetryDelay_s;
}

void Snapshots::run_cron() {
  const ServerState& state = services_.state;
  if (services_.cron_paused || state.loading() || child_.running() || !may_try()) return;
  if (state.script_is_busy()) return;  // the snapshot would have half of what it does
  for (const SavePoint& point : services_.config.save) {
    const auto changes = static_cast<int64_t>(services_.effects.unsaved_changes());
    if (changes < point.changes || now_s() - facts().last_save_s <= point.seconds) continue;
    log::notice("{} changes in {} seconds. Saving...", point.changes, point.seconds);
    (void)start_child();
    return;
  }
  if (scheduled_) (void)start_child();
}

// --- DEBUG RELOAD

Saving::Outcome Snapshots::reload(const Reload& how) {
  if (how.save_first && save() != Outcome::kDone) return Outcome::kFailed;
  if (how.flush_first) {
    for (const auto& keyspace : services_.databases.list()) keyspace->clear();
    services_.scripting.functions().flush();
  }
  return load_now(how);
}

Saving::Outcome Snapshots::load_now(const Reload& how) {
  auto file = storage_.open(snapshot_path(services_.config));
  if (!file) {
    log::warning("The snapshot cannot be opened: {}", file.error().message());
    return Outcome::kFailed;
  }
  FileSource source(**file);
  SnapshotLoader::Settings settings = loader_settings(services_);
  if (how.replace) {
    settings.existing = SnapshotLoader::Existing::kReplaced;
  } else {
    settings.on_function = [this](std::string_view code) {
      return services_.scripting.functions().load(code, scripting::OnConflict::kRefuse).error;
    };
  }
  SnapshotLoader loader(source, services_.databases, std::move(settings));
  if (loader.step(UINT64_MAX / 2)) return Outcome::kDone;
  log::warning("{}", loader.problem());
  return Outcome::kFailed;
}

}  // namespace millrace
