#include "server/persist/aof_writer.h"

#include <cstring>
#include <utility>

#include "ae/base/assert.h"
#include "server/observe/log.h"

namespace millrace {

void AofWriter::SyncState::note(const ae::Status& status, uint64_t upto) {
  const int before = error.exchange(status ? 0 : status.error().code);
  if (status) return synced.store(upto);
  if (before == 0)
    log::warning("Fail to fsync the AOF file: {}", std::strerror(status.error().code));
}

AofWriter::AofWriter(FileWorker& worker, Settings settings)
    : worker_(worker), settings_(std::move(settings)) {
  state_->on_synced = std::move(settings_.on_synced);
}

void AofWriter::open(std::unique_ptr<File> file, uint64_t size) {
  if (file_) sync_in_background();
  file_ = std::move(file);
  file_bytes_ = size;
  torn_ = false;
}

void AofWriter::finish(ae::TimePoint now) {
  if (!file_) return;
  flush(now, Patience::kNone);
  worker_.drain();
  if (synced() != position_) sync_here(now);
}

void AofWriter::close(ae::TimePoint now) {
  finish(now);
  file_.reset();
  buffer_ = {};
  write_error_ = 0;
  state_->error.store(0);
  postponed_since_ = {};
}

// --- writing

void AofWriter::flush(ae::TimePoint now, Patience patience) {
  if (!file_) return;
  if (!buffer_.empty()) {
    if (patience == Patience::kMayPostpone && must_postpone(now)) return;
    if (!write_buffer(now)) return;
  }
  sync_by_policy(now);
}

bool AofWriter::must_postpone(ae::TimePoint now) {
  if (settings_.sync != AppendSync::kEverySecond || !sync_under_way()) return false;
  if (postponed_since_ == ae::TimePoint{}) postponed_since_ = now;
  if (now - postponed_since_ < kMostPostponed) return true;
  ++delayed_syncs_;
  log::notice(
      "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without "
      "waiting for fsync to complete, this may slow down Millrace.");
  return false;
}

bool AofWriter::write_buffer(ae::TimePoint now) {
  postponed_since_ = {};
  if (torn_ && !cut_off_torn()) return false;
  if (const ae::Status written = write_timed(); !written) {
    write_failed(written.error(), now);
    return false;
  }
  if (std::exchange(write_error_, 0) != 0)
    log::warning("AOF write error looks solved, Millrace can write again.");
  file_bytes_ += buffer_.size();
  position_ += buffer_.size();
  buffer_.capacity() > kKeptBufferBytes ? buffer_ = {} : buffer_.erase();
  return true;
}

ae::Status AofWriter::write_timed() {
  const auto write = [this] { return file_->write(buffer_); };
  if (settings_.latency == nullptr) return write();
  return settings_.latency->measure({circumstance(), "aof-write"}, write);
}

// What else the disk has to do, which may be why it is slow.
std::string_view AofWriter::circumstance() const {
  if (sync_under_way()) return "aof-write-pending-fsync";
  return beside_ == Beside::kChild ? "aof-write-active-child" : "aof-write-alone";
}

void AofWriter::write_failed(ae::Error error, ae::TimePoint now) {
  write_error_ = error.code;
  torn_ = true;
  const ae::Result<uint64_t> size = file_->size();
  const ae::Status cut = cut_off_torn();
  if (may_log(now)) {
    if (size && *size > file_bytes_)
      log::warning("Short write while writing to the AOF file: (nwritten={}, expected={})",
                   *size - file_bytes_, buffer_.size());
    log::warning("Error writing to the AOF file: {}", std::strerror(error.code));
    if (!cut)
      log::warning(
          "Could not remove short write from the append-only file.  Millrace may refuse to load "
          "the AOF the next time it starts.  ftruncate: {}",
          std::strerror(cut.error().code));
  }
  if (settings_.sync != AppendSync::kAlways) return;
  log::warning(
      "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...");
  settings_.on_fatal();
}

ae::Status AofWriter::cut_off_torn() {
  const ae::Status cut = file_->truncate(file_bytes_);
  torn_ = !cut;
  return cut;
}

bool AofWriter::may_log(ae::TimePoint now) {
  if (last_logged_ != ae::TimePoint{} && now - last_logged_ < kLogInterval) return false;
  last_logged_ = now;
  return true;
}

// --- syncing

// After a sync that failed the next one is due at once, although nothing was written since: until
// one succeeds nobody may write, and what was written before grows older than was promised.
void AofWriter::sync_by_policy(ae::TimePoint now) {
  const bool failed = state_->error.load() != 0;
  if (sync_begun_ == position_ && !failed) return;
  if (settings_.hold_sync) return;
  if (settings_.sync == AppendSync::kAlways) return sync_here(now);
  if (settings_.sync == AppendSync::kNever && !failed) return;
  if (sync_under_way() || (!failed && now - last_sync_ < kSyncInterval)) return;
  last_sync_ = now;
  sync_in_background();
}

// Not before what the worker has of this, else a later position would be synced before an earlier
// one.
void AofWriter::sync_here(ae::TimePoint now) {
  if (sync_under_way()) worker_.drain();
  const auto sync = [this] { return file_->sync(); };
  const ae::Status synced = settings_.latency != nullptr
                                ? settings_.latency->measure({"aof-fsync-always"}, sync)
                                : sync();
  last_sync_ = now;
  sync_begun_ = position_;
  state_->note(synced, position_);
  if (synced || settings_.sync != AppendSync::kAlways) return;
  log::warning(
      "Can't persist AOF for fsync error when the AOF fsync policy is 'always': {}. Exiting...",
      std::strerror(synced.error().code));
  settings_.on_fatal();
}

// The job shares the file: it may be the last to let go of it.
void AofWriter::sync_in_background() {
  sync_begun_ = position_;
  state_->jobs.fetch_add(1);
  worker_.run([file = file_, state = state_, upto = position_]() mutable {
    state->note(file->sync(), upto);
    file.reset();
    state->jobs.fetch_sub(1);
    if (state->on_synced) state->on_synced();
  });
}

}  // namespace millrace
