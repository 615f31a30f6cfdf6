// How an append-only file becomes short again: the part of AppendOnlyFile that rewrites.
//
// New commands go to a new increment from the moment of the fork, which is in the manifest before:
// whatever happens to the child, the files of the manifest hold everything. Only when the base is
// there does the manifest change once more, and what the base replaces is removed.
#include <cstring>
#include <utility>

#include "server/config/config.h"
#include "server/observe/log.h"
#include "server/persist/append_only_file.h"

namespace millrace {

AppendOnly::Rewrite AppendOnlyFile::rewrite(When when) {
  if (rewriter_.running()) return Rewrite::kRunsAlready;
  if (when == When::kLater || parts_.child.running()) {
    rewrite_scheduled_ = true;
    start_looking();
    return Rewrite::kScheduled;
  }
  return begin_rewrite() ? Rewrite::kStarted : Rewrite::kFailed;
}

bool AppendOnlyFile::begin_rewrite() {
  rewrite_scheduled_ = false;
  if (const ae::Status ready = prepare_rewrite(); !ready) {
    log::warning("Can't open the append-only file: {}", ready.error().message());
    rewriter_.settled(RewritePolicy::Outcome::kFailed);
    return false;
  }
  return rewriter_.start(catalog_->files(),
                         [this](AofRewriter::Outcome outcome) { rewrite_ended(outcome); });
}

// With the file off, too, a base can be written: BGREWRITEAOF is then a snapshot in other clothes.
ae::Status AppendOnlyFile::prepare_rewrite() {
  if (state_ != State::kOn) {
    auto manifest = files().read_manifest();
    if (!manifest) {
      for (const std::string& line : manifest.error()) log::warning("{}", line);
      return ae::fail(EINVAL, "manifest");
    }
    catalog_.emplace(files(), std::move(*manifest));
  }
  if (ae::Status made = catalog_->files().make_directory(); !made) return made;
  writer_.flush(parts_.loop.now(), AofWriter::Patience::kNone);
  return switch_increment();
}

ae::Status AppendOnlyFile::switch_increment() {
  if (state_ == State::kOff) return {};
  const bool first = state_ == State::kFirstRewrite;
  auto file = first ? catalog_->create_temporary_increment() : catalog_->add_increment();
  if (!file) return ae::fail(file.error());
  log::notice("Creating AOF incr file {} on background rewrite",
              first ? catalog_->files().temporary_increment()
                    : catalog_->manifest().increments.back().name);
  append_to(std::move(*file), 0);
  return {};
}

void AppendOnlyFile::rewrite_ended(AofRewriter::Outcome outcome) {
  if (outcome == AofRewriter::Outcome::kCancelled) {
    (void)parts_.storage.remove(rewriter_.temporary());  // there may be none
    return;
  }
  bool done = outcome == AofRewriter::Outcome::kWritten;
  if (done) {
    const ae::Status adopted = adopt_base();
    done = adopted.has_value();
    if (!done)
      log::warning("Error trying to take the new AOF base file into use: {}",
                   adopted.error().message());
  }
  rewriter_.settled(done ? RewritePolicy::Outcome::kDone : RewritePolicy::Outcome::kFailed);
  if (done) {
    if (state_ == State::kFirstRewrite) state_ = State::kOn;
    if (state_ == State::kOn) older_bytes_ = catalog_->older_bytes();
    base_bytes_ = current_bytes();
    drop_history();
    return log::notice("Background AOF rewrite finished successfully");
  }
  (void)parts_.storage.remove(rewriter_.temporary());  // there may be none
  if (state_ != State::kFirstRewrite) return;
  stop_appending();
  rewrite_scheduled_ = true;
}

ae::Status AppendOnlyFile::adopt_base() {
  AofCatalog::Increment follows = AofCatalog::Increment::kNone;
  if (state_ == State::kFirstRewrite) follows = AofCatalog::Increment::kTemporary;
  if (state_ == State::kOn) follows = AofCatalog::Increment::kLast;
  if (ae::Status adopted = catalog_->adopt_base(rewriter_.temporary(), rewriter_.kind(), follows);
      !adopted)
    return adopted;
  log::notice("Successfully renamed the temporary AOF base file {} into {}", rewriter_.temporary(),
              catalog_->manifest().base->name);
  return {};
}

// Of many gigabytes, the removal takes the kernel its time.
void AppendOnlyFile::drop_history() {
  for (std::string& path : catalog_->take_history()) {
    log::notice("Removing the history file {} in the background", path);
    parts_.worker.run([&storage = parts_.storage, path = std::move(path)] {
      (void)storage.remove(path);  // else it is nobody's, and stays
    });
  }
}

// --- by itself

bool AppendOnlyFile::is_held_back() {
  const int64_t now_s = parts_.services.tick.unix_us / 1'000'000;
  const RewritePolicy::Delay delay = rewriter_.policy().ask(now_s);
  if (delay.begun_minutes != 0)
    log::warning(
        "Background AOF rewrite has repeatedly failed and triggered the limit, will retry in {} "
        "minutes",
        delay.begun_minutes);
  return delay.holds;
}

void AppendOnlyFile::rewrite_if_due() {
  const ServerState& state = parts_.services.state;
  if (parts_.child.running() || state.loading()) return;
  if (state.script_is_busy()) return;  // the base would have half of what it does
  if (rewrite_scheduled_) {
    if (!is_held_back()) begin_rewrite();
    return;
  }
  const Config& config = parts_.services.config;
  const int limit_percent = config.auto_aof_rewrite_percentage;
  if (state_ != State::kOn || limit_percent == 0) return;
  if (current_bytes() <= config.auto_aof_rewrite_min_size_bytes) return;
  const int64_t growth = RewritePolicy::growth_percent(current_bytes(), base_bytes_);
  if (growth < limit_percent || is_held_back()) return;
  log::notice("Starting automatic rewriting of AOF on {}% growth", growth);
  begin_rewrite();
}

AppendOnlyStatus AppendOnlyFile::status() const {
  AppendOnlyStatus status;
  rewriter_.fill(status);
  status.enabled = state_ != State::kOff;
  status.rewrite_scheduled = rewrite_scheduled_;
  status.last_write_ok = writer_.write_error() == 0;
  status.current_bytes = current_bytes();
  status.base_bytes = base_bytes_;
  status.sync_under_way = writer_.sync_under_way();
  status.delayed_syncs = writer_.delayed_syncs();
  return status;
}

}  // namespace millrace
