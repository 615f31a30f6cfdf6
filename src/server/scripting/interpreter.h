// A Lua interpreter in its sandbox, and how source becomes a function that becomes a reply. There
// are two, which share nothing: one for EVAL's scripts, one for functions.
//
//   Interpreter lua(services, Dialect::kScripts, prng);
//   auto chunk = lua.compile("return redis.call('get', KEYS[1])", "@user_script");
//   lua.run(*chunk, run, keys, arguments, context);
//
// Thread: the one that runs commands. One script runs at a time: a script cannot run another.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proto/byte_sink.h"
#include "server/command/context.h"
#include "server/scripting/lua.h"
#include "server/scripting/prng.h"
#include "server/scripting/script_run.h"

namespace millrace::scripting {

// The clock by which scripts are measured.
int64_t monotonic_ns();

enum class Dialect : uint8_t { kScripts, kFunctions };

// A function kept in the interpreter; to be given back with release().
using FunctionRef = int;

class Interpreter {
 public:
  struct Compiled {
    std::optional<FunctionRef> function;
    std::string error;  // if there is none: Lua's words
  };

  Interpreter(Services& services, Dialect dialect, Prng& prng);

  Compiled compile(std::string_view source, const char* chunk_name);
  void release(FunctionRef function) { luaL_unref(lua_.get(), LUA_REGISTRYINDEX, function); }

  // Runs a function and writes its one reply, an error if it failed. Scripts find keys and
  // arguments in KEYS and ARGV, functions get them as their two arguments.
  void run(FunctionRef function, ScriptRun& run, std::span<const std::string_view> keys,
           std::span<const std::string_view> arguments, Context& context);

  // Runs the body of a library, which sees nothing but `redis`, with the table that
  // `push_redis` pushes. Nothing: it ended well; else why not.
  std::optional<std::string> run_library(FunctionRef body, lua_CFunction register_function,
                                         void* registrar);

  size_t memory_bytes() const;

  // --- for the functions that scripts call

  static Interpreter& of(lua_State* lua) {
    return *static_cast<Interpreter*>(lua_touserdata(lua, lua_upvalueindex(1)));
  }
  Services& services() { return services_; }
  ScriptRun& current() { return *run_; }
  // The registrar of the library whose body runs; null at any other time.
  void* loading() const { return loading_; }
  // Scratch that outlives a call, so that redis.call allocates nothing once it is warm.
  std::vector<std::string_view>& arguments() { return arguments_; }
  proto::StringSink& reply_bytes() { return *reply_bytes_; }
  // A great reply's memory is not kept.
  void trim_reply_bytes();

 private:
  struct Close {
    void operator()(lua_State* lua) const { lua_close(lua); }
  };

  static void on_count(lua_State* lua, lua_Debug*);
  void look_at_library(lua_State* lua) const;
  void end_killed(lua_State* lua);
  void reply_error(const ScriptRun& run, Context& context);

  Services& services_;
  Dialect dialect_;
  std::unique_ptr<lua_State, Close> lua_;
  FunctionRef globals_ = LUA_NOREF;       // the table behind the face
  FunctionRef globals_face_ = LUA_NOREF;  // the metatable of the face
  FunctionRef error_handler_ = LUA_NOREF;
  ScriptRun* run_ = nullptr;
  void* loading_ = nullptr;
  int64_t library_deadline_ns_ = 0;
  std::vector<std::string_view> arguments_;
  std::unique_ptr<proto::StringSink> reply_bytes_ = std::make_unique<proto::StringSink>();
};

}  // namespace millrace::scripting
