// What is said on the link: handshake, snapshot, stream.
#include <fmt/format.h>

#include <cstdlib>

#include "server/command/clients.h"
#include "server/observe/log.h"
#include "server/repl/follower_link.h"
#include "server/repl/replication_id.h"

namespace millrace {
namespace {

// How long a slice of loading may hold the loop, and the pause in which clients are served.
constexpr ae::Nanoseconds kLoadingSlice = ae::Milliseconds(5);
constexpr ae::Nanoseconds kBetweenSlices = ae::Microseconds(100);

}  // namespace

size_t FollowerLink::on_data(ae::Connection connection, ae::MutableBytes data) {
  if (!(connection.id() == connection_.id())) return data.size();
  last_io_ = loop_.now();
  if (must_hold()) {  // tick() goes on
    connection.pause(ae::PauseReason::kBusy);
    held_bytes_ = data.size();
    return 0;
  }
  size_t at = 0;
  while (at < data.size() && is_open() && state_ != State::kLoading) {
    const ae::MutableBytes rest = data.subspan(at);
    const ae::Bytes bytes(rest.data(), rest.size());
    const size_t taken = state_ == State::kHandshake   ? shake_hands(bytes)
                         : state_ == State::kReceiving ? receive(bytes)
                                                       : follow(rest);
    if (taken == 0) break;
    at += taken;
  }
  return is_open() ? at : data.size();
}

// Nothing comes between the commands of a script, and what clients may not change while they are
// paused, the master does not change either.
bool FollowerLink::must_hold() const {
  if (services_.state.script_is_busy()) return true;
  return state_ == State::kConnected && services_.clients.is_paused(services_.tick.unix_us / 1000);
}

// One that fail() has closed is not read any more, though it is there until the tick ends.
bool FollowerLink::is_open() const {
  return connection_.state() == ae::ConnectionState::kOpen;
}

size_t FollowerLink::shake_hands(ae::Bytes bytes) {
  const FollowerHandshake::Step step = handshake_->feed(bytes);
  if (!step.send.empty()) connection_.send(step.send);
  if (step.outcome != FollowerHandshake::Outcome::kPending) greeted(step.outcome);
  return step.consumed;
}

void FollowerLink::greeted(FollowerHandshake::Outcome outcome) {
  const ResumePoint granted = handshake_->granted();
  switch (outcome) {
    case FollowerHandshake::Outcome::kFailed:
      fail(handshake_->problem());
      return owner_.refused(std::string(handshake_->problem()));
    case FollowerHandshake::Outcome::kContinue:
      log::notice("Successful partial resynchronization with master.");
      owner_.goes_on(granted.id);
      follow_stream();
      return log::notice("MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.");
    case FollowerHandshake::Outcome::kFullSync:
      log::notice("Full resync from master: {}:{}", granted.id, granted.offset);
      return begin_transfer(granted);
    default:
      log::notice("Retrying with SYNC...");
      return begin_transfer({std::string(ReplicationId::kLength, '0'), 0});
  }
}

// --- a snapshot

void FollowerLink::begin_transfer(ResumePoint promised) {
  auto file = ReceivedFile::create(storage_, services_.config.dir);
  if (!file) {
    return fail(
        fmt::format("Opening the temp file needed for MASTER <-> REPLICA synchronization: {}",
                    file.error().message()));
  }
  file_ = std::move(*file);
  promised_ = std::move(promised);
  transfer_.emplace();
  seal_ = {};
  set_state(State::kReceiving);
}

size_t FollowerLink::receive(ae::Bytes bytes) {
  ae::Status written;
  const bool had_begun = transfer_->has_begun();
  const SnapshotTransfer::Step step = transfer_->feed(bytes, [&](ae::Bytes piece) {
    seal_.add(piece);
    if (written) written = file_->write(piece);
  });
  if (!had_begun && transfer_->has_begun()) {
    transfer_->is_marked()
        ? log::notice(
              "MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF to disk")
        : log::notice("MASTER <-> REPLICA sync: receiving {} bytes from master to disk",
                      transfer_->total_bytes());
  }
  if (!written) {
    fail(
        fmt::format("Write error or short write writing to the DB dump file needed for MASTER <-> "
                    "REPLICA synchronization: {}",
                    written.error().message()));
  } else if (step.outcome == SnapshotTransfer::Outcome::kFailed) {
    fail(transfer_->problem());
  } else if (step.outcome == SnapshotTransfer::Outcome::kWhole) {
    received();
  }
  return step.consumed;
}

void FollowerLink::received() {
  if (const auto problem = seal_.problem())
    return fail(fmt::format("What the MASTER sent is no snapshot: {}", *problem));
  const std::string path = services_.config.dir + "/" + services_.config.dbfilename;
  if (auto kept = file_->keep_as(path); !kept) {
    return fail(
        fmt::format("Failed trying to rename the temp DB into {} in MASTER <-> REPLICA "
                    "synchronization: {}",
                    services_.config.dbfilename, kept.error().message()));
  }
  set_state(State::kLoading);
  log::notice("MASTER <-> REPLICA sync: Flushing old data");
  owner_.data_goes();
  install_ = std::make_unique<SnapshotInstall>(services_, storage_, path);
  log::notice("MASTER <-> REPLICA sync: Loading DB in memory");
  connection_.pause(ae::PauseReason::kUser);
  load_some();
}

void FollowerLink::load_some() {
  switch (install_->step(loop_.clock(), loop_.clock().now() + kLoadingSlice)) {
    case SnapshotInstall::Progress::kMore:
      loading_ = loop_.add_timer(kBetweenSlices, [this] { load_some(); });
      return;
    case SnapshotInstall::Progress::kDone:
      return loaded();
    case SnapshotInstall::Progress::kFailed:
      fail(fmt::format("Failed trying to load the MASTER synchronization DB from disk: {}",
                       install_->problem()));
  }
}

void FollowerLink::loaded() {
  replayer_.select(install_->stream_db());
  install_.reset();
  remove_unkept();
  synced_.reset();
  owner_.data_came(promised_);
  log::notice("MASTER <-> REPLICA sync: Finished with success");
  follow_stream();
  last_io_ = loop_.now();
  connection_.resume(ae::PauseReason::kUser);
}

// rdb-del-sync-files: a server that keeps nothing on disk is not made to by its master.
void FollowerLink::remove_unkept() {
  const Config& config = services_.config;
  if (config.rdb_del_sync_files && config.save.empty() && !config.appendonly)
    static_cast<void>(storage_.remove(file_->path()));
  file_.reset();
}

// --- the stream

void FollowerLink::follow_stream() {
  transfer_.reset();
  stream_.emplace(static_cast<MasterStream::Target&>(*this),
                  size_t(services_.config.client_query_buffer_limit_bytes));
  set_state(State::kConnected);
  acknowledge();  // a master that streamed its snapshot waits for it
}

size_t FollowerLink::follow(ae::MutableBytes bytes) {
  MasterStream::Step step = stream_->feed(bytes);
  if (!step.problem.empty()) {
    fail(step.problem);
    return bytes.size();
  }
  if (step.consumed < bytes.size())
    table_.keep_at_least(connection_.id(), bytes.size() - step.consumed + step.wanted);
  return step.consumed;
}

std::optional<std::string> FollowerLink::run(std::span<const std::string_view> args) {
  const uint64_t failed = replayer_.failed_commands();
  auto problem = replayer_.run(args);
  if (replayer_.failed_commands() != failed) note_failure(args[0]);
  return problem;
}

// What the master could do and we cannot: from here on the copies may differ.
void FollowerLink::note_failure(std::string_view command) {
  log::warning(
      "== CRITICAL == This replica is sending an error to its master: '{}' after processing the "
      "command '{}'",
      replayer_.last_error(), command);
  if (services_.config.propagation_error_behavior == PropagationErrors::kIgnore) return;
  log::warning("This replica panicked sending an error to its master after processing a command");
  std::abort();
}

}  // namespace millrace
