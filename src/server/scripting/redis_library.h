// The table `redis`: what a script can say to the server.
//
//   redis.call(...) redis.pcall(...)            run a command
//   redis.error_reply(t) redis.status_reply(t)  make replies
//   redis.log(level, ...) redis.sha1hex(s) redis.setresp(v) redis.acl_check_cmd(...)
//
// and what is accepted because scripts written for older releases say it: replicate_commands,
// set_repl; breakpoint and debug, which do nothing where there is no debugger.
#pragma once

#include "server/scripting/interpreter.h"

namespace millrace::scripting {

// Pushes the table, not yet protected.
void push_redis_library(lua_State* lua, Interpreter& interpreter, Dialect dialect);

// The part of it that the body of a library may use while it is loaded.
void push_loading_library(lua_State* lua, Interpreter& interpreter);

// redis.call, redis.pcall, redis.acl_check_cmd (redis_call.cc)
int redis_call(lua_State* lua);
int redis_pcall(lua_State* lua);
int redis_acl_check_cmd(lua_State* lua);

// Raises {err = "ERR ..."}.
int raise_error(lua_State* lua, std::string_view text);

}  // namespace millrace::scripting
