#include "server/net/io_worker.h"

#include <algorithm>
#include <utility>

#include "ae/base/assert.h"
#include "server/observe/log.h"

namespace millrace {
namespace {

// How much of an offending request main is told, for the log.
constexpr size_t kToldBytes = 128;

// Batches kept for reuse: those with main, the one being filled, and one whose bytes are leaving.
constexpr size_t kKeptFree = IoChannel::kMaxWithMain + 2;

bool asks_for_sending(const IoDelivery& delivery) {
  return delivery.kind == IoDelivery::Kind::kSend;
}

}  // namespace

IoWorker::IoWorker(ae::EventLoop& loop, Parts parts, IoSettings settings)
    : loop_(loop),
      parts_(std::move(parts)),
      settings_(settings),
      table_(loop, parts_.connections),
      endpoints_(loop, [this](int fd, Origin origin) { arrived(fd, origin); }),
      limits_(table_, settings.output, settings.output_of_replicas,
              settings.output_of_subscribers) {
  loop_.account().on_long_tick(settings.long_tick,
                               [this](const ae::TickRecord& tick) { report(tick); });
  table_.set_on_flushed([this] { recycle(); });
  loop_.after_sleep([this] { collect(); });
  loop_.after_events([this] { hand_over(); });
  loop_.before_sleep([this] {
    hand_over();  // notices of the reap phase
    publish();
  });
}

// What main has sent before it ended the loop still goes out, as far as the kernel takes it.
IoWorker::~IoWorker() {
  collect();
  table_.flush();
  publish();
}

void IoWorker::set(const IoSettings& settings) {
  settings_ = settings;
  limits_.normal.set(settings.output);
  limits_.replicas.set(settings.output_of_replicas);
  limits_.subscribers.set(settings.output_of_subscribers);
  loop_.account().set_long_tick(settings.long_tick);
}

// --- in

size_t IoWorker::on_data(ae::Connection connection, ae::MutableBytes data) {
  IoBatch* batch = filling();
  if (!batch) {
    connection.pause(ae::PauseReason::kBusy);
    held_back_.push_back(connection.id());
    return 0;
  }
  const size_t requests = batch->requests.size();
  const size_t notices = notices_.size();
  const size_t consumed = parse(connection, data, *batch);
  if (batch->requests.size() == requests && notices_.size() == notices) return consumed;
  batch->clients.push_back({connection.id(), SessionId::unpack(connection.user())});
  connection.pause(ae::PauseReason::kBusy);
  return consumed;
}

// Complete requests go into the batch. Parsed in place and then copied: only what is whole is
// copied, once.
size_t IoWorker::parse(ae::Connection connection, ae::MutableBytes data, IoBatch& batch) {
  const SessionId session = SessionId::unpack(connection.user());
  const ae::ConnectionId id = connection.id();
  proto::PartialRequest partial = halves_.take(id.slot);
  proto::ArgVector& args = batch.requests.args();
  const size_t first_new_arg = args.size();
  size_t at = 0;
  while (at < data.size()) {
    const size_t first_arg = args.size();
    const proto::ParseResult parsed =
        proto::parse_request(data.subspan(at), partial, limits_for(id), args);
    if (parsed.status == proto::ParseStatus::kIncomplete) {
      table_.keep_at_least(id, data.size() - at + parsed.wanted);
      halves_.put(id.slot, std::move(partial));
      break;
    }
    if (parsed.status == proto::ParseStatus::kError) {
      not_resp(connection, data.subspan(at), parsed.error);
      take_along(batch, first_new_arg, {data.data(), at});
      return data.size();
    }
    at += parsed.consumed;
    if (args.size() == first_arg) continue;  // an empty line
    add_request(batch, session, first_arg);
    // AUTH changes the limits of what follows it, so before it requests travel one by one.
    if (batch.requests.full() || !authenticated_.at(id.slot)) break;
  }
  take_along(batch, first_new_arg, {data.data(), at});
  return at;
}

void IoWorker::add_request(IoBatch& batch, SessionId session, size_t first_arg) {
  Request& request = batch.requests.add();
  request.session = session;
  request.first_arg = uint32_t(first_arg);
  request.arg_count = uint32_t(batch.requests.args().size() - first_arg);
  resolve(request, batch.requests.args_of(request), parts_.commands);
}

// The arguments from `first_arg` on are views into `parsed`, which does not stay.
void IoWorker::take_along(IoBatch& batch, size_t first_arg, ae::Bytes parsed) {
  const std::string_view kept = batch.bytes.copy(parsed);
  proto::ArgVector& args = batch.requests.args();
  for (size_t i = first_arg; i < args.size(); ++i) {
    std::string_view& arg = args[i];
    if (!arg.empty()) arg = {kept.data() + (arg.data() - parsed.data()), arg.size()};
  }
}

void IoWorker::not_resp(ae::Connection connection, ae::MutableBytes rest, std::string_view text) {
  const std::string_view begin(rest.data(), std::min(rest.size(), kToldBytes));
  notices_.push_back({.kind = IoNotice::Kind::kProtocolError,
                      .connection = connection.id(),
                      .session = SessionId::unpack(connection.user()),
                      .bytes = filling_->bytes.copy(begin),
                      .text = text});
}

// Nobody waits any more for the key that the client waited for.
void IoWorker::on_hang_up(ae::Connection connection) {
  connection.close(ae::CloseReason::kPeerClosed);
}

void IoWorker::on_closed(ae::Connection connection, ae::CloseReason) {
  halves_.forget(connection.id().slot);
  limits_.forget(connection.id());
  authenticated_.at(connection.id().slot) = 0;
  const SessionId session = SessionId::unpack(connection.user());
  // One that main has not answered yet is told of when it does (welcome).
  if (!session.valid()) return;
  notices_.push_back(
      {.kind = IoNotice::Kind::kGone, .connection = connection.id(), .session = session});
}

// Main decides whether it may stay.
void IoWorker::arrived(int fd, Origin origin) {
  ae::Result<ae::Connection> connection = table_.adopt(fd, *this, 0);
  if (!connection) {
    return log::warning_once_a_minute("Error registering fd event for the new client: {}",
                                      connection.error().message());
  }
  connection->pause(ae::PauseReason::kAdmission);
  notices_.push_back(
      {.kind = IoNotice::Kind::kArrived, .origin = origin, .connection = connection->id()});
}

// --- over the rings

// Null when there is no room for a request before a batch has come back.
IoBatch* IoWorker::filling() {
  if (filling_) return filling_->requests.full() ? nullptr : filling_.get();
  if (free_.empty()) {
    filling_ = std::make_unique<IoBatch>();
  } else {
    filling_ = std::move(free_.back());
    free_.pop_back();
  }
  filling_->from_thread = true;
  return filling_.get();
}

void IoWorker::hand_over() {
  if (with_main_ == IoChannel::kMaxWithMain) return;
  if (!notices_.empty()) {
    filling();
    std::swap(filling_->notices, notices_);
  }
  if (!filling_ || !filling_->has_news()) return;
  const bool pushed = parts_.channel.to_main.push(std::move(filling_));
  AE_ASSERT(pushed);  // the ring has kMaxWithMain places
  ++with_main_;
  ++handed_over_;
  parts_.main.wake();
}

void IoWorker::collect() {
  while (std::unique_ptr<IoBatch>* front = parts_.channel.to_thread.front()) {
    std::unique_ptr<IoBatch> batch = std::move(*front);
    parts_.channel.to_thread.pop();
    loop_.account().note_work();
    take_back(std::move(batch));
  }
}

void IoWorker::take_back(std::unique_ptr<IoBatch> batch) {
  if (batch->settings) set(*batch->settings);
  for (const IoDelivery& delivery : batch->deliveries) deliver(delivery);
  for (const IoBatch::Client& client : batch->clients) {
    authenticated_.at(client.connection.slot) = client.authenticated;
    table_.find(client.connection).resume(ae::PauseReason::kBusy);
  }
  if (batch->from_thread) {
    --with_main_;
    for (const ae::ConnectionId id : held_back_) table_.find(id).resume(ae::PauseReason::kBusy);
    held_back_.clear();
  }
  const bool sends =
      std::any_of(batch->deliveries.begin(), batch->deliveries.end(), asks_for_sending);
  if (!sends) return keep_free(std::move(batch));
  sending_.push_back(std::move(batch));
}

void IoWorker::deliver(const IoDelivery& delivery) {
  ae::Connection connection = table_.find(delivery.connection);
  switch (delivery.kind) {
    case IoDelivery::Kind::kSend: {
      OutputLimits& limits = limits_for(delivery);
      table_.send_view(delivery.connection, delivery.bytes);
      if (limits.any()) limits.check(connection);
      return;
    }
    case IoDelivery::Kind::kClose:
      return connection.close(delivery.reason);
    case IoDelivery::Kind::kCloseAfterFlush:
      return connection.close_after_flush(delivery.reason);
    case IoDelivery::Kind::kSuspend:
      connection.pause(delivery.pause);
      halves_.forget(
          delivery.connection.slot);  // what is remembered counts from another first byte
      return connection.unread(delivery.bytes);
    case IoDelivery::Kind::kResume:
      return connection.resume(delivery.pause);
    case IoDelivery::Kind::kWelcome:
      return welcome(delivery);
    case IoDelivery::Kind::kAdopt:
      return adopt(delivery);
  }
}

void IoWorker::welcome(const IoDelivery& delivery) {
  ae::Connection connection = table_.find(delivery.connection);
  if (!connection.alive()) {  // it left while main made its session
    return notices_.push_back({.kind = IoNotice::Kind::kGone, .session = delivery.session});
  }
  connection.set_user(delivery.session.packed());
  authenticated_.at(delivery.connection.slot) = delivery.authenticated;
  connection.resume(ae::PauseReason::kAdmission);
}

void IoWorker::adopt(const IoDelivery& delivery) {
  ae::Result<ae::Connection> connection =
      table_.adopt(delivery.fd, *this, delivery.session.packed());
  if (!connection) {
    log::warning_once_a_minute("Error registering fd event for the new client: {}",
                               connection.error().message());
    return notices_.push_back({.kind = IoNotice::Kind::kGone, .session = delivery.session});
  }
  authenticated_.at(connection->id().slot) = delivery.authenticated;
  notices_.push_back({.kind = IoNotice::Kind::kAdopted,
                      .connection = connection->id(),
                      .session = delivery.session});
}

void IoWorker::recycle() {
  for (std::unique_ptr<IoBatch>& batch : sending_) keep_free(std::move(batch));
  sending_.clear();
}

void IoWorker::keep_free(std::unique_ptr<IoBatch> batch) {
  if (free_.size() >= kKeptFree) return;
  batch->clear();
  free_.push_back(std::move(batch));
}

// Batches that are with main at the moment are not counted: two at most.
void IoWorker::add_memory(ClientMemory& sum) {
  add_loop_memory(sum, table_);
  const auto add = [&](const IoBatch& batch) {
    sum.reply_arena += batch.replies.memory_bytes();
    sum.input_scratch += batch.bytes.memory_bytes();
    sum.lists += batch.list_bytes();
  };
  if (filling_) add(*filling_);
  for (const auto* batches : {&sending_, &free_})
    for (const std::unique_ptr<IoBatch>& batch : *batches) add(*batch);
}

// For LATENCY TICKS. No command runs here.
void IoWorker::report(const ae::TickRecord& tick) {
  LongTick long_tick;
  long_tick.loop = parts_.name;
  long_tick.record = tick;
  parts_.long_ticks.add(std::move(long_tick), tick.woke_unix_us);
}

void IoWorker::publish() {
  const auto set = [](std::atomic<uint64_t>& counter, uint64_t value) {
    counter.store(value, std::memory_order_relaxed);
  };
  IoCounters& counters = parts_.channel.counters;
  const ae::TableStats& stats = table_.stats();
  set(counters.clients, table_.size());
  set(counters.reads, stats.reads);
  set(counters.read_bytes, stats.read_bytes);
  set(counters.writes, stats.writes);
  set(counters.written_bytes, stats.written_bytes);
  set(counters.queued_output_bytes, stats.queued_output_bytes);
  set(counters.batches, handed_over_);
}

}  // namespace millrace
