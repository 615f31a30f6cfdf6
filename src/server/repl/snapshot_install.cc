#include "server/repl/snapshot_install.h"

#include "server/command/append_only.h"
#include "server/config/config.h"
#include "server/persist/loader_settings.h"
#include "server/scripting/function_registry.h"
#include "server/scripting/scripting.h"

namespace millrace {

SnapshotInstall::SnapshotInstall(Services& services, Storage& storage, const std::string& path)
    : services_(services) {
  services_.append_only.suspend();
  empty();
  auto file = storage.open(path);
  if (!file) {
    problem_ = file.error().message();
    return;
  }
  file_ = std::move(*file);
  source_.emplace(*file_);
  loader_ =
      std::make_unique<SnapshotLoader>(*source_, services_.databases, loader_settings(services_));
}

SnapshotInstall::~SnapshotInstall() {
  if (!done_) empty();
}

// As FLUSHALL, without a word to anybody who follows us: they copy the snapshot too.
void SnapshotInstall::empty() {
  Databases& databases = services_.databases;
  services_.effects.emptied(Effects::kEveryDb, databases.total_keys());
  for (const auto& keyspace : databases.list()) {
    if (services_.config.replica_lazy_flush) {
      services_.lazy_free.add(keyspace->detach_all());
    } else {
      keyspace->clear();
    }
  }
  services_.scripting.functions().flush();
}

SnapshotInstall::Progress SnapshotInstall::step(ae::Clock& clock, ae::TimePoint deadline) {
  if (!loader_) return Progress::kFailed;
  do {
    const auto progress = loader_->step(kStepBytes);
    if (!progress) {
      problem_ = loader_->problem();
      return Progress::kFailed;
    }
    done_ = *progress == SnapshotLoader::Progress::kDone;
  } while (!done_ && clock.now() < deadline);
  if (!done_) return Progress::kMore;
  log_loaded(*loader_, services_.tick.unix_us / 1'000'000);
  services_.append_only.resume();
  return Progress::kDone;
}

uint8_t SnapshotInstall::stream_db() const {
  const auto& point = loader_->aux().replication;
  return point && point->db >= 0 ? uint8_t(point->db) : 0;
}

}  // namespace millrace
