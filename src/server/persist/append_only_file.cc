#include "server/persist/append_only_file.h"

#include <cstring>
#include <utility>

#include "ae/base/assert.h"
#include "server/config/config.h"
#include "server/observe/log.h"
#include "server/scripting/function_registry.h"
#include "server/scripting/scripting.h"

namespace millrace {

AppendOnlyFile::AppendOnlyFile(Parts parts)
    : FeedSink(Audience::kAppendOnly),
      parts_(std::move(parts)),
      latency_(parts_.loop, parts_.services),
      writer_(parts_.worker, {.sync = parts_.services.config.appendfsync,
                              .on_fatal = [this] { parts_.on_fatal(); },
                              .latency = &latency_,
                              .on_synced = [&loop = parts_.loop] { loop.wake(); }}),
      rewriter_(parts_.loop, parts_.services, parts_.child) {
  parts_.loop.before_sleep([this] { before_sleep(); });
}

AppendOnlyFile::~AppendOnlyFile() {
  parts_.services.feed.detach(*this);
  parts_.loop.cancel(timer_);
  parts_.worker.drain();
}

AofFiles AppendOnlyFile::files() const {
  const Config& config = parts_.services.config;
  return {parts_.storage, {config.dir, config.appenddirname, config.appendfilename}};
}

// --- appending

void AppendOnlyFile::on_command(uint8_t db, Words words) {
  std::string& out = writer_.buffer();
  if (parts_.services.config.aof_timestamp_enabled) {
    const int64_t now_s = parts_.services.tick.unix_us / 1'000'000;
    if (std::exchange(last_timestamp_s_, now_s) != now_s)
      out.append("#TS:").append(std::to_string(now_s)).append("\r\n");
  }
  encoder_.append(out, db, words);
}

void AppendOnlyFile::write() {
  writer_.set_beside(parts_.child.running() ? AofWriter::Beside::kChild
                                            : AofWriter::Beside::kNothing);
  writer_.flush(parts_.loop.now());
  note_disk();
}

// Snapshots have a word in this too; theirs comes first, as in Redis.
void AppendOnlyFile::note_disk() {
  const int error = enabled() ? writer_.error() : 0;
  const ServerState::Facts& facts = parts_.services.state.facts();
  const bool told = facts.disk == DiskTrouble::kAppendOnlyFile;
  if (error == (told ? facts.disk_errno : 0) || facts.disk == DiskTrouble::kSnapshot) return;
  parts_.services.state.change([&](ServerState::Facts& now) {
    now.disk = error == 0 ? DiskTrouble::kNone : DiskTrouble::kAppendOnlyFile;
    now.disk_errno = error;
  });
}

void AppendOnlyFile::before_sleep() {
  if (startup_) return load_slice();
  commit();
  const uint64_t so_far = synced();
  if (std::exchange(synced_told_, so_far) == so_far) return;
  if (on_synced_) on_synced_();
}

// What waits for time to pass.
void AppendOnlyFile::look() {
  writer_.hold_sync(parts_.services.config.no_appendfsync_on_rewrite && parts_.child.running());
  write();
  rewrite_if_due();
  if (!enabled() && !rewrite_scheduled_) parts_.loop.cancel(std::exchange(timer_, {}));
}

bool AppendOnlyFile::finish() {
  if (rewriter_.running()) {
    log::warning("There is a child rewriting the AOF. Killing it!");
    rewriter_.kill();
  }
  if (!enabled()) return true;
  log::notice("Calling fsync() on the AOF file.");
  writer_.finish(parts_.loop.now());
  return writer_.error() == 0 && writer_.synced() == appended();
}

uint64_t AppendOnlyFile::synced() const {
  const bool is_told = parts_.services.config.appendfsync != AppendSync::kNever;
  return is_told ? writer_.synced() : writer_.position();
}

// --- loading

void AppendOnlyFile::start(ae::Callback<void()> on_loaded) {
  state_ = State::kLoading;
  load_logged_ = parts_.loop.clock().now();
  on_loaded_ = std::move(on_loaded);
  startup_ = std::make_unique<AofStartup>(parts_.services, files(), parts_.loop.clock());
  parts_.services.state.change([](ServerState::Facts& facts) { facts.loading = Loading::kYes; });
  parts_.services.feed.mute();
  parts_.services.persistence.load = {.started_s = parts_.loop.unix_us() / 1'000'000};
  parts_.loop.wake_next_tick();
}

// Once a tick, and the next tick does not wait.
void AppendOnlyFile::load_slice() {
  parts_.loop.wake_next_tick();
  const AofStartup::State state = startup_->step(ae::TimeSlice(parts_.loop.clock(), kLoadSlice));
  parts_.services.persistence.load.total_bytes = startup_->total_bytes();
  parts_.services.persistence.load.loaded_bytes = startup_->loaded_bytes();
  if (state == AofStartup::State::kMore) return log_progress();
  const std::unique_ptr<AofStartup> startup = std::move(startup_);
  parts_.services.feed.unmute();
  if (state == AofStartup::State::kFailed) return parts_.on_fatal();
  parts_.services.state.change([](ServerState::Facts& facts) { facts.loading = Loading::kNo; });
  const bool wanted = parts_.services.config.appendonly;  // it may have been turned off meanwhile
  state_ = wanted ? State::kOn : State::kOff;
  if (wanted) {
    catalog_.emplace(startup->take_catalog());
    append_to(startup->take_increment(), startup->increment_bytes());
    base_bytes_ = catalog_->base_bytes();
    drop_history();
  }
  if (on_loaded_) std::exchange(on_loaded_, nullptr)();
}

void AppendOnlyFile::log_progress() {
  const ae::TimePoint now = parts_.loop.clock().now();
  if (now - load_logged_ < kLogInterval) return;
  load_logged_ = now;
  log::notice("Loading the append only file: {} of {} bytes, {} keys", startup_->loaded_bytes(),
              startup_->total_bytes(), parts_.services.databases.total_keys());
}

// From here on: the file begins with no database selected.
void AppendOnlyFile::append_to(std::unique_ptr<File> file, uint64_t bytes) {
  writer_.open(std::move(file), bytes);
  encoder_.forget_database();
  older_bytes_ = state_ == State::kOn ? catalog_->older_bytes() : 0;
  parts_.services.feed.attach(*this);
  start_looking();
}

bool AppendOnlyFile::load_again() {
  writer_.flush(parts_.loop.now(), AofWriter::Patience::kNone);
  auto manifest = files().read_manifest();
  if (!manifest) {
    for (const std::string& line : manifest.error()) log::warning("{}", line);
    return false;
  }
  if (manifest->empty()) {
    log::warning("There is no append-only file to load.");
    return false;
  }
  parts_.services.feed.nothing();
  parts_.services.feed.mute();
  parts_.services.state.change([](ServerState::Facts& facts) { facts.loading = Loading::kYes; });
  forget_data();
  const AofFiles where = files();
  AofLoader loader(parts_.services, where, *manifest, parts_.loop.clock());
  AofLoader::State state = AofLoader::State::kMore;
  while (state == AofLoader::State::kMore)
    state = loader.step(ae::TimeSlice(parts_.loop.clock(), kLoadSlice));
  parts_.services.state.change([](ServerState::Facts& facts) { facts.loading = Loading::kNo; });
  parts_.services.feed.unmute();
  return state == AofLoader::State::kDone;
}

void AppendOnlyFile::forget_data() {
  Services& services = parts_.services;
  services.effects.emptied(Effects::kEveryDb, services.databases.total_keys());
  for (const auto& db : services.databases.list()) db->clear();
  services.scripting.functions().flush();
}

// --- on and off

// With a child at work that writes something else, the first rewrite waits for its end. Nothing is
// appended until then: the base will hold it.
std::optional<std::string> AppendOnlyFile::turn_on() {
  if (state_ != State::kOff) return std::nullopt;
  state_ = State::kFirstRewrite;
  start_looking();
  if (rewriter_.running()) {
    log::warning(
        "AOF was enabled but there is already an AOF rewriting in background. Stopping background "
        "AOF and starting a rewrite now.");
    rewriter_.kill();
  }
  if (parts_.child.running()) {
    rewrite_scheduled_ = true;
    log::notice(
        "AOF was enabled but there is already another background operation. An AOF background was "
        "scheduled to start when needed.");
    return std::nullopt;
  }
  if (begin_rewrite()) return std::nullopt;
  log::warning(
      "Millrace needs to enable the AOF but can't trigger a background AOF rewrite operation. "
      "Check the above logs for more info about the error.");
  turn_off();
  return "Unable to turn on AOF. Check server logs.";
}

void AppendOnlyFile::turn_off() {
  if (!enabled()) return;
  rewriter_.kill();
  stop_appending();
  state_ = State::kOff;
  rewrite_scheduled_ = false;
  note_disk();
}

void AppendOnlyFile::resume() {
  if (!parts_.services.config.appendonly || state_ != State::kOff) return;
  if (turn_on()) log::warning("The AOF stays off: the data that was loaded is not in it.");
}

void AppendOnlyFile::stop_appending() {
  parts_.services.feed.detach(*this);
  writer_.close(parts_.loop.now());
}

// While there is something to look for.
void AppendOnlyFile::start_looking() {
  if (!timer_.valid()) timer_ = parts_.loop.add_periodic(kLookInterval, [this] { look(); });
}

}  // namespace millrace
