#include "server/persist/snapshot_loading.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "ae/base/time_slice.h"
#include "server/config/config.h"
#include "server/observe/log.h"
#include "server/persist/loader_settings.h"
#include "server/persist/snapshot_file.h"

namespace millrace {

std::optional<std::string> SnapshotLoading::begin(Done done) {
  const std::string path = snapshot_path(services_.config);
  auto file = storage_.open(path);
  if (!file && file.error().code == ENOENT) return std::nullopt;
  if (!file) {
    return fmt::format("Fatal error: can't open the RDB file {} for reading: {}", path,
                       std::strerror(file.error().code));
  }
  file_ = std::move(*file);
  source_.emplace(*file_);
  loader_ = std::make_unique<SnapshotLoader>(*source_, services_.databases, settings());
  done_ = std::move(done);
  started_ = last_logged_ = loop_.clock().now();
  services_.persistence.load = {.started_s = loop_.unix_us() / 1'000'000,
                                .total_bytes = file_->size().value_or(0)};
  services_.state.change([](ServerState::Facts& facts) { facts.loading = Loading::kYes; });
  timer_ = loop_.add_timer(ae::Nanoseconds(0), [this] { slice(); });
  return std::nullopt;
}

SnapshotLoader::Settings SnapshotLoading::settings() {
  SnapshotLoader::Settings settings = loader_settings(services_);
  settings.on_expired = [this](size_t db, std::string_view key) {
    tell_history();
    const char* verb = services_.config.lazyfree_lazy_expire ? "UNLINK" : "DEL";
    services_.feed.key_went(uint8_t(db), key, verb);
  };
  return settings;
}

void SnapshotLoading::tell_history() {
  const auto told = std::exchange(on_history_, nullptr);
  if (told && loader_->aux().replication) told(*loader_->aux().replication);
}

void SnapshotLoading::slice() {
  const ae::TimeSlice slice(loop_.clock(), kSlice);
  auto progress = loader_->step(kStepBytes);
  for (int steps = 1;
       progress == SnapshotLoader::Progress::kMore && steps < kMaxStepsPerSlice && !slice.over();
       ++steps) {
    progress = loader_->step(kStepBytes);
  }
  publish();
  if (!progress) return finish(loader_->problem());
  if (*progress == SnapshotLoader::Progress::kDone) return finish({});
  timer_ = loop_.add_timer(ae::Nanoseconds(0), [this] { this->slice(); });
}

void SnapshotLoading::publish() {
  PersistenceFacts::Load& facts = services_.persistence.load;
  facts.loaded_bytes = loader_->offset();
  facts.used_memory_bytes = loader_->aux().used_memory_bytes.value_or(0);
  facts.keys_loaded = loader_->keys_loaded();
  facts.keys_expired = loader_->keys_expired();
  const ae::TimePoint now = loop_.clock().now();
  if (now - last_logged_ < kLogInterval) return;
  last_logged_ = now;
  log::notice("Loading the DB from disk: {} of {} bytes, {} keys", facts.loaded_bytes,
              facts.total_bytes, facts.keys_loaded);
}

void SnapshotLoading::finish(std::string problem) {
  services_.state.change([](ServerState::Facts& facts) { facts.loading = Loading::kNo; });
  if (problem.empty()) {
    tell_history();
    log_loaded(*loader_, loop_.unix_us() / 1'000'000);
    log::notice("DB loaded from disk: {:.3f} seconds",
                std::chrono::duration<double>(loop_.clock().now() - started_).count());
  }
  loader_.reset();
  source_.reset();
  file_.reset();
  const Done done = std::exchange(done_, {});
  done(problem);
}

}  // namespace millrace
