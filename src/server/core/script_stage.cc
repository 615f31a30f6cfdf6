#include "server/core/script_stage.h"

#include <utility>

#include "server/command/clients.h"
#include "server/core/blocked_clients.h"
#include "server/observe/tick_watch.h"

namespace millrace {
namespace {

// Of the reply's buffer, between two requests.
constexpr size_t kKeptReplyBytes = size_t{64} << 10;

}  // namespace

ScriptStage::ScriptStage(ae::EventLoop& loop, Services& services, Dispatcher& dispatcher,
                         BlockedClients& blocked)
    : loop_(loop), services_(services), dispatcher_(dispatcher), blocked_(blocked) {
  loop_.before_sleep([this] { go_on(); });
}

bool ScriptStage::is_for(const Session& session, const Command& command) const {
  if (fiber_.is_away()) return false;
  if (command.full_name != "exec") return true;
  return session.has(SessionFlag::kMulti) &&
         (session.extras->transaction->flags() & kRunsScripts) != 0;
}

Dispatcher::Outcome ScriptStage::run(Session& session, const Request& request,
                                     std::span<const std::string_view> args) {
  act_.emplace(Act{.session = session.self, .request = request, .kept = {*request.command, args}});
  playing_ = true;
  const bool ended = fiber_.start([this] { play(); });
  playing_ = false;
  if (!ended) {
    services_.clients.pin(session.self);
    return Dispatcher::Outcome::kBlocked;
  }
  const Dispatcher::Outcome outcome = act_->outcome;
  act_.reset();
  return outcome;
}

void ScriptStage::play() {
  Session& session = *services_.clients.find(act_->session);
  proto::ReplyWriter writer(*reply_, proto::Resp(session.resp));
  act_->outcome = dispatcher_.run(session, act_->request, act_->kept.args(), writer);
}

void ScriptStage::step_aside() {
  if (!playing_) return;
  act_->tick = services_.tick;
  act_->pushes.append(services_.clients.take_deferred());
  loop_.wake_next_tick();
  fiber_.leave();
}

void ScriptStage::go_on() {
  if (!fiber_.is_away()) return;
  const ae::PhaseScope running(services_.ticks.account(), ae::Phase::kRun);
  const Tick now = std::exchange(services_.tick, act_->tick);
  services_.clients.begin_serving(act_->session);
  playing_ = true;
  const bool ended = fiber_.resume();
  playing_ = false;
  services_.clients.begin_serving({});
  services_.tick = now;
  if (ended) deliver();
}

// As the executor does behind a request, but that the client has been waiting.
void ScriptStage::deliver() {
  Clients& clients = services_.clients;
  act_->pushes.append(clients.take_deferred());
  clients.unpin();
  if (Session* session = clients.find(act_->session)) {
    if (!session->silent()) clients.push(*session, reply());
    clients.push(*session, act_->pushes);
    if (session->has(SessionFlag::kClosing)) clients.link().close_after_reply(*session);
    clients.link().resume(*session, Wait::kKey);
  }
  act_.reset();
  drop_reply();
  loop_.wake_next_tick();  // what was pushed here leaves before the next sleep
  if (blocked_.any_ready()) blocked_.serve_ready();
}

void ScriptStage::end() {
  while (fiber_.is_away()) go_on();
}

void ScriptStage::drop_reply() {
  if (reply_->view().size() > kKeptReplyBytes) reply_ = std::make_unique<proto::StringSink>();
  reply_->clear();
}

}  // namespace millrace
