#include "server/net/io_pool.h"

#include <algorithm>
#include <utility>

#include "ae/base/assert.h"
#include "server/command/clients.h"
#include "server/config/output_limit.h"
#include "server/observe/log.h"
#include "server/observe/tick_watch.h"

namespace millrace {
namespace {

// A thread that has not taken 250 batches is held up by something; its orders wait this long before
// they are offered again.
constexpr ae::Nanoseconds kRetryOrders = ae::Milliseconds(1);

// Between two looks at what else the main loop has to do: its timers, the admin lane. A full batch
// takes a millisecond or two.
constexpr size_t kBatchesPerTick = 8;

uint64_t value(const std::atomic<uint64_t>& counter) {
  return counter.load(std::memory_order_relaxed);
}

std::string name_of(size_t index) {
  return "io-" + std::to_string(index + 1);
}

void add(Traffic& sum, const IoCounters& counters) {
  sum.reads += value(counters.reads);
  sum.read_bytes += value(counters.read_bytes);
  sum.writes += value(counters.writes);
  sum.written_bytes += value(counters.written_bytes);
}

}  // namespace

IoPool::IoPool(Parts parts) : parts_(std::move(parts)) {
  parts_.loop.after_events([this] { run_batches(); });
  parts_.loop.before_sleep([this] { before_sleep(); });
}

// --- how many

std::optional<std::string> IoPool::resize(size_t threads) {
  AE_ASSERT(threads < size_t(kMaxIoThreads));
  release();
  const size_t wanted_before = std::exchange(wanted_, threads);
  if (threads_.size() < threads) threads_.resize(threads);
  for (size_t i = 0; i < threads_.size(); ++i) {
    if (!threads_[i]) continue;
    threads_[i]->retiring = i >= wanted_;
    if (threads_[i]->retiring) stop_listening(*threads_[i]);
  }
  for (size_t i = 0; i < wanted_; ++i) {
    if (threads_[i]) continue;
    if (auto problem = start_one()) {
      resize(wanted_before);
      return problem;
    }
  }
  return main_endpoints_ ? listen(*main_endpoints_) : std::nullopt;
}

std::optional<std::string> IoPool::listen(Endpoints& main) {
  release();
  main_endpoints_ = &main;
  std::optional<std::string> problem;
  for (size_t i = 0; i < wanted_ && !problem; ++i) {
    if (std::exchange(threads_[i]->listening, true)) continue;
    threads_[i]->call(
        [&](IoWorker& worker) { problem = worker.endpoints().join(main, parts_.services.config); });
    threads_[i]->listening = !problem;
  }
  // All watch the same sockets: main leaves them to the threads, while there are any.
  const bool exclusive =
      parts_.services.config.io_threads_accept == AcceptPlacement::kExclusive && wanted_ > 0;
  exclusive && !problem ? main.pause() : main.resume();
  return problem;
}

void IoPool::stop_listening() {
  release();
  main_endpoints_ = nullptr;
  for (std::unique_ptr<IoThread>& thread : threads_)
    if (thread) stop_listening(*thread);
}

void IoPool::stop_listening(IoThread& thread) {
  if (!std::exchange(thread.listening, false)) return;
  thread.call([](IoWorker& worker) { worker.endpoints().close(); });
}

void IoPool::set_keepalive(int seconds) {
  release();
  for (std::unique_ptr<IoThread>& thread : threads_)
    if (thread && thread->listening)
      thread->call([=](IoWorker& worker) { worker.endpoints().set_keepalive(seconds); });
}

std::optional<std::string> IoPool::start_one() {
  const size_t index =
      size_t(std::find(threads_.begin(), threads_.end(), nullptr) - threads_.begin());
  ae::LoopHostOptions host;
  host.loop.backend = parts_.services.config.event_backend;
  host.name = name_of(index);
  auto thread = IoThread::start(parts_.start, {.host = std::move(host),
                                               .settings = settings(),
                                               .commands = parts_.services.commands,
                                               .main = parts_.loop,
                                               .long_ticks = parts_.services.ticks.log(),
                                               .connections = parts_.connections});
  if (!thread) return "An IO thread could not be started: " + thread.error().message();
  threads_[index] = std::move(*thread);
  on_change_();
  return std::nullopt;
}

void IoPool::end_retired() {
  for (std::unique_ptr<IoThread>& thread : threads_) {
    if (!thread || !thread->retiring || !thread->is_idle()) continue;
    // It may have accepted somebody just now.
    thread->hold();
    const bool empty = thread->worker().is_empty();
    thread->release();
    if (!empty) continue;
    thread->end();
    add(of_ended_, thread->counters());
    thread.reset();
    on_change_();
  }
}

IoSettings IoPool::settings() const {
  const Config& config = parts_.services.config;
  return {.limits = proto::RequestLimits::normal(int64_t(config.proto_max_bulk_len_bytes)),
          .output = output_limit(config, ClientClass::kNormal),
          .output_of_replicas = output_limit(config, ClientClass::kReplica),
          .output_of_subscribers = output_limit(config, ClientClass::kPubSub),
          .long_tick = ae::Milliseconds(config.latency_ticks_threshold_ms)};
}

void IoPool::refresh() {
  for (std::unique_ptr<IoThread>& thread : threads_)
    if (thread) thread->set(settings());
}

// --- newcomers

uint8_t IoPool::least_loaded() const {
  size_t best = 0;
  for (size_t i = 1; i < wanted_; ++i)
    if (threads_[i]->sessions < threads_[best]->sessions) best = i;
  return uint8_t(best + 1);
}

void IoPool::hand_out(int fd, Origin origin) {
  const uint8_t number = least_loaded();
  Session& session = parts_.door.admit(origin);
  session.thread = number;
  ++at(number).sessions;
  at(number).order({.kind = IoDelivery::Kind::kAdopt,
                    .authenticated = session.has(SessionFlag::kAuthenticated),
                    .fd = fd,
                    .session = session.self});
}

// --- batches

// In rounds of one batch a thread, given back together: what must be done before replies leave (a
// sync of the append-only file) is so done once for all of them.
void IoPool::run_batches() {
  size_t budget = kBatchesPerTick;
  while (budget > 0) {
    const size_t ran = run_round(budget);
    if (ran == 0) return;
    budget -= ran;
  }
  parts_.loop.wake_next_tick();
}

// Who comes first moves on, so that with many threads none starves.
size_t IoPool::run_round(size_t most) {
  const size_t first = next_first_++;
  size_t ran = 0;
  for (size_t i = 0; i < threads_.size() && ran < most; ++i)
    ran += run_one((first + i) % threads_.size());
  if (ran > 0) give_back();
  return ran;
}

void IoPool::give_back() {
  if (parts_.before_replies) parts_.before_replies();
  for (std::unique_ptr<IoThread>& thread : threads_)
    if (thread && thread->has_batch()) thread->return_batch();
}

bool IoPool::run_one(size_t index) {
  // A batch may have changed the number of threads, and so whose turn it is: one a round all the
  // same.
  if (!threads_[index] || threads_[index]->has_batch()) return false;
  IoBatch* batch = threads_[index]->begin_batch();
  if (!batch) return false;
  run(uint8_t(index + 1), *batch);
  return true;
}

void IoPool::run(uint8_t number, IoBatch& batch) {
  for (const IoNotice& notice : batch.notices) {
    if (notice.kind == IoNotice::Kind::kArrived) welcome(number, notice);
    if (notice.kind == IoNotice::Kind::kAdopted) adopted(number, notice);
  }
  note_keyspaces(batch.requests);
  parts_.executor.run(batch.requests, batch.replies);
  for (IoBatch::Client& client : batch.clients) {
    const Session* session = parts_.services.clients.find(client.session);
    client.authenticated = session && session->has(SessionFlag::kAuthenticated);
  }
  for (const IoNotice& notice : batch.notices) {
    if (notice.kind == IoNotice::Kind::kProtocolError) protocol_error(notice);
    if (notice.kind == IoNotice::Kind::kGone) gone(number, notice);
  }
}

// Where the keys of the batch will be looked up, for the prefetching.
void IoPool::note_keyspaces(RequestBatch& batch) {
  SessionId of;
  const Keyspace* keyspace = nullptr;
  for (size_t i = 0; i < batch.size(); ++i) {
    Request& request = batch.request(i);
    if (request.session != of) {
      of = request.session;
      const Session* session = parts_.services.clients.find(of);
      keyspace = session ? &parts_.services.databases[session->db] : nullptr;
    }
    if (request.key_hash != 0) request.keyspace = keyspace;
  }
}

void IoPool::welcome(uint8_t number, const IoNotice& notice) {
  IoThread& thread = at(number);
  if (std::string_view line = parts_.door.refusal(notice.origin); !line.empty()) {
    thread.order({.kind = IoDelivery::Kind::kSend, .connection = notice.connection, .bytes = line});
    return thread.order({.kind = IoDelivery::Kind::kCloseAfterFlush,
                         .reason = ae::CloseReason::kRequested,
                         .connection = notice.connection});
  }
  Session& session = parts_.door.admit(notice.origin);
  session.thread = number;
  session.connection = notice.connection;
  ++thread.sessions;
  thread.order({.kind = IoDelivery::Kind::kWelcome,
                .authenticated = session.has(SessionFlag::kAuthenticated),
                .connection = notice.connection,
                .session = session.self});
}

void IoPool::adopted(uint8_t number, const IoNotice& notice) {
  Session* session = parts_.services.clients.find(notice.session);
  AE_ASSERT(session);  // it is forgotten when its thread says so, not before
  session->connection = notice.connection;
  // Killed before it was known which connection it is.
  if (!session->has(SessionFlag::kClosing)) return;
  at(number).order({.kind = IoDelivery::Kind::kClose,
                    .reason = ae::CloseReason::kRequested,
                    .connection = notice.connection});
}

void IoPool::protocol_error(const IoNotice& notice) {
  Session* session = parts_.services.clients.find(notice.session);
  if (!session || session->has(SessionFlag::kClosing)) return;
  ClientLink& link = parts_.services.clients.link();
  link.push(*session, parts_.door.protocol_error(*session, notice.bytes, notice.text));
  link.close_after_reply(*session);
}

void IoPool::gone(uint8_t number, const IoNotice& notice) {
  --at(number).sessions;
  parts_.door.left(notice.session);
}

void IoPool::before_sleep() {
  if (parts_.before_replies) parts_.before_replies();
  bool all_sent = true;
  for (std::unique_ptr<IoThread>& thread : threads_)
    if (thread && !thread->send_orders()) all_sent = false;
  if (!all_sent) {
    parts_.loop.cancel(retry_);
    retry_ = parts_.loop.add_timer(kRetryOrders, [] {});  // the next tick tries again
  }
  release();
  end_retired();
}

// --- looking into the threads

IoWorker& IoPool::look_into(uint8_t number) {
  if (!std::exchange(held_, true))
    for (std::unique_ptr<IoThread>& thread : threads_)
      if (thread) thread->hold();
  return at(number).worker();
}

void IoPool::release() {
  if (!std::exchange(held_, false)) return;
  for (std::unique_ptr<IoThread>& thread : threads_)
    if (thread) thread->release();
}

Traffic IoPool::traffic() const {
  Traffic sum = of_ended_;
  for (const std::unique_ptr<IoThread>& thread : threads_)
    if (thread) add(sum, thread->counters());
  return sum;
}

size_t IoPool::queued_output_bytes() const {
  size_t sum = 0;
  for (const std::unique_ptr<IoThread>& thread : threads_)
    if (thread) sum += value(thread->counters().queued_output_bytes);
  return sum;
}

void IoPool::add_memory(ClientMemory& sum) {
  for (size_t i = 0; i < threads_.size(); ++i)
    if (threads_[i]) look_into(uint8_t(i + 1)).add_memory(sum);
}

std::vector<LoopView> IoPool::loops() const {
  std::vector<LoopView> loops;
  for (size_t i = 0; i < threads_.size(); ++i) {
    if (threads_[i]) loops.push_back({name_of(i), &threads_[i]->account(), i + 1});
  }
  return loops;
}

std::vector<IoThreadFacts> IoPool::facts() const {
  std::vector<IoThreadFacts> facts;
  for (size_t i = 0; i < threads_.size(); ++i) {
    if (!threads_[i]) continue;
    const IoCounters& counters = threads_[i]->counters();
    facts.push_back({.number = i + 1,
                     .clients = value(counters.clients),
                     .reads = value(counters.reads),
                     .writes = value(counters.writes),
                     .batches = value(counters.batches),
                     .ticks = threads_[i]->account().ticks(),
                     .busy_us = uint64_t(threads_[i]->account().busy().count()) / 1000,
                     .retiring = threads_[i]->retiring});
  }
  return facts;
}

}  // namespace millrace
