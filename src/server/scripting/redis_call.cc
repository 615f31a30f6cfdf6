// redis.call: a command from a script. Its arguments are views into Lua's strings, its reply is
// written by the handler as for a client and read back into Lua's values.
#include <cmath>

#include "ae/base/decimal.h"
#include "server/acl/acl.h"
#include "server/command/command_runner.h"
#include "server/command/errors.h"
#include "server/command/refusals.h"
#include "server/command/table.h"
#include "server/observe/acl_report.h"
#include "server/observe/command_stats.h"
#include "server/scripting/lua_values.h"
#include "server/scripting/redis_library.h"
#include "server/scripting/scripting.h"

namespace millrace::scripting {
namespace {

constexpr std::string_view kNoArguments =
    "ERR Please specify at least one argument for this redis lib call";
constexpr std::string_view kBadArguments =
    "ERR Lua redis lib command arguments must be strings or integers";
constexpr std::string_view kReadOnly = "ERR Write commands are not allowed from read-only scripts.";

// Lua's own text of a number keeps 14 digits. The string takes the number's place on the stack,
// where it lives as long as the call.
void replace_number(lua_State* lua, int index) {
  const lua_Number number = lua_tonumber(lua, index);
  constexpr lua_Number kLimit = 9223372036854775808.0;  // 2^63
  char text[ae::kMaxDoubleChars];
  size_t size = 0;
  if (number >= -kLimit && number < kLimit && std::floor(number) == number) {
    size = ae::format_int64(int64_t(number), text);
  } else {
    size = ae::format_double(number, text);
  }
  lua_pushlstring(lua, text, size);
  lua_replace(lua, index);
}

// Collects the arguments of a call. Empty: they are good; else why not.
std::string_view collect(lua_State* lua, std::vector<std::string_view>& arguments) {
  arguments.clear();
  const int given = lua_gettop(lua);
  if (given == 0) return kNoArguments;
  for (int i = 1; i <= given; ++i) {
    const int type = lua_type(lua, i);
    if (type == LUA_TNUMBER) {
      replace_number(lua, i);
    } else if (type != LUA_TSTRING) {
      return kBadArguments;
    }
    arguments.push_back(text_at(lua, i));
  }
  return {};
}

// The state of the server does not stop a script that has begun to write: half of it has been done.
std::string write_refusal(const Services& services, const ScriptRun& run) {
  if (run.session.replays) return {};
  std::string error = refusals::of_replication(services.state.facts());
  return error.empty() ? refusals::of_disk(services.state.facts()) : error;
}

// What a script may not run, in the order of Redis. Empty: go on.
std::string refusal(Services& services, const Command* command, const ScriptRun& run,
                    size_t count) {
  if (!command) return "ERR Unknown Redis command called from script";
  const CommandSpec& spec = *command->spec;
  if (!spec.handler && count >= 2) return "ERR Unknown Redis command called from script";
  if (!spec.takes(count)) return "ERR Wrong number of args calling Redis command from script";
  if (!spec.handler) return "ERR Unknown Redis command called from script";
  if (spec.has(kNoScript) && !services.scripting.allows_all())
    return "ERR This Redis command is not allowed from script";
  if (services.state.facts().stale && !spec.has(kStale) && !run.session.replays)
    return "ERR Can not execute the command on a stale replica";
  if (run.read_only && spec.has(kWrite | kMayReplicate)) return std::string(kReadOnly);
  if (run.short_of_memory && !run.allow_oom && !run.has_written && spec.has(kDenyOom))
    return std::string(errors::kOom);
  return spec.has(kWrite) && !run.has_written ? write_refusal(services, run) : std::string();
}

// The script acts for the user who runs it. Empty: he may.
std::string access_denial(Services& services, const Session& session, const Command& command,
                          std::span<const std::string_view> args) {
  const acl::Denial denial = services.acl.check(session, command, args);
  if (!denial.denied()) return {};
  return "ERR ACL failure in script: " +
         log_denial(services, session, {command, args}, denial, acl::Place::kScript);
}

// A command that may not run is one that was refused, as a client's would be.
bool refuse(lua_State* lua, Services& services, const Command* command, std::string_view error) {
  services.stats.count_error(error);
  if (command) ++services.command_stats.row(command->id).rejected;
  push_counted_error(lua, error);
  return false;
}

// Runs the command on the stack of `lua` and pushes its reply. False: it is an error.
bool run_command(lua_State* lua) {
  Interpreter& interpreter = Interpreter::of(lua);
  Services& services = interpreter.services();
  ScriptRun& run = interpreter.current();
  std::vector<std::string_view>& arguments = interpreter.arguments();
  if (const std::string_view error = collect(lua, arguments); !error.empty()) {
    push_error(lua, error);
    return false;
  }
  const Command* command = services.commands.resolve(arguments);
  const std::string refused = refusal(services, command, run, arguments.size());
  if (!refused.empty()) return refuse(lua, services, command, refused);
  if (services.acl.limits(run.session)) {
    const std::string denial = access_denial(services, run.session, *command, arguments);
    if (!denial.empty()) return refuse(lua, services, command, denial);
  }
  if (command->spec->has(kWrite)) run.has_written = true;
  proto::StringSink& bytes = interpreter.reply_bytes();
  bytes.clear();
  proto::ReplyWriter reply(bytes, run.spoken);
  services.runner.run_inner(run.session, *command, arguments, reply, Within::kScript);
  lua_settop(lua, 0);  // as many arguments as the stack holds leave no room for the reply
  push_reply(lua, bytes.view());
  const bool good = !bytes.view().starts_with('-');
  interpreter.trim_reply_bytes();
  return good;
}

}  // namespace

// redis.call(name, argument, ...): an error of the command ends the script
int redis_call(lua_State* lua) {
  if (run_command(lua)) return 1;
  return lua_error(lua);
}

// redis.pcall(name, argument, ...): an error of the command is returned
int redis_pcall(lua_State* lua) {
  run_command(lua);
  return 1;
}

// redis.acl_check_cmd(name, argument, ...): whether the user may run it
int redis_acl_check_cmd(lua_State* lua) {
  Interpreter& interpreter = Interpreter::of(lua);
  std::vector<std::string_view>& arguments = interpreter.arguments();
  const std::string_view error = collect(lua, arguments);
  if (!error.empty()) return raise_error(lua, error);
  const Command* command = interpreter.services().commands.resolve(arguments);
  if (!command || (!command->spec->handler && arguments.size() >= 2))
    return raise_error(lua, "ERR Invalid command passed to redis.acl_check_cmd()");
  const Session& session = interpreter.current().session;
  const Acl& acl = interpreter.services().acl;
  // A request without its arguments has no keys to ask about: it is allowed where all is.
  const bool allowed = command->spec->takes(arguments.size())
                           ? !acl.check(session, *command, arguments).denied()
                           : !acl.limits(session);
  lua_pushboolean(lua, allowed);
  return 1;
}

}  // namespace millrace::scripting
