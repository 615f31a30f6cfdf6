#include "server/scripting/redis_library.h"

#include <string>

#include "server/command/services.h"
#include "server/command/sha1.h"
#include "server/observe/log.h"
#include "server/scripting/lua_values.h"
#include "server/version.h"

namespace millrace::scripting {
namespace {

// Where a script's writes used to be sent: to the append-only file, the replicas, both, nowhere.
constexpr int kReplicateNowhere = 0;
constexpr int kReplicateToFile = 1;
constexpr int kReplicateToReplicas = 2;
constexpr int kReplicateEverywhere = 3;
static_assert(Audience(kReplicateToFile) == Audience::kAppendOnly &&
              Audience(kReplicateToReplicas) == Audience::kReplicas &&
              Audience(kReplicateEverywhere) == Audience::kEverybody);

// 7.2.4 as 0x00070204
constexpr int version_number(std::string_view version) {
  int number = 0;
  int part = 0;
  for (const char c : version) {
    if (c == '.') {
      number = (number | part) << 8;
      part = 0;
    } else {
      part = part * 10 + (c - '0');
    }
  }
  return number | part;
}
static_assert(version_number("7.2.4") == 0x00070204);

// redis.error_reply(text): "CODE words", or words that get the code ERR
int error_reply(lua_State* lua) {
  std::string text = "ERR wrong number or type of arguments";
  if (lua_gettop(lua) == 1 && lua_type(lua, 1) == LUA_TSTRING) {
    std::string_view given = text_at(lua, 1);
    if (given.starts_with('-')) given.remove_prefix(1);
    text = given.find(' ') == std::string_view::npos ? "ERR " : "";
    text.append(given);
  }
  lua_createtable(lua, 0, 1);
  set_field(lua, "err", text);
  return 1;
}

// redis.status_reply(text)
int status_reply(lua_State* lua) {
  if (lua_gettop(lua) != 1 || lua_type(lua, 1) != LUA_TSTRING) {
    push_error(lua, "ERR wrong number or type of arguments");
    return 1;
  }
  lua_createtable(lua, 0, 1);
  set_field(lua, "ok", text_at(lua, 1));
  return 1;
}

// redis.sha1hex(text)
int sha1hex(lua_State* lua) {
  if (lua_gettop(lua) != 1) return raise_error(lua, "ERR wrong number of arguments");
  const std::string_view text = lua_isstring(lua, 1) ? text_at(lua, 1) : std::string_view();
  push_text(lua, hex_of(sha1(text)));
  return 1;
}

void write_log(LogLevel level, std::string_view text) {
  switch (level) {
    case LogLevel::kDebug:
      return log::debug("{}", text);
    case LogLevel::kVerbose:
      return log::verbose("{}", text);
    case LogLevel::kNotice:
      return log::notice("{}", text);
    default:
      return log::warning("{}", text);
  }
}

// redis.log(level, text, ...)
int write_log(lua_State* lua) {
  const int given = lua_gettop(lua);
  if (given < 2) return raise_error(lua, "ERR redis.log() requires two arguments or more.");
  if (!lua_isnumber(lua, 1))
    return raise_error(lua, "ERR First argument must be a number (log level).");
  const auto level = lua_tointeger(lua, 1);
  if (level < lua_Integer(LogLevel::kDebug) || level > lua_Integer(LogLevel::kWarning))
    return raise_error(lua, "ERR Invalid debug level.");
  std::string text;
  for (int i = 2; i <= given; ++i) {
    if (!lua_isstring(lua, i)) continue;
    if (i > 2) text += ' ';
    text.append(text_at(lua, i));
  }
  write_log(LogLevel(level), text);
  return 0;
}

// redis.setresp(2 | 3)
int setresp(lua_State* lua) {
  if (lua_gettop(lua) != 1) return raise_error(lua, "ERR redis.setresp() requires one argument.");
  const auto version = lua_tonumber(lua, 1);
  if (version != 2 && version != 3) return raise_error(lua, "ERR RESP version must be 2 or 3.");
  Interpreter::of(lua).current().spoken = version == 3 ? proto::Resp::k3 : proto::Resp::k2;
  return 0;
}

// redis.set_repl(where): who is told of what the script does from here on
int set_repl(lua_State* lua) {
  if (lua_gettop(lua) != 1) return raise_error(lua, "ERR redis.set_repl() requires two arguments.");
  const auto where = int(lua_tonumber(lua, 1));
  if ((where & ~kReplicateEverywhere) != 0)
    return raise_error(
        lua, "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.");
  Interpreter::of(lua).services().feed.set_audience(Audience(where));
  return 0;
}

int replicate_commands(lua_State* lua) {
  lua_pushboolean(lua, 1);
  return 1;
}

int breakpoint(lua_State* lua) {
  lua_pushboolean(lua, 0);
  return 1;
}

int debug_print(lua_State*) {
  return 0;
}

void set_function(lua_State* lua, Interpreter& interpreter, const char* name,
                  lua_CFunction function) {
  lua_pushlightuserdata(lua, &interpreter);
  lua_pushcclosure(lua, function, 1);
  lua_setfield(lua, -2, name);
}

void add_constants(lua_State* lua) {
  set_field(lua, "LOG_DEBUG", lua_Number(LogLevel::kDebug));
  set_field(lua, "LOG_VERBOSE", lua_Number(LogLevel::kVerbose));
  set_field(lua, "LOG_NOTICE", lua_Number(LogLevel::kNotice));
  set_field(lua, "LOG_WARNING", lua_Number(LogLevel::kWarning));
  set_field(lua, "REDIS_VERSION", std::string_view(kRedisVersion));
  set_field(lua, "REDIS_VERSION_NUM", lua_Number(version_number(kRedisVersion)));
}

}  // namespace

int raise_error(lua_State* lua, std::string_view text) {
  push_error(lua, text);
  return lua_error(lua);
}

void push_loading_library(lua_State* lua, Interpreter& interpreter) {
  lua_newtable(lua);
  set_function(lua, interpreter, "log", write_log);
  add_constants(lua);
}

void push_redis_library(lua_State* lua, Interpreter& interpreter, Dialect dialect) {
  push_loading_library(lua, interpreter);
  set_function(lua, interpreter, "call", redis_call);
  set_function(lua, interpreter, "pcall", redis_pcall);
  set_function(lua, interpreter, "acl_check_cmd", redis_acl_check_cmd);
  set_function(lua, interpreter, "setresp", setresp);
  set_field(lua, "error_reply", error_reply);
  set_field(lua, "status_reply", status_reply);
  set_field(lua, "sha1hex", sha1hex);
  set_function(lua, interpreter, "set_repl", set_repl);
  set_field(lua, "REPL_NONE", lua_Number(kReplicateNowhere));
  set_field(lua, "REPL_AOF", lua_Number(kReplicateToFile));
  set_field(lua, "REPL_SLAVE", lua_Number(kReplicateToReplicas));
  set_field(lua, "REPL_REPLICA", lua_Number(kReplicateToReplicas));
  set_field(lua, "REPL_ALL", lua_Number(kReplicateEverywhere));
  if (dialect == Dialect::kFunctions) return;
  set_field(lua, "replicate_commands", replicate_commands);
  set_field(lua, "breakpoint", breakpoint);
  set_field(lua, "debug", debug_print);
}

}  // namespace millrace::scripting
