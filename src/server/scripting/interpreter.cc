#include "server/scripting/interpreter.h"

#include <cstring>
#include <ctime>

#include "server/observe/log.h"
#include "server/scripting/lua_values.h"
#include "server/scripting/redis_library.h"
#include "server/scripting/sandbox.h"
#include "server/scripting/scripting.h"

namespace millrace::scripting {
namespace {

// redis.call's buffer after a great reply.
constexpr size_t kKeptReplyBytes = 64 * 1024;

// The body of a library only registers functions.
constexpr int64_t kMostLibraryNs = 500'000'000;
// A millisecond or less.
constexpr int kInstructionsPerLook = 100'000;

char interpreter_key;  // its address is the key in the registry

// Whose line is to blame: a C function has none, so its caller's is.
bool find_culprit(lua_State* lua, lua_Debug& place) {
  for (int level = 1; level <= 2 && lua_getstack(lua, level, &place); ++level) {
    lua_getinfo(lua, "nSl", &place);
    if (std::strcmp(place.what, "C") != 0) return true;
  }
  return false;
}

void push_error_text(lua_State* lua) {
  if (lua_isstring(lua, 1)) {
    lua_pushfstring(lua, "ERR %s", lua_tostring(lua, 1));
  } else if (lua_isboolean(lua, 1)) {
    lua_pushfstring(lua, "ERR %s", lua_toboolean(lua, 1) ? "true" : "false");
  } else if (lua_isnil(lua, 1)) {
    lua_pushliteral(lua, "ERR nil");
  } else {
    lua_pushfstring(lua, "ERR %s: %p", luaL_typename(lua, 1), lua_topointer(lua, 1));
  }
}

// Every error becomes a table {err = text, source = file, line = number} while the stack still
// shows where it came from.
int handle_error(lua_State* lua) {
  if (!lua_istable(lua, 1)) {
    push_error_text(lua);
    lua_createtable(lua, 0, 3);
    lua_insert(lua, -2);
    lua_setfield(lua, -2, "err");
    lua_replace(lua, 1);
  }
  lua_settop(lua, 1);
  lua_Debug place;
  if (!find_culprit(lua, place)) return 1;
  set_field(lua, "source", std::string_view(place.source));
  set_field(lua, "line", lua_Number(place.currentline));
  return 1;
}

void push_texts(lua_State* lua, std::span<const std::string_view> texts) {
  lua_createtable(lua, int(texts.size()), 0);
  int position = 0;
  for (const std::string_view text : texts) {
    push_text(lua, text);
    lua_rawseti(lua, -2, ++position);
  }
}

// The text of a field of the error table on top; nothing: it has none.
std::optional<std::string> field_text(lua_State* lua, const char* name) {
  lua_pushstring(lua, name);
  lua_rawget(lua, -2);
  std::optional<std::string> text;
  if (lua_isstring(lua, -1)) text = text_at(lua, -1);
  lua_pop(lua, 1);
  return text;
}

}  // namespace

int64_t monotonic_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

Interpreter::Interpreter(Services& services, Dialect dialect, Prng& prng)
    : services_(services), dialect_(dialect), lua_(luaL_newstate()) {
  AE_ASSERT(lua_ != nullptr);
  lua_State* lua = lua_.get();
  open_sandbox(lua, prng);
  push_redis_library(lua, *this, dialect);
  protect(lua);
  lua_setfield(lua, -2, "redis");
  lua_pushvalue(lua, -1);
  globals_ = luaL_ref(lua, LUA_REGISTRYINDEX);
  seal_globals(lua);
  globals_face_ = luaL_ref(lua, LUA_REGISTRYINDEX);
  lua_pushlightuserdata(lua, &interpreter_key);
  lua_pushlightuserdata(lua, this);
  lua_rawset(lua, LUA_REGISTRYINDEX);
  lua_sethook(lua, on_count, LUA_MASKCOUNT, kInstructionsPerLook);
  lua_pushcfunction(lua, handle_error);
  error_handler_ = luaL_ref(lua, LUA_REGISTRYINDEX);
}

Interpreter::Compiled Interpreter::compile(std::string_view source, const char* chunk_name) {
  lua_State* lua = lua_.get();
  constexpr char kBytecodeMark = '\x1b';
  if (!source.empty() && source[0] == kBytecodeMark) return {{}, "bytecode is not loaded here"};
  if (luaL_loadbuffer(lua, source.data(), source.size(), chunk_name) == 0)
    return {luaL_ref(lua, LUA_REGISTRYINDEX), {}};
  Compiled failed{{}, std::string(text_at(lua, -1))};
  lua_pop(lua, 1);
  return failed;
}

void Interpreter::run(FunctionRef function, ScriptRun& run, std::span<const std::string_view> keys,
                      std::span<const std::string_view> arguments, Context& context) {
  lua_State* lua = lua_.get();
  const uint8_t db = run.session.db;
  run_ = &run;
  lua_rawgeti(lua, LUA_REGISTRYINDEX, error_handler_);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, function);
  int given = 0;
  if (dialect_ == Dialect::kScripts) {
    lua_rawgeti(lua, LUA_REGISTRYINDEX, globals_);
    push_texts(lua, keys);
    lua_setfield(lua, -2, "KEYS");
    push_texts(lua, arguments);
    lua_setfield(lua, -2, "ARGV");
    lua_pop(lua, 1);
  } else {
    push_texts(lua, keys);
    push_texts(lua, arguments);
    given = 2;
  }
  const bool failed = lua_pcall(lua, given, 1, -2 - given) != 0;
  run_ = nullptr;
  if (run.killed) lua_sethook(lua, on_count, LUA_MASKCOUNT, kInstructionsPerLook);
  run.session.db = db;  // SELECT within a script is its own affair
  failed ? reply_error(run, context) : write_value(lua, context, run.spoken);
  lua_settop(lua, 0);
}

// The error table is on top; Lua's own "not enough memory" and the like may be strings.
void Interpreter::reply_error(const ScriptRun& run, Context& context) {
  lua_State* lua = lua_.get();
  if (!lua_istable(lua, -1)) {
    const char* text = lua_tostring(lua, -1);
    context.fail(std::string("ERR ") + (text ? text : "unknown error"));
    return;
  }
  const bool counted = has_field(lua, kCountedField);
  std::string text = field_text(lua, "err").value_or("ERR unknown error");
  text.append(" script: ").append(run.name);
  const auto source = field_text(lua, "source");
  const auto line = field_text(lua, "line");
  if (source && line) text.append(", on ").append(*source).append(":").append(*line).append(".");
  counted ? context.fail_counted(text) : context.fail(text);
}

// Coroutines inherit the hook.
void Interpreter::on_count(lua_State* lua, lua_Debug*) {
  lua_pushlightuserdata(lua, &interpreter_key);
  lua_rawget(lua, LUA_REGISTRYINDEX);
  auto* self = static_cast<Interpreter*>(lua_touserdata(lua, -1));
  lua_pop(lua, 1);
  if (!self->run_) return self->look_at_library(lua);
  if (self->services_.scripting.look_at(*self->run_)) self->end_killed(lua);
}

void Interpreter::look_at_library(lua_State* lua) const {
  if (monotonic_ns() > library_deadline_ns_) raise_error(lua, "ERR FUNCTION LOAD timeout");
}

// From now on every instruction fails, so that the script cannot catch the error and go on.
void Interpreter::end_killed(lua_State* lua) {
  log::warning("Lua script killed by user with SCRIPT KILL.");
  lua_sethook(lua, on_count, LUA_MASKCOUNT, 1);
  raise_error(lua, "ERR Script killed by user with SCRIPT KILL...");
}

std::optional<std::string> Interpreter::run_library(FunctionRef body,
                                                    lua_CFunction register_function,
                                                    void* registrar) {
  lua_State* lua = lua_.get();
  lua_rawgeti(lua, LUA_REGISTRYINDEX, error_handler_);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, body);
  lua_newtable(lua);  // what the globals look like meanwhile
  push_loading_library(lua, *this);
  lua_pushlightuserdata(lua, this);
  lua_pushcclosure(lua, register_function, 1);
  lua_setfield(lua, -2, "register_function");
  refuse_missing_fields(lua);
  protect(lua);
  lua_setfield(lua, -2, "redis");
  refuse_missing_fields(lua);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, globals_face_);
  lua_insert(lua, -2);
  lua_setfield(lua, -2, "__index");
  lua_pop(lua, 1);
  loading_ = registrar;
  library_deadline_ns_ = monotonic_ns() + kMostLibraryNs;
  const bool failed = lua_pcall(lua, 0, 0, -2) != 0;
  loading_ = nullptr;
  lua_rawgeti(lua, LUA_REGISTRYINDEX, globals_face_);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, globals_);
  lua_setfield(lua, -2, "__index");
  lua_pop(lua, 1);
  std::optional<std::string> error;
  if (failed) {
    error = lua_istable(lua, -1) ? field_text(lua, "err") : std::nullopt;
    if (!error) error = "ERR unknown error";
  }
  lua_settop(lua, 0);
  return error;
}

void Interpreter::trim_reply_bytes() {
  if (reply_bytes_->view().size() <= kKeptReplyBytes) return;
  reply_bytes_ = std::make_unique<proto::StringSink>();
}

size_t Interpreter::memory_bytes() const {
  return size_t(lua_gc(lua_.get(), LUA_GCCOUNT, 0)) * 1024 +
         size_t(lua_gc(lua_.get(), LUA_GCCOUNTB, 0));
}

}  // namespace millrace::scripting
