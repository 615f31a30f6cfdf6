#include "server/core/executor.h"

#include <algorithm>

#include "proto/request_writer.h"
#include "server/observe/tick_watch.h"

namespace millrace {

Executor::Executor(Services& services, Dispatcher& dispatcher, BlockedClients& blocked,
                   ScriptStage& stage)
    : services_(services), dispatcher_(dispatcher), blocked_(blocked), stage_(stage) {}

void Executor::run(RequestBatch& batch, ReplyArena& replies) {
  const ae::PhaseScope running(services_.ticks.account(), ae::Phase::kRun);
  Run run{batch, replies};
  run.prefetch.begin();
  for (size_t i = 0; i < batch.size();) i = run_client(run, i);
}

// All requests of one client that follow each other; returns the position behind them.
size_t Executor::run_client(Run& run, size_t first) {
  std::span<const Request> requests = run.batch.requests();
  const SessionId id = requests[first].session;
  Session* session = services_.clients.find(id);
  size_t i = first;
  if (!session) {  // closed since
    while (i < requests.size() && requests[i].session == id) ++i;
    return i;
  }

  serving_ = session;
  services_.clients.begin_serving(id);
  session->active_s = services_.tick.uptime_s;
  run.replies.begin(*this);
  proto::ReplyWriter writer(run.replies, proto::Resp(session->resp));
  bool running = true;
  for (; i < requests.size() && requests[i].session == id; ++i) {
    run.prefetch.ahead(i);
    if (!running || session->has(SessionFlag::kClosing)) continue;
    const Dispatcher::Outcome outcome = run_one(run, *session, requests[i], writer);
    if (outcome == Dispatcher::Outcome::kDone) continue;
    running = false;
    if (outcome == Dispatcher::Outcome::kWait) keep_rest(run.batch, *session, i, Wait::kPause);
    if (outcome == Dispatcher::Outcome::kBlocked) keep_rest(run.batch, *session, i + 1, Wait::kKey);
  }
  services_.clients.begin_serving({});
  services_.clients.link().reply(*session, run.replies.end());
  if (session->has(SessionFlag::kClosing)) services_.clients.link().close_after_reply(*session);
  serving_ = nullptr;
  return i;
}

Dispatcher::Outcome Executor::run_one(Run& run, Session& session, const Request& request,
                                      proto::ReplyWriter& writer) {
  const size_t before = run.replies.length();
  session.next_request();
  const bool staged = request.command && request.command->spec->has(kRunsScripts) &&
                      stage_.is_for(session, *request.command);
  const Dispatcher::Outcome outcome =
      staged ? run_on_stage(run, session, request)
             : dispatcher_.run(session, request, run.batch.args_of(request), writer);
  if (outcome != Dispatcher::Outcome::kDone) [[unlikely]]
    return outcome;
  writer.set_resp(proto::Resp(session.resp));  // HELLO may have changed it for what follows
  if (session.silent()) [[unlikely]]
    run.replies.rewind_to(std::min(before, run.replies.length()));
  if (blocked_.any_ready()) [[unlikely]]
    blocked_.serve_ready();
  if (services_.clients.has_deferred()) [[unlikely]]
    run.replies.append(services_.clients.take_deferred());
  return outcome;
}

Dispatcher::Outcome Executor::run_on_stage(Run& run, Session& session, const Request& request) {
  const Dispatcher::Outcome outcome = stage_.run(session, request, run.batch.args_of(request));
  if (outcome != Dispatcher::Outcome::kDone) return outcome;  // laid aside, it goes on writing
  run.replies.append(stage_.reply());
  stage_.drop_reply();
  return outcome;
}

// The requests of this client from `first` on go back to its connection, re-encoded, and come again
// when it has waited long enough.
void Executor::keep_rest(const RequestBatch& batch, Session& session, size_t first, Wait wait) {
  std::span<const Request> requests = batch.requests();
  proto::StringSink unrun;
  for (size_t i = first; i < requests.size() && requests[i].session == session.self; ++i)
    proto::write_request(unrun, batch.args_of(requests[i]));
  if (wait == Wait::kPause) return services_.clients.park(session, unrun.view());
  services_.clients.link().suspend(session, wait, unrun.view());
}

void Executor::spill(std::string_view bytes) {
  if (!serving_->silent()) services_.clients.link().push(*serving_, bytes);
}

}  // namespace millrace
