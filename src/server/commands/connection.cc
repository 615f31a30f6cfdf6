// The connection itself: logging in, the protocol, the database, the end. What concerns clients in
// general (names, lists, pauses) is in client.cc.
#include <optional>

#include "ae/base/decimal.h"
#include "server/acl/acl.h"
#include "server/command/arg_reader.h"
#include "server/command/clients.h"
#include "server/command/heartbeats.h"
#include "server/command/watched_keys.h"
#include "server/commands/families.h"
#include "server/config/config.h"
#include "server/observe/acl_report.h"
#include "server/observe/client_text.h"
#include "server/observe/monitor_feed.h"
#include "server/pubsub/pub_sub.h"
#include "server/pubsub/tracking.h"
#include "server/version.h"

namespace millrace {
namespace {

// --- AUTH

constexpr std::string_view kNoPasswordSet =
    "ERR AUTH <password> called without any password configured for the default user. Are you sure "
    "your configuration is correct?";

bool log_in(Context& c, std::string_view user, std::string_view password) {
  if (c.services().acl.log_in(c.session(), user, password)) return true;
  log_failed_login(c.services(), c.session(), c.arg(0), user,
                   c.may_block() ? acl::Place::kTopLevel : acl::Place::kMulti);
  c.fail(errors::kWrongPass);
  return false;
}

// AUTH [username] password
void auth(Context& c) {
  if (c.arg_count() > 3) return c.fail(errors::kSyntax);
  const bool names_nobody = c.arg_count() == 2;
  if (names_nobody && c.services().acl.users().default_user().no_password)
    return c.fail(kNoPasswordSet);
  const std::string_view user = names_nobody ? acl::kDefaultUser : c.arg(1);
  if (log_in(c, user, c.arg(c.arg_count() - 1))) c.reply().ok();
}

// --- HELLO

constexpr std::string_view kHelloNeedsAuth =
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
    "<proto> "
    "AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol "
    "version at the same time";

struct HelloOptions {
  std::optional<uint8_t> resp;
  std::optional<std::string_view> user;
  std::string_view password = {};
  std::optional<std::string_view> name;
};

bool read_protocol(Context& c, HelloOptions& options) {
  const std::optional<int64_t> version = ae::parse_int64(c.arg(1));
  if (!version) {
    c.fail("ERR Protocol version is not an integer or out of range");
  } else if (*version != 2 && *version != 3) {
    c.fail("NOPROTO unsupported protocol version");
  } else {
    options.resp = uint8_t(*version);
  }
  return !c.failed();
}

bool read_hello(Context& c, HelloOptions& options) {
  if (c.arg_count() < 2) return true;
  if (!read_protocol(c, options)) return false;
  ArgReader args(c, 2);
  while (args.more()) {
    if (args.take("AUTH", 2)) {
      options.user = args.word();
      options.password = args.word();
    } else if (args.take("SETNAME", 1)) {
      options.name = args.word();
      if (!is_client_word(*options.name)) args.error(errors::kBadClientName);
    } else {
      args.error("ERR Syntax error in HELLO option '" + std::string(args.peek()) + "'");
    }
  }
  return args.finish();
}

void reply_server_facts(Context& c) {
  proto::ReplyWriter& reply = c.reply();
  reply.map(7);
  reply.bulk("server");
  reply.bulk("redis");  // what clients compare with; INFO's server_name says who we are
  reply.bulk("version");
  reply.bulk(kRedisVersion);
  reply.bulk("proto");
  reply.integer(c.session().resp);
  reply.bulk("id");
  reply.integer(int64_t(c.session().id));
  reply.bulk("mode");
  reply.bulk("standalone");
  reply.bulk("role");
  reply.bulk("master");
  reply.bulk("modules");
  reply.empty_array();
}

// HELLO [protover [AUTH username password] [SETNAME clientname]]
void hello(Context& c) {
  HelloOptions options;
  if (!read_hello(c, options)) return;
  if (options.user && !log_in(c, *options.user, options.password)) return;
  Session& session = c.session();
  if (!session.has(SessionFlag::kAuthenticated)) return c.fail(kHelloNeedsAuth);
  if (options.name) set_client_name(c.services().clients, session, *options.name);
  if (options.resp) session.resp = *options.resp;
  if (session.resp < 3) c.services().heartbeats.stop(session);  // RESP2 has no push messages
  c.reply().set_resp(proto::Resp(session.resp));  // this reply is in the new protocol already
  reply_server_facts(c);
}

// --- the rest

// A RESP2 subscriber can only take what looks like a message.
void ping_subscriber(Context& c) {
  c.reply().array(2);
  c.reply().bulk("pong");
  c.reply().bulk(c.arg_count() == 2 ? c.arg(1) : std::string_view());
}

// PING [message]
void ping(Context& c) {
  if (c.arg_count() > 2) return c.fail(errors::wrong_arity(c.command_name()));
  if (c.session().has(SessionFlag::kSubscribed) && c.session().resp == 2) return ping_subscriber(c);
  c.arg_count() == 1 ? c.reply().pong() : c.reply().bulk(c.arg(1));
}

// ECHO message
void echo(Context& c) {
  c.reply().bulk(c.arg(1));
}

// SELECT index
void select(Context& c) {
  ArgReader args(c);
  const int64_t index = args.integer_between(INT32_MIN, INT32_MAX, errors::kNotInt32);
  if (!args.finish()) return;
  if (index < 0 || size_t(index) >= c.services().databases.count()) return c.fail(errors::kDbIndex);
  c.select(uint8_t(index));
  c.reply().ok();
}

// QUIT
void quit(Context& c) {
  c.reply().ok();
  c.session().set(SessionFlag::kClosing);
}

// RESET
void reset(Context& c) {
  Session& session = c.session();
  c.services().monitors.remove(session.self);
  c.services().heartbeats.stop(session);
  c.services().watched_keys.unwatch(session);
  c.services().pub_sub.leave_all(session);
  c.services().tracking.stop(session);
  c.services().clients.change_extras(session,
                                     [](SessionExtras& extras) { extras.transaction.reset(); });
  for (SessionFlag flag : {SessionFlag::kMonitor, SessionFlag::kNoEvict, SessionFlag::kNoTouch,
                           SessionFlag::kReplyOff, SessionFlag::kSkipNext, SessionFlag::kMulti})
    session.clear(flag);
  c.services().acl.log_out(session);
  set_client_name(c.services().clients, session,
                  {});  // the library's name stays: it is still behind the connection
  c.select(0);
  session.resp = 2;
  c.reply().set_resp(proto::Resp::k2);
  c.reply().status("RESET");
}

constexpr CommandFlags kAnyState = kLoading | kStale;
constexpr CommandFlags kBeforeLogin = kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy;

constexpr CommandSpec kTable[] = {
    {.name = "auth",
     .handler = auth,
     .arity = -2,
     .flags = kBeforeLogin,
     .since = "1.0.0",
     .group = Group::kConnection,
     .summary = "Logs the connection in.",
     .complexity = "O(N) for a password of N bytes",
     .syntax = "[username] password"},
    {.name = "echo",
     .handler = echo,
     .arity = 2,
     .flags = kAnyState | kFast,
     .since = "1.0.0",
     .group = Group::kConnection,
     .summary = "Sends its argument back.",
     .complexity = "O(1)",
     .syntax = "message"},
    {.name = "hello",
     .handler = hello,
     .arity = -1,
     .flags = kBeforeLogin,
     .since = "6.0.0",
     .group = Group::kConnection,
     .summary =
         "Chooses the protocol, may log in and name the connection; tells facts of the server.",
     .complexity = "O(1)",
     .syntax = "[protover [AUTH username password] [SETNAME clientname]]"},
    {.name = "ping",
     .handler = ping,
     .arity = -1,
     .flags = kFast,
     .since = "1.0.0",
     .group = Group::kConnection,
     .summary = "Answers, to show that the server is there.",
     .complexity = "O(1)",
     .syntax = "[message]"},
    {.name = "quit",
     .handler = quit,
     .arity = -1,
     .flags = kAllowBusy | kNoScript | kAnyState | kFast | kNoAuth,
     .since = "1.0.0",
     .group = Group::kConnection,
     .summary = "Closes the connection.",
     .complexity = "O(1)"},
    {.name = "reset",
     .handler = reset,
     .arity = 1,
     .flags = kNoScript | kAnyState | kFast | kNoAuth | kAllowBusy,
     .since = "6.2.0",
     .group = Group::kConnection,
     .summary = "Puts the connection into the state of a new one.",
     .complexity = "O(1)"},
    {.name = "select",
     .handler = select,
     .arity = 2,
     .flags = kAnyState | kFast,
     .since = "1.0.0",
     .group = Group::kConnection,
     .summary = "Chooses the database that the connection works on.",
     .complexity = "O(1)",
     .syntax = "index"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> connection_commands() {
  return kTable;
}

}  // namespace millrace
