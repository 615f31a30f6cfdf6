#include "server/persist/aof_loader.h"

#include <cstring>

#include "server/config/config.h"
#include "server/observe/log.h"

namespace millrace {

AofLoader::AofLoader(Services& services, const AofFiles& files, const AofManifest& manifest,
                     ae::Clock& clock)
    : services_(services), files_(files), clock_(clock) {
  if (manifest.base) parts_.push_back({*manifest.base, true});
  for (const AofFile& file : manifest.increments) parts_.push_back({file, false});
}

AofLoader::~AofLoader() = default;

AofLoader::State AofLoader::step(const ae::TimeSlice& slice) {
  do {
    if (at_ == parts_.size()) return State::kDone;
    if (!file_) {
      file_ = std::make_unique<AofFileLoader>(services_, files_.storage(),
                                              files_.path(parts_[at_].file));
      file_started_ = clock_.now();
    }
    const AofFileLoader::State state = file_->step(slice);
    if (state != AofFileLoader::State::kMore && finish_file(state) == State::kFailed)
      return State::kFailed;
  } while (!slice.over());
  return State::kMore;
}

AofLoader::State AofLoader::finish_file(AofFileLoader::State state) {
  if (state == AofFileLoader::State::kFailed) return refuse();
  if (state == AofFileLoader::State::kTruncated && finish_truncated() == State::kFailed)
    return State::kFailed;
  log_failed_commands();
  log_loaded();
  done_bytes_ += file_->read_bytes();
  file_.reset();
  ++at_;
  return State::kMore;
}

void AofLoader::log_loaded() {
  const double seconds = std::chrono::duration<double>(clock_.now() - file_started_).count();
  log::notice("DB loaded from {} file {}: {:.3f} seconds", parts_[at_].is_base ? "base" : "incr",
              parts_[at_].file.name, seconds);
}

// They failed where they were first run, too, or they would not be here; but that is worth a look.
void AofLoader::log_failed_commands() {
  const Replayer& replayer = file_->replayer();
  if (replayer.failed_commands() == 0) return;
  log::warning("{} commands of the append only file {} failed, the last one with: {}",
               replayer.failed_commands(), parts_[at_].file.name, replayer.last_error());
}

AofLoader::State AofLoader::refuse() {
  const std::string& name = parts_[at_].file.name;
  if (file_->read_error() != 0) {
    log::warning("Unrecoverable error reading the append only file {}: {}", name, file_->problem());
  } else if (file_->in_snapshot()) {
    log::warning("Error reading the RDB preamble of the AOF file {}, AOF loading aborted", name);
    log::warning("In {} {}", name, file_->problem());
  } else if (!file_->refused_command().empty()) {
    log::warning("{} reading the append only file {}", file_->refused_command(), name);
  } else {
    log::warning("In {} {}", name, file_->problem());
    log::warning(
        "Bad file format reading the append only file {}: make a backup of your AOF file, then use "
        "./redis-check-aof --fix <filename.manifest>",
        name);
  }
  return State::kFailed;
}

AofLoader::State AofLoader::finish_truncated() {
  const std::string& name = parts_[at_].file.name;
  if (file_->in_transaction())
    log::warning("Revert incomplete MULTI/EXEC transaction from AOF file {}", name);
  if (services_.config.aof_load_truncated && is_last()) {
    log::warning("!!! Warning: short read while loading the AOF file {}!!!", name);
    if (cut_off()) return State::kMore;
  }
  log::warning("In {} {}", name, file_->problem());
  if (!is_last()) log::warning("Fatal error: the truncated file is not the last file");
  log::warning(
      "Unexpected end of file reading the append only file {}. You can: 1) Make a backup of your "
      "AOF file, then use ./redis-check-aof --fix <filename.manifest>. 2) Alternatively you can "
      "set "
      "the 'aof-load-truncated' configuration option to yes and restart the server.",
      name);
  return State::kFailed;
}

bool AofLoader::cut_off() {
  const AofFile& file = parts_[at_].file;
  log::warning("AOF {} loaded anyway because aof-load-truncated is enabled", file.name);
  log::warning("Truncating the AOF {} at offset {}", file.name, file_->valid_bytes());
  auto opened = files_.storage().append(files_.path(file));
  ae::Status cut = opened ? (*opened)->truncate(file_->valid_bytes()) : ae::fail(opened.error());
  if (cut) cut = (*opened)->sync();
  if (!cut)
    log::warning("Error truncating the AOF file {}: {}", file.name,
                 std::strerror(cut.error().code));
  return cut.has_value();
}

}  // namespace millrace
