// MULTI, EXEC and what belongs to them. Between the two, requests are queued by the dispatcher;
// here they run, one after the other. Commands run on one thread, so nothing can come between them.
#include "server/acl/acl.h"
#include "server/command/clients.h"
#include "server/command/command_runner.h"
#include "server/command/context.h"
#include "server/command/watched_keys.h"
#include "server/commands/families.h"
#include "server/observe/acl_report.h"

namespace millrace {
namespace {

// MULTI
void multi(Context& c) {
  Session& session = c.session();
  if (session.has(SessionFlag::kMulti)) return c.fail("ERR MULTI calls can not be nested");
  session.set(SessionFlag::kMulti);
  c.services().clients.change_extras(
      session, [](SessionExtras& extras) { extras.transaction = std::make_unique<Transaction>(); });
  c.reply().ok();
}

// The queued commands leave the session, which is in no transaction afterwards.
std::unique_ptr<Transaction> end_transaction(Context& c) {
  Session& session = c.session();
  std::unique_ptr<Transaction> transaction;
  session.clear(SessionFlag::kMulti);
  c.services().clients.change_extras(
      session, [&](SessionExtras& extras) { transaction = std::move(extras.transaction); });
  return transaction;
}

// A key whose time has come since WATCH is another key, though nobody has looked at it yet.
bool is_any_watch_broken(Context& c) {
  const Session& session = c.session();
  if (!session.extras || !session.extras->watches) return false;
  for (const WatchedKey& key : session.extras->watches->keys) {
    if (key.was_gone) continue;
    const Entry* entry = c.services().databases[key.db].find(key.view().key);
    if (entry && entry->has_expiry() && entry->expire_at_ms() <= c.now_ms()) return true;
  }
  return session.extras->watches->broken;
}

// What was queued was allowed then; its user's rights, or its user, may be others now.
bool is_no_longer_allowed(Context& c, const KeptRequest& request) {
  Services& services = c.services();
  if (!services.acl.limits(c.session())) return false;
  const acl::Denial denial = services.acl.check(c.session(), request.command(), request.args());
  if (!denial.denied()) return false;
  log_denial(services, c.session(), {request.command(), request.args()}, denial,
             acl::Place::kMulti);
  const std::string error =
      "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC "
      "call. This command is no longer allowed for the following reason: " +
      std::string(acl::reason_in_transaction(denial.reason));
  services.stats.count_error(error);
  c.reply().error(error);
  return true;
}

// EXEC
void exec(Context& c) {
  Session& session = c.session();
  if (!session.has(SessionFlag::kMulti)) return c.fail("ERR EXEC without MULTI");
  const bool broken = is_any_watch_broken(c);
  const std::unique_ptr<Transaction> transaction = end_transaction(c);
  c.services().watched_keys.unwatch(session);
  if (transaction->spoiled())
    return c.fail("EXECABORT Transaction discarded because of previous errors.");
  if (broken) return c.reply().null_array();
  c.feed_nothing();
  c.reply().array(transaction->requests().size());
  for (const KeptRequest& request : transaction->requests()) {
    if (is_no_longer_allowed(c, request)) continue;
    c.services().runner.run_inner(session, request.command(), request.args(), c.reply(),
                                  Within::kTransaction);
    c.reply().set_resp(proto::Resp(session.resp));  // HELLO may have changed it
  }
}

// DISCARD
void discard(Context& c) {
  if (!c.session().has(SessionFlag::kMulti)) return c.fail("ERR DISCARD without MULTI");
  end_transaction(c);
  c.services().watched_keys.unwatch(c.session());
  c.reply().ok();
}

// WATCH key [key ...]
void watch(Context& c) {
  if (c.session().has(SessionFlag::kMulti)) return c.fail("ERR WATCH inside MULTI is not allowed");
  for (size_t i = 1; i < c.arg_count(); ++i)
    c.services().watched_keys.watch(c.session(), c.key(i), c.now_ms());
  c.reply().ok();
}

// UNWATCH
void unwatch(Context& c) {
  c.services().watched_keys.unwatch(c.session());
  c.reply().ok();
}

constexpr Group kGroup = Group::kTransactions;
constexpr CommandFlags kAlways = kNoScript | kLoading | kStale | kAllowBusy;

constexpr CommandSpec kTable[] = {
    {.name = "multi",
     .handler = multi,
     .arity = 1,
     .flags = kAlways | kFast,
     .since = "1.2.0",
     .group = kGroup,
     .summary = "Begins a transaction: what follows is queued.",
     .complexity = "O(1)"},
    {.name = "exec",
     .handler = exec,
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kSkipSlowLog | kRunsScripts,
     .since = "1.2.0",
     .group = kGroup,
     .summary = "Runs the queued commands, one after the other.",
     .complexity = "that of the commands"},
    {.name = "discard",
     .handler = discard,
     .arity = 1,
     .flags = kAlways | kFast,
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Forgets the queued commands.",
     .complexity = "O(N) for N commands"},
    {.name = "watch",
     .handler = watch,
     .arity = -2,
     .flags = kAlways | kFast,
     .keys = keys_between(1, -1),
     .since = "2.2.0",
     .group = kGroup,
     .summary = "EXEC will do nothing if one of these keys has changed by then.",
     .complexity = "O(1) for each key",
     .syntax = "key [key ...]"},
    {.name = "unwatch",
     .handler = unwatch,
     .arity = 1,
     .flags = kAlways | kFast,
     .since = "2.2.0",
     .group = kGroup,
     .summary = "Forgets the watched keys.",
     .complexity = "O(1) for each key"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> transaction_commands() {
  return kTable;
}

}  // namespace millrace
