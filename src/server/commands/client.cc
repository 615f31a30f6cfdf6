// CLIENT: what clients are called, who they are, and what one may do to another.
#include <string>
#include <unordered_map>
#include <vector>

#include "ae/base/decimal.h"
#include "server/acl/acl.h"
#include "server/command/arg_reader.h"
#include "server/command/clients.h"
#include "server/command/heartbeats.h"
#include "server/command/help.h"
#include "server/commands/client_filter.h"
#include "server/commands/client_tracking.h"
#include "server/commands/families.h"
#include "server/observe/client_text.h"
#include "server/repl/replication.h"

namespace millrace {
namespace {

// Takes ON or OFF. The caller finishes the reader.
bool read_switch(ArgReader& args) {
  if (args.take("ON")) return true;
  if (!args.take("OFF")) args.syntax_error();
  return false;
}

// ON | OFF, as a flag of the session.
void switch_flag(Context& c, SessionFlag flag) {
  ArgReader args(c, 2);
  const bool on = read_switch(args);
  if (!args.finish()) return;
  on ? c.session().set(flag) : c.session().clear(flag);
  c.reply().ok();
}

// --- names

// CLIENT ID
void client_id(Context& c) {
  c.reply().integer(int64_t(c.session().id));
}

// CLIENT GETNAME
void client_getname(Context& c) {
  const SessionExtras* extras = c.session().extras.get();
  extras && !extras->name.empty() ? c.reply().bulk(extras->name) : c.reply().null();
}

// CLIENT SETNAME connection-name
void client_setname(Context& c) {
  if (!is_client_word(c.arg(2))) return c.fail(errors::kBadClientName);
  set_client_name(c.services().clients, c.session(), c.arg(2));
  c.reply().ok();
}

// CLIENT SETINFO LIB-NAME libname | LIB-VER libver
void client_setinfo(Context& c) {
  const std::string attribute(c.arg(2));
  const bool is_name = equals_ignoring_case(attribute, "LIB-NAME");
  if (!is_name && !equals_ignoring_case(attribute, "LIB-VER"))
    return c.fail("ERR Unrecognized option '" + attribute + "'");
  if (!is_client_word(c.arg(3)))
    return c.fail("ERR " + attribute + " cannot contain spaces, newlines or special characters.");
  c.services().clients.change_extras(c.session(), [&](SessionExtras& extras) {
    (is_name ? extras.library_name : extras.library_version) = c.arg(3);
  });
  c.reply().ok();
}

// --- lines

void reply_lines(Context& c, std::string_view lines) {
  c.reply().verbatim("txt", lines);
}

// CLIENT INFO
void client_info(Context& c) {
  std::string line;
  append_client_line(line, c.services(), c.session());
  reply_lines(c, line);
}

void list_all(Context& c, std::optional<ClientType> type) {
  std::string lines;
  c.services().clients.each([&](Session& session) {
    if (type && type_of(session) != *type) return;
    append_client_line(lines, c.services(), session);
  });
  const auto master = c.services().replication.master_client();
  if (master && (!type || *type == ClientType::kMaster)) append_master_line(lines, *master);
  reply_lines(c, lines);
}

// One walk over all clients however many ids there are; the lines come in the order of the ids.
void list_ids(Context& c, const std::vector<uint64_t>& ids) {
  std::unordered_map<uint64_t, std::string> lines;
  for (uint64_t id : ids) lines.try_emplace(id);
  c.services().clients.each([&](Session& session) {
    auto wanted = lines.find(session.id);
    if (wanted != lines.end()) append_client_line(wanted->second, c.services(), session);
  });
  std::string text;
  for (uint64_t id : ids) text += lines[id];
  reply_lines(c, text);
}

// CLIENT LIST [TYPE NORMAL | MASTER | REPLICA | PUBSUB] [ID client-id [client-id ...]]
void client_list(Context& c) {
  ArgReader args(c, 2);
  std::optional<ClientType> type;
  std::vector<uint64_t> ids;
  if (c.arg_count() == 4 && args.take("TYPE")) {
    type = read_client_type(args);
  } else if (args.take("ID", 1)) {
    while (args.more()) ids.push_back(uint64_t(args.integer("ERR Invalid client ID")));
  }
  if (!args.finish()) return;
  ids.empty() ? list_all(c, type) : list_ids(c, ids);
}

// --- the others

void close_client(Context& c, Session& session) {
  if (&session == &c.session()) {
    session.set(SessionFlag::kClosing);  // its reply is still to be delivered
  } else {
    c.services().clients.link().close_now(session);
  }
}

size_t close_matching(Context& c, const ClientFilter& filter) {
  size_t closed = 0;
  c.services().clients.each([&](Session& session) {
    if (session.has(SessionFlag::kClosing) || !filter.matches(c, session)) return;
    close_client(c, session);
    ++closed;
  });
  return closed;
}

// The link to our master is no session, but has an address like one.
bool cut_master_at(Context& c, std::string_view peer) {
  Replication& replication = c.services().replication;
  if (!replication.follows()) return false;
  const MasterAddress& master = replication.master();
  return peer == master.host + ":" + std::to_string(master.port) && replication.cut_link();
}

// CLIENT KILL ip:port | [ID client-id] [TYPE NORMAL | MASTER | SLAVE | REPLICA | PUBSUB]
//   [USER username] [ADDR ip:port] [LADDR ip:port] [SKIPME YES | NO] [MAXAGE maxage]
void client_kill(Context& c) {
  ClientFilter filter;
  if (c.arg_count() == 3) {
    filter.peer = c.arg(2);
    filter.skip_self = false;
    const bool closed = cut_master_at(c, c.arg(2)) || close_matching(c, filter) > 0;
    return closed ? c.reply().ok() : c.fail("ERR No such client");
  }
  ArgReader args(c, 2);
  if (!filter.read(args, c.services().acl.users())) return;
  // The link to our master is no session.
  if (filter.type == ClientType::kMaster)
    return c.reply().integer(c.services().replication.cut_link() ? 1 : 0);
  c.reply().integer(int64_t(close_matching(c, filter)));
}

// CLIENT PAUSE timeout [WRITE | ALL]
void client_pause(Context& c) {
  ArgReader args(c, 3);
  PauseKind kind = PauseKind::kAll;
  if (args.take("WRITE")) {
    kind = PauseKind::kWrites;
  } else if (args.more() && !args.take("ALL")) {
    args.error("ERR CLIENT PAUSE mode must be WRITE or ALL");
  }
  if (!args.finish()) return;
  const std::optional<int64_t> ms = ae::parse_int64(c.arg(2));
  if (!ms) return c.fail("ERR timeout is not an integer or out of range");
  if (*ms < 0) return c.fail("ERR timeout is negative");
  int64_t until_ms;
  if (__builtin_add_overflow(*ms, c.now_ms(), &until_ms))
    return c.fail("ERR timeout is out of range");
  c.services().clients.pause(kind, until_ms);
  c.reply().ok();
}

// CLIENT UNPAUSE
void client_unpause(Context& c) {
  c.services().clients.unpause();
  c.reply().ok();
}

// CLIENT UNBLOCK client-id [TIMEOUT | ERROR]
void client_unblock(Context& c) {
  ArgReader args(c, 3);
  Blocking::Unblock how = Blocking::Unblock::kTimeout;
  if (args.more() && !args.take("TIMEOUT")) {
    if (!args.take("ERROR")) args.error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    how = Blocking::Unblock::kError;
  }
  if (!args.finish()) return;
  const std::optional<int64_t> id = ae::parse_int64(c.arg(2));
  if (!id) return c.fail(errors::kNotInteger);
  Session* session = c.services().clients.find_by_client_id(uint64_t(*id));
  c.reply().integer(session && c.services().blocking.unblock(*session, how) ? 1 : 0);
}

// --- this one

// Of this request and the next. With OFF in force there is nothing to skip.
void skip_replies(Session& session) {
  if (session.has(SessionFlag::kReplyOff)) return;
  session.set(SessionFlag::kSkipNext);
  session.set(SessionFlag::kSkipping);
}

// CLIENT REPLY ON | OFF | SKIP
void client_reply(Context& c) {
  ArgReader args(c, 2);
  Session& session = c.session();
  if (args.take("SKIP")) {
    if (!args.finish()) return;
    skip_replies(session);
    return c.reply().ok();
  }
  const bool on = read_switch(args);
  if (!args.finish()) return;
  on ? session.clear(SessionFlag::kReplyOff) : session.set(SessionFlag::kReplyOff);
  if (on) session.clear(SessionFlag::kSkipping);  // SKIP would have dropped this answer
  c.reply().ok();
}

// CLIENT NO-EVICT ON | OFF
void client_no_evict(Context& c) {
  switch_flag(c, SessionFlag::kNoEvict);
}

// CLIENT NO-TOUCH ON | OFF
void client_no_touch(Context& c) {
  switch_flag(c, SessionFlag::kNoTouch);
}

// --- heartbeat

constexpr std::string_view kHeartbeatNeedsResp3 =
    "ERR CLIENT HEARTBEAT needs RESP3, whose push messages carry the probes: switch with HELLO 3";

// CLIENT HEARTBEAT ON [INTERVAL seconds] [MISSES n] | OFF
void client_heartbeat(Context& c) {
  ArgReader args(c, 2);
  HeartbeatTerms terms;
  const bool on = read_switch(args);
  while (on && args.more()) {
    if (args.take("INTERVAL", 1)) {
      terms.interval_s = uint32_t(args.integer_between(
          1, HeartbeatTerms::kMaxIntervalS, "ERR INTERVAL must be between 1 and 3600 seconds"));
    } else if (args.take("MISSES", 1)) {
      terms.misses = uint32_t(args.integer_between(1, HeartbeatTerms::kMaxMisses,
                                                   "ERR MISSES must be between 1 and 100"));
    } else {
      args.syntax_error();
    }
  }
  if (!args.finish()) return;
  Session& session = c.session();
  if (on && session.resp < 3) return c.fail(kHeartbeatNeedsResp3);
  on ? c.services().heartbeats.start(session, terms) : c.services().heartbeats.stop(session);
  c.reply().ok();
}

constexpr CommandFlags kOwn = kNoScript | kLoading | kStale;
constexpr CommandFlags kOthers = kAdmin | kNoScript | kLoading | kStale;
constexpr Group kGroup = Group::kConnection;

constexpr CommandSpec kSubcommands[] = {
    {.name = "caching",
     .handler = client_caching,
     .arity = 3,
     .flags = kOwn,
     .since = "6.0.0",
     .group = kGroup,
     .summary = "Says whether the keys of the next command are tracked.",
     .complexity = "O(1)",
     .syntax = "YES | NO"},
    {.name = "tracking",
     .handler = client_tracking,
     .arity = -3,
     .flags = kOwn,
     .since = "6.0.0",
     .group = kGroup,
     .summary = "Asks to be told when keys change that this connection has read.",
     .complexity = "O(1)",
     .syntax = "ON | OFF [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] "
               "[OPTOUT] [NOLOOP]"},
    {.name = "trackinginfo",
     .handler = client_trackinginfo,
     .arity = 2,
     .flags = kOwn,
     .since = "6.2.0",
     .group = kGroup,
     .summary = "Tells the terms of CLIENT TRACKING.",
     .complexity = "O(1)"},
    {.name = "getname",
     .handler = client_getname,
     .arity = 2,
     .flags = kOwn,
     .since = "2.6.9",
     .group = kGroup,
     .summary = "Tells the name of the connection.",
     .complexity = "O(1)"},
    {.name = "getredir",
     .handler = client_getredir,
     .arity = 2,
     .flags = kOwn,
     .since = "6.0.0",
     .group = kGroup,
     .summary = "Tells which client gets this connection's invalidation messages; -1 for none.",
     .complexity = "O(1)"},
    {.name = "heartbeat",
     .handler = client_heartbeat,
     .arity = -3,
     .flags = kOwn,
     .since = "7.2.0",
     .group = kGroup,
     .summary = "Lets the server ask this RESP3 connection for a sign of life; Millrace's own.",
     .complexity = "O(1)",
     .syntax = "ON [INTERVAL seconds] [MISSES n] | OFF"},
    {.name = "help",
     .handler = reply_help,
     .arity = 2,
     .flags = kLoading | kStale,
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Prints this help.",
     .complexity = "O(1)"},
    {.name = "id",
     .handler = client_id,
     .arity = 2,
     .flags = kOwn,
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Tells the number of the connection, which is never reused.",
     .complexity = "O(1)"},
    {.name = "info",
     .handler = client_info,
     .arity = 2,
     .flags = kOwn,
     .since = "6.2.0",
     .group = kGroup,
     .summary = "Describes the connection, in the form of CLIENT LIST.",
     .complexity = "O(1)"},
    {.name = "kill",
     .handler = client_kill,
     .arity = -3,
     .flags = kOthers,
     .since = "2.4.0",
     .group = kGroup,
     .summary = "Closes connections.",
     .complexity = "O(N) for N connections",
     .syntax = "ip:port | [ID client-id] [TYPE NORMAL | MASTER | SLAVE | REPLICA | PUBSUB] "
               "[USER username] [ADDR ip:port] [LADDR ip:port] [SKIPME YES | NO] "
               "[MAXAGE maxage]"},
    {.name = "list",
     .handler = client_list,
     .arity = -2,
     .flags = kOthers,
     .since = "2.4.0",
     .group = kGroup,
     .summary = "Describes the connections, one to a line.",
     .complexity = "O(N) for N connections",
     .syntax = "[TYPE NORMAL | MASTER | REPLICA | PUBSUB] [ID client-id [client-id ...]]"},
    {.name = "no-evict",
     .handler = client_no_evict,
     .arity = 3,
     .flags = kOthers,
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Exempts the connection from being closed when clients take too much memory.",
     .complexity = "O(1)",
     .syntax = "ON | OFF"},
    {.name = "no-touch",
     .handler = client_no_touch,
     .arity = 3,
     .flags = kOwn,
     .since = "7.2.0",
     .group = kGroup,
     .summary = "Lets the connection read keys without counting as their use.",
     .complexity = "O(1)",
     .syntax = "ON | OFF"},
    {.name = "pause",
     .handler = client_pause,
     .arity = -3,
     .flags = kOthers,
     .since = "3.0.0",
     .group = kGroup,
     .summary = "Lets commands, or only writes, wait for a time.",
     .complexity = "O(1)",
     .syntax = "timeout [WRITE | ALL]"},
    {.name = "reply",
     .handler = client_reply,
     .arity = 3,
     .flags = kOwn,
     .since = "3.2.0",
     .group = kGroup,
     .summary = "Switches the replies to the connection.",
     .complexity = "O(1)",
     .syntax = "ON | OFF | SKIP"},
    {.name = "setinfo",
     .handler = client_setinfo,
     .arity = 4,
     .flags = kOwn,
     .since = "7.2.0",
     .group = kGroup,
     .summary = "Tells which client library is behind the connection.",
     .complexity = "O(1)",
     .syntax = "LIB-NAME libname | LIB-VER libver"},
    {.name = "setname",
     .handler = client_setname,
     .arity = 3,
     .flags = kOwn,
     .since = "2.6.9",
     .group = kGroup,
     .summary = "Names the connection.",
     .complexity = "O(1)",
     .syntax = "connection-name"},
    {.name = "unblock",
     .handler = client_unblock,
     .arity = -3,
     .flags = kOthers,
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Wakes a client that waits in a blocking command.",
     .complexity = "O(N) for N connections",
     .syntax = "client-id [TIMEOUT | ERROR]"},
    {.name = "unpause",
     .handler = client_unpause,
     .arity = 2,
     .flags = kOthers,
     .since = "6.2.0",
     .group = kGroup,
     .summary = "Ends a pause before its time.",
     .complexity = "O(N) for N clients that wait"},
};
static_assert(sane(kSubcommands));

constexpr CommandSpec kTable[] = {
    {.name = "client",
     .arity = -2,
     .since = "2.4.0",
     .group = kGroup,
     .summary = "Commands about client connections.",
     .complexity = "Depends on the subcommand.",
     .subcommands = kSubcommands},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> client_commands() {
  return kTable;
}

}  // namespace millrace
