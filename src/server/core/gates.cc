#include "server/core/gates.h"

#include <algorithm>
#include <iterator>

#include "server/acl/acl.h"
#include "server/command/clients.h"
#include "server/command/errors.h"
#include "server/command/refusals.h"
#include "server/config/config.h"
#include "server/core/memory_guard.h"
#include "server/observe/acl_report.h"

namespace millrace {
namespace {

constexpr std::string_view kDebugRefused =
    "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you "
    "can "
    "run it from a local connection, otherwise you need to set this option in the configuration "
    "file, and then restart the server.";

}  // namespace

// The order is Redis': who may not know the command learns nothing about memory.
const Gates::Gate Gates::kGates[] = {
    &Gates::check_protected,   &Gates::check_authentication, &Gates::check_multi,
    &Gates::check_access,      &Gates::check_memory,         &Gates::check_disk,
    &Gates::check_replication, &Gates::check_subscribed,     &Gates::check_stale_data,
    &Gates::check_loading,     &Gates::check_busy_script,    &Gates::check_pause,
};

Gates::Gates(Services& services, MemoryGuard& memory) : services_(services), memory_(memory) {
  refresh();
}

void Gates::refresh() {
  guarded_flags_ = kProtected;
  if (memory_.limited()) guarded_flags_ |= kWrite | kDenyOom;
  PauseKind pause = services_.clients.paused(services_.tick.unix_us / 1000);
  if (pause == PauseKind::kWrites) guarded_flags_ |= kWrite | kMayReplicate;
  const ServerState::Facts& facts = services_.state.facts();
  if (facts.too_few_replicas || facts.read_only) guarded_flags_ |= kWrite | kMayReplicate;
  guard_all_ = pause == PauseKind::kAll || services_.acl.limits_default_user() ||
               facts.disk != DiskTrouble::kNone || facts.stale || facts.loading != Loading::kNo ||
               facts.busy_script != BusyScript::kNone;
}

Gates::Answer Gates::ask(const Command& command, const Session& session, Args args) {
  for (Gate gate : kGates) {
    Answer answer = (this->*gate)(command, session, args);
    if (answer.verdict != Verdict::kOpen) return answer;
  }
  return {};
}

CommandFlags Gates::own_flags(const Command& command, Args args) {
  if (!command.spec->has(kRunsScripts) || !script_flags_) return command.spec->flags;
  return script_flags_(command, args);
}

// What a command will do, EXEC's queue included.
CommandFlags Gates::flags_of(const Command& command, const Session& session, Args args) {
  if (command.full_name != "exec" || !session.has(SessionFlag::kMulti))
    return own_flags(command, args);
  CommandFlags flags = command.spec->flags;
  for (const KeptRequest& request : session.extras->transaction->requests())
    flags |= own_flags(request.command(), request.args());
  return flags;
}

bool Gates::make_room() {
  return !memory_.limited() || memory_.make_room();
}

Gates::Answer Gates::check_protected(const Command& command, const Session& session, Args) {
  if (!command.spec->has(kProtected)) return {};
  const Permission allowed = services_.config.enable_debug_command;
  if (allowed == Permission::kYes) return {};
  if (allowed == Permission::kLocal && session.has(SessionFlag::kLocal)) return {};
  return {Verdict::kRefused, std::string(kDebugRefused)};
}

Gates::Answer Gates::check_authentication(const Command& command, const Session& session, Args) {
  if (session.has(SessionFlag::kAuthenticated) || command.spec->has(kNoAuth)) return {};
  if (!services_.acl.wants_login()) return {};
  return {Verdict::kRefused, std::string(errors::kNoAuth)};
}

Gates::Answer Gates::check_multi(const Command& command, const Session& session, Args) {
  if (!session.has(SessionFlag::kMulti) || !command.spec->has(kNoMulti)) return {};
  return {Verdict::kRefused, "ERR Command not allowed inside a transaction"};
}

Gates::Answer Gates::check_access(const Command& command, const Session& session, Args args) {
  const acl::Denial denial = services_.acl.check(session, command, args);
  if (!denial.denied()) return {};
  const auto place = session.has(SessionFlag::kMulti) ? acl::Place::kMulti : acl::Place::kTopLevel;
  return {Verdict::kRefused,
          "NOPERM " + log_denial(services_, session, {command, args}, denial, place)};
}

Gates::Answer Gates::check_memory(const Command& command, const Session& session, Args args) {
  const CommandFlags flags = flags_of(command, session, args);
  if (!memory_.limited() || !(flags & (kWrite | kDenyOom))) return {};
  if (memory_.make_room() || !(flags & kDenyOom)) return {};
  return {Verdict::kRefused, std::string(errors::kOom)};
}

Gates::Answer Gates::refused_if(std::string error) {
  if (error.empty()) return {};
  return {Verdict::kRefused, std::move(error)};
}

Gates::Answer Gates::check_disk(const Command& command, const Session& session, Args args) {
  if (!(flags_of(command, session, args) & kWrite) && command.full_name != "ping") return {};
  return refused_if(refusals::of_disk(services_.state.facts()));
}

Gates::Answer Gates::check_replication(const Command& command, const Session& session, Args args) {
  if (!(flags_of(command, session, args) & kWrite)) return {};
  return refused_if(refusals::of_replication(services_.state.facts()));
}

// EXEC does not mind what none of its commands minds.
Gates::Answer Gates::check_stale_data(const Command& command, const Session& session, Args args) {
  CommandFlags flags = own_flags(command, args);
  if (command.full_name == "exec" && session.has(SessionFlag::kMulti))
    for (const KeptRequest& request : session.extras->transaction->requests())
      if (!(own_flags(request.command(), request.args()) & kStale)) flags &= ~kStale;
  return refused_if(refusals::of_stale_data(services_.state.facts(), flags));
}

Gates::Answer Gates::check_loading(const Command& command, const Session&, Args) {
  return refused_if(refusals::of_loading(services_.state.facts(), command.spec->flags));
}

Gates::Answer Gates::check_busy_script(const Command& command, const Session&, Args) {
  return refused_if(refusals::of_busy_script(services_.state.facts(), command.spec->flags));
}

// RESP2 has one kind of message, so between two of them only what ends or tests the subscription
// has an answer that can be told from one.
Gates::Answer Gates::check_subscribed(const Command& command, const Session& session, Args) {
  if (!session.has(SessionFlag::kSubscribed) || session.resp != 2) return {};
  constexpr std::string_view kAllowed[] = {"ping",         "subscribe",   "ssubscribe",
                                           "psubscribe",   "unsubscribe", "sunsubscribe",
                                           "punsubscribe", "quit",        "reset"};
  if (std::find(std::begin(kAllowed), std::end(kAllowed), command.full_name) != std::end(kAllowed))
    return {};
  return {Verdict::kRefused,
          "ERR Can't execute '" + std::string(command.full_name) +
              "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this "
              "context"};
}

Gates::Answer Gates::check_pause(const Command& command, const Session& session, Args args) {
  if (session.replica) return {};  // what it acknowledges is what a failover waits for
  PauseKind pause = services_.clients.paused(services_.tick.unix_us / 1000);
  if (pause == PauseKind::kNone) {
    refresh();
    return {};
  }
  // The pause's own command must get through, or nobody could end it before its time.
  if (command.full_name == "client|unpause" || command.full_name == "client|pause") return {};
  const bool waits = pause == PauseKind::kAll ||
                     (flags_of(command, session, args) & (kWrite | kMayReplicate)) != 0;
  return {waits ? Verdict::kWait : Verdict::kOpen, {}};
}

}  // namespace millrace
