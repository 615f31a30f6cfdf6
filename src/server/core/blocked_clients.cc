#include "server/core/blocked_clients.h"

#include <algorithm>

#include "ae/base/assert.h"
#include "proto/byte_sink.h"
#include "server/core/dispatch.h"
#include "server/ds/function_ref.h"
#include "server/observe/command_stats.h"

namespace millrace {
namespace {

constexpr std::string_view kUnblocked = "UNBLOCKED client unblocked via CLIENT UNBLOCK";

// What comes for a client while its own command runs belongs behind the reply. This happens behind
// the command of another, who is being served, too.
std::string pushed_while_serving(Clients& clients, SessionId id, ds::FunctionRef<void()> run) {
  const SessionId outer = clients.serving();
  const std::string for_outer = clients.take_deferred();
  clients.begin_serving(id);
  run();
  std::string pushed = clients.take_deferred();
  clients.begin_serving(outer);
  if (!for_outer.empty()) clients.push(*clients.find(outer), for_outer);
  return pushed;
}

}  // namespace

BlockedClients::BlockedClients(ae::EventLoop& loop, Clients& clients, Effects& effects,
                               Databases& databases)
    : loop_(loop), clients_(clients), effects_(effects), databases_(databases) {
  clients_.on_leave([this](Session& session) { forget(session.self); });
  loop_.before_sleep([this] { serve_ready(); });
}

BlockedClients::~BlockedClients() {
  loop_.cancel(timer_);
  effects_.detach(*this);
}

// --- beginning to wait

void BlockedClients::block(Session& session, const Command& command,
                           std::span<const std::string_view> args, const BlockTerms& terms) {
  if (running_ && running_->session == session.self) return;  // it keeps its places
  AE_ASSERT(!session.has(SessionFlag::kBlocked));
  auto owned = std::make_unique<Waiting>(
      Waiting{.session = session.self,
              .request = KeptRequest(command, terms.args.empty() ? args : terms.args),
              .type = terms.type,
              .wake_when_gone = terms.wake_when_gone,
              .runs_at_deadline = terms.runs_at_deadline,
              .time_is_up = false,
              .places = {},
              .deadline = deadlines_.end()});
  Waiting& waiting = *owned;
  waiting_.emplace(session.self.packed(), std::move(owned));
  session.set(SessionFlag::kBlocked);
  for (const std::string_view name : terms.keys) {
    const DbKey key{session.db, Keyspace::key(name)};
    Queue& queue = queues_[key];
    std::list<Waiting*>& clients = queue.clients;
    if (!clients.empty() && clients.back() == &waiting) continue;  // named twice
    waiting.places.push_back({KeptKey(key), clients.insert(clients.end(), &waiting)});
    if (terms.wake_when_gone && queue.waiting_for_gone++ == 0) ++gone_keys_;
  }
  if (terms.deadline_ms > 0) {
    waiting.deadline = deadlines_.emplace(terms.deadline_ms, &waiting);
    set_timer();
  }
  attach_or_detach();
}

void BlockedClients::attach_or_detach() {
  queues_.empty() ? effects_.detach(*this) : effects_.attach(*this);
}

// --- keys that are ready

void BlockedClients::note_ready(DbKey key) {
  if (!queues_.find(key)) return;
  const auto same = [&](const KeptKey& known) {
    return known.db == key.db && known.name == key.key.name;
  };
  if (std::none_of(ready_.begin(), ready_.end(), same)) ready_.emplace_back(key);
}

void BlockedClients::on_change(const KeyChange& change) {
  if (change.is_change()) note_ready({change.db, change.key});
}

void BlockedClients::note_all(int db) {
  for (auto& [key, queue] : queues_)
    if (db == Effects::kEveryDb || key.db == db) note_ready(key.view());
}

// Who waits for a key to go learns of it.
void BlockedClients::on_emptied(int db) {
  note_all(db);
}

void BlockedClients::on_swapped(uint8_t a, uint8_t b) {
  note_all(a);
  if (a != b) note_all(b);
}

// What runs here can make further keys ready (BLMOVE): they are served in turn. What a script has
// written that has not ended is nobody's to see.
void BlockedClients::serve_ready() {
  if (running_ || services_->state.script_is_busy()) return;
  while (any_ready()) {
    const std::vector<KeptKey> now = std::exchange(ready_, {});
    for (const KeptKey& key : now) serve(key);
    const std::vector<SessionId> asked = std::exchange(retries_, {});
    for (const SessionId session : asked) serve_retry(session);
  }
}

void BlockedClients::serve_retry(SessionId session) {
  const auto found = waiting_.find(session.packed());
  if (found == waiting_.end() || clients_.find(session)->has(SessionFlag::kClosing)) return;
  run_again(*found->second);
}

// Everyone who waited when the key became ready is tried once, in order, while there is something
// to be had; who is tried stays in his place or leaves.
void BlockedClients::serve(const KeptKey& key) {
  Queue* queue = queues_.find(key.view());
  if (!queue) return;
  size_t left = queue->clients.size();
  auto next = queue->clients.begin();
  while (left-- > 0) {
    const Entry* entry = databases_[key.db].find(key.view().key);
    if (!entry && queue->waiting_for_gone == 0) return;
    Waiting& waiting = **next++;
    const bool wanted = entry && entry->type() == waiting.type;
    if (!wanted && !waiting.wake_when_gone) continue;
    if (!clients_.find(waiting.session)->has(SessionFlag::kClosing)) run_again(waiting);
    queue = queues_.find(key.view());  // gone with the last who waited
    if (!queue) return;
  }
}

void BlockedClients::run_again(Waiting& waiting) {
  Session& session = *clients_.find(waiting.session);
  const KeptRequest& request = waiting.request;
  proto::StringSink sink;
  proto::ReplyWriter reply(sink, proto::Resp(session.resp));
  running_ = &waiting;
  bool replied = false;
  const SessionId id = waiting.session;
  const std::string pushed = pushed_while_serving(clients_, id, [&] {
    replied = dispatcher_->run_again(session, request.command(), request.args(), reply);
  });
  running_ = nullptr;
  if (replied) finish(id, sink.view());
  clients_.push(session, pushed);
}

// --- the end of waiting

void BlockedClients::finish(SessionId id, std::string_view reply) {
  Session& session = *clients_.find(id);
  forget(id);
  if (!session.silent()) clients_.push(session, reply);
  clients_.link().resume(session, Wait::kKey);
}

void BlockedClients::forget(SessionId id) {
  const auto found = waiting_.find(id.packed());
  if (found == waiting_.end()) return;
  Waiting& waiting = *found->second;
  leave_queues(waiting);
  if (waiting.deadline != deadlines_.end()) deadlines_.erase(waiting.deadline);
  clients_.find(id)->clear(SessionFlag::kBlocked);
  waiting_.erase(found);
  attach_or_detach();
}

void BlockedClients::leave_queues(Waiting& waiting) {
  for (const Place& place : waiting.places) {
    Queue& queue = *queues_.find(place.key.view());
    queue.clients.erase(place.at);
    if (waiting.wake_when_gone && --queue.waiting_for_gone == 0) --gone_keys_;
    if (queue.clients.empty()) queues_.erase(place.key.view());
  }
}

void BlockedClients::run_last_time(Waiting& waiting) {
  waiting.time_is_up = true;
  const SessionId session = waiting.session;
  run_again(waiting);
  AE_ASSERT(!waiting_.contains(session.packed()));
}

// They are closed, as Redis closes them: what they would send next is meant for a master.
void BlockedClients::unblock_all(std::string_view error) {
  std::vector<SessionId> all;
  for (const auto& [id, waiting] : waiting_) all.push_back(waiting->session);
  for (const SessionId id : all) {
    Session& session = *clients_.find(id);
    proto::StringSink sink;
    proto::ReplyWriter reply(sink, proto::Resp(session.resp));
    services_->stats.count_error(error);
    reply.error(error);
    forget(id);
    if (!session.silent()) clients_.push(session, sink.view());
    clients_.link().close_after_reply(session);
  }
}

bool BlockedClients::unblock(Session& session, Unblock how) {
  const auto found = waiting_.find(session.self.packed());
  if (found == waiting_.end()) return false;
  if (how == Unblock::kTimeout && found->second->runs_at_deadline)
    return run_last_time(*found->second), true;
  ++services_->command_stats.row(found->second->request.command().id).calls;
  proto::StringSink sink;
  proto::ReplyWriter reply(sink, proto::Resp(session.resp));
  if (how == Unblock::kTimeout) {
    reply.null_array();
  } else {
    ++services_->command_stats.row(found->second->request.command().id).failed;
    services_->stats.count_error(kUnblocked);
    reply.error(kUnblocked);
  }
  finish(session.self, sink.view());
  return true;
}

// The timer counts monotonic time and deadlines are of the wall clock, so one may come early; then
// it is set again.
void BlockedClients::end_overdue() {
  timer_ = {};
  while (!deadlines_.empty() && deadlines_.begin()->first <= loop_.unix_ms())
    unblock(*clients_.find(deadlines_.begin()->second->session), Unblock::kTimeout);
  set_timer();
}

void BlockedClients::set_timer() {
  loop_.cancel(timer_);
  timer_ = {};
  if (deadlines_.empty()) return;
  const int64_t wait_ms = std::max<int64_t>(deadlines_.begin()->first - loop_.unix_ms(), 1);
  timer_ = loop_.add_timer(ae::Milliseconds(wait_ms), [this] { end_overdue(); });
}

}  // namespace millrace
