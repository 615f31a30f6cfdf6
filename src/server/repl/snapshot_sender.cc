#include "server/repl/snapshot_sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "server/config/config.h"
#include "server/observe/log.h"
#include "server/persist/snapshot_file.h"

namespace millrace {
namespace {

using State = Replica::State;

}  // namespace

SnapshotSender::SnapshotSender(ae::EventLoop& loop, Services& services, Storage& storage,
                               ChildProcess& processes, ReplicationLog& log, Leader& leader)
    : loop_(loop),
      services_(services),
      storage_(storage),
      processes_(processes),
      log_(log),
      leader_(leader) {}

SnapshotSender::~SnapshotSender() {
  loop_.cancel(timer_);
  loop_.unwatch(watched_);
}

// --- the beginning

void SnapshotSender::tick() {
  if (services_.state.script_is_busy()) return;  // the snapshot would have half of what it does
  if (!child_ && !source_ && !processes_.running() && is_due()) begin();
}

// Where nothing is written to a disk, others may still come who can share the snapshot.
bool SnapshotSender::is_due() const {
  const Config& config = services_.config;
  const size_t waiting = leader_.count_in(State::kWaiting);
  if (waiting == 0) return false;
  if (!config.repl_diskless_sync) return true;
  const int most = config.repl_diskless_sync_max_replicas;
  if (most > 0 && waiting >= size_t(most)) return true;
  ae::TimePoint first = loop_.now();
  leader_.each([&](Replica& replica) {
    if (replica.state == State::kWaiting) first = std::min(first, replica.since);
  });
  return loop_.now() - first >= ae::Seconds(config.repl_diskless_sync_delay_s);
}

void SnapshotSender::begin() {
  leader_.flush();
  leader_.forget_database();
  bool all_know_eof = true;
  contents_ = contents_wanted_first();
  each_to_serve([&](Replica& replica, Session&) { all_know_eof &= replica.knows_eof; });
  const bool to_disk = !services_.config.repl_diskless_sync || !all_know_eof;
  log::notice("Starting BGSAVE for SYNC with target: {}", to_disk ? "disk" : "replicas sockets");
  if (to_disk) {
    auto file = ReceivedFile::create(storage_, services_.config.dir);
    if (!file) return failed(file.error().message());
    spool_ = std::move(*file);
  }
  auto child = SnapshotChild::start(processes_, services_, snapshot_facts(services_), contents_);
  if (!child) return failed(child.error().message());
  child_ = std::move(*child);
  log::notice("Background RDB transfer started by pid {}", child_->pid());
  const auto watched = loop_.watch(child_->descriptor(), ae::Events::kReadable, this, 0);
  if (!watched) return failed(watched.error().message());
  watched_ = *watched;
  mark_ = ReplicationId::make(services_.prng);
  each_to_serve([this](Replica& replica, Session& session) { join(replica, session); });
}

// One snapshot has one content: who wants another one waits for the next.
SnapshotContents SnapshotSender::contents_wanted_first() {
  SnapshotContents contents = SnapshotContents::kAll;
  ae::TimePoint first = ae::TimePoint::max();
  leader_.each_in(State::kWaiting, [&](Replica& replica, Session&) {
    if (replica.since >= first) return;
    first = replica.since;
    contents = replica.contents;
  });
  return contents;
}

template <typename Visit>
void SnapshotSender::each_to_serve(Visit&& visit) {
  leader_.each_in(State::kWaiting, [&](Replica& replica, Session& session) {
    if (replica.contents == contents_) visit(replica, session);
  });
}

void SnapshotSender::join(Replica& replica, Session& session) {
  replica.state = State::kMaking;
  replica.held.clear();
  if (replica.speaks_psync)
    services_.clients.push(session, full_sync_line(log_.history(), log_.offset()));
  if (!spool_) services_.clients.push(session, fmt::format("$EOF:{}\r\n", mark_));
}

// --- while the child writes

void SnapshotSender::on_file_event(ae::FileId, uint32_t, ae::Events) {
  std::array<char, kPieceBytes> piece;
  const ae::IoResult read = loop_.os().read(child_->descriptor(), piece);
  if (read.status == ae::IoStatus::kWouldBlock) return;
  if (read.status == ae::IoStatus::kOk) return take({piece.data(), read.bytes});
  said_all_ = true;
  loop_.unwatch(watched_);
  watched_ = {};
  look();
}

void SnapshotSender::take(std::string_view bytes) {
  if (spool_) {
    if (auto written = spool_->write(bytes); !written) failed(written.error().message());
    return;
  }
  leader_.each_in(State::kMaking,
                  [&](Replica&, Session& session) { services_.clients.push(session, bytes); });
  if (!is_somebody_behind()) return;
  loop_.set_interest(watched_, ae::Events::kNone);
  timer_ = loop_.add_timer(kLook, [this] { look(); });
}

bool SnapshotSender::is_somebody_behind() {
  bool behind = false;
  leader_.each([&](Replica& replica) {
    if (replica.state != State::kMaking && replica.state != State::kSending) return;
    const Session& session = *services_.clients.find(replica.session);
    behind |= services_.clients.link().output_bytes(session) > kAhead;
  });
  return behind;
}

void SnapshotSender::look() {
  timer_ = {};
  if (source_) return send_more();
  if (!child_) return;
  if (leader_.count_in(State::kMaking) == 0)
    return failed("Diskless rdb transfer, last replica dropped, killing fork child.");
  if (said_all_) return all_said();
  if (!is_somebody_behind()) return loop_.set_interest(watched_, ae::Events::kReadable);
  timer_ = loop_.add_timer(kLook, [this] { look(); });
}

// The end of its bytes may be the end of a child that was killed.
void SnapshotSender::all_said() {
  const std::optional<bool> outcome = child_->outcome();
  if (!outcome) {
    timer_ = loop_.add_timer(kLook, [this] { look(); });
  } else {
    *outcome ? succeeded() : failed("Background transfer error");
  }
}

void SnapshotSender::succeeded() {
  child_.reset();
  if (spool_) return begin_sending();
  log::notice("Background RDB transfer terminated with success");
  leader_.each_in(State::kMaking, [this](Replica& replica, Session& session) {
    services_.clients.push(session, mark_);
    replica.state = State::kArriving;
    log::notice(
        "Streamed replica with replica {} succeeded (socket). Waiting for REPLCONF ACK from "
        "replica to enable streaming",
        leader_.address_of(replica));
  });
  end();
}

void SnapshotSender::failed(std::string_view why) {
  log::warning("{}", why);
  leader_.each([this](Replica& replica) {
    if (replica.state == State::kMaking || replica.state == State::kSending)
      leader_.drop(replica, "there is no snapshot for it");
  });
  end();
}

void SnapshotSender::end() {
  loop_.unwatch(watched_);
  loop_.cancel(timer_);
  watched_ = {};
  timer_ = {};
  said_all_ = false;
  source_.reset();
  spool_.reset();
  child_.reset();
}

// --- from the file

void SnapshotSender::begin_sending() {
  auto size = storage_.size(spool_->path());
  auto source = storage_.open(spool_->path());
  if (!size || !source) return failed("The snapshot for replicas cannot be read again");
  source_ = std::move(*source);
  const std::string header = fmt::format("${}\r\n", *size);
  leader_.each_in(State::kMaking, [&](Replica& replica, Session& session) {
    replica.state = State::kSending;
    services_.clients.push(session, header);
  });
  send_more();
}

void SnapshotSender::send_more() {
  std::array<char, kPieceBytes> piece;
  for (size_t sent = 0; sent < kAhead && !is_somebody_behind();) {
    const auto read = source_->read(piece);
    if (!read) return failed(read.error().message());
    if (*read == 0) {
      leader_.each_in(State::kSending,
                      [this](Replica& replica, Session&) { leader_.went_online(replica); });
      return end();
    }
    sent += *read;
    leader_.each_in(State::kSending, [&](Replica&, Session& session) {
      services_.clients.push(session, {piece.data(), *read});
    });
  }
  timer_ = loop_.add_timer(kLook, [this] { look(); });
}

}  // namespace millrace
