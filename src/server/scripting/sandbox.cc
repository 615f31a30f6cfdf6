#include "server/scripting/sandbox.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <string>

namespace millrace::scripting {
namespace {

constexpr const char* kAllowedNames[] = {
    "_VERSION", "assert",   "error",    "gcinfo", "ipairs", "rawequal",
    "select",   "tonumber", "tostring", "type",   "unpack", "xpcall",
};
constexpr const char* kReadOnly = "Attempt to modify a readonly table";
// Precompiled code is not verified by Lua and can reach any memory.
constexpr char kBytecodeMark = '\x1b';
// A reader given to load() may never say that it has reached the end.
constexpr size_t kMostSourceBytes = 64 * 1024 * 1024;

char face_mark;  // its address is the key

// --- faces

// Pushes the table behind the face at `index`; nothing if it is none.
bool push_real(lua_State* lua, int index) {
  if (!lua_istable(lua, index) || !lua_getmetatable(lua, index)) return false;
  lua_pushlightuserdata(lua, &face_mark);
  lua_rawget(lua, -2);
  lua_remove(lua, -2);
  if (!lua_isnil(lua, -1)) return true;
  lua_pop(lua, 1);
  return false;
}

void look_behind_face(lua_State* lua) {
  if (push_real(lua, 1)) lua_replace(lua, 1);
}

void refuse_face(lua_State* lua) {
  if (!push_real(lua, 1)) return;
  lua_pushstring(lua, kReadOnly);
  lua_error(lua);
}

int refuse_write(lua_State* lua) {
  return luaL_error(lua, kReadOnly);
}

int refuse_missing(lua_State* lua) {
  const char* name = lua_tostring(lua, 2);
  return luaL_error(lua, "Script attempted to access nonexistent global variable '%s'",
                    name ? name : "?");
}

// --- the base library's functions that look past metatables

int base_next(lua_State* lua) {
  look_behind_face(lua);
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_settop(lua, 2);
  if (lua_next(lua, 1)) return 2;
  lua_pushnil(lua);
  return 1;
}

// Upvalues: Lua's own next, which is faster, and ours.
int base_pairs(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  const bool is_face = push_real(lua, 1);
  lua_settop(lua, 1);
  lua_pushvalue(lua, lua_upvalueindex(is_face ? 2 : 1));
  lua_insert(lua, 1);
  lua_pushnil(lua);
  return 3;
}

int base_rawget(lua_State* lua) {
  look_behind_face(lua);
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_checkany(lua, 2);
  lua_settop(lua, 2);
  lua_rawget(lua, 1);
  return 1;
}

int base_rawset(lua_State* lua) {
  refuse_face(lua);
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_checkany(lua, 2);
  luaL_checkany(lua, 3);
  lua_settop(lua, 3);
  lua_rawset(lua, 1);
  return 1;
}

int base_setmetatable(lua_State* lua) {
  refuse_face(lua);
  luaL_checktype(lua, 1, LUA_TTABLE);
  const int type = lua_type(lua, 2);
  luaL_argcheck(lua, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table expected");
  if (luaL_getmetafield(lua, 1, "__metatable"))
    return luaL_error(lua, "cannot change a protected metatable");
  lua_settop(lua, 2);
  lua_setmetatable(lua, 1);
  return 1;
}

int base_getmetatable(lua_State* lua) {
  luaL_checkany(lua, 1);
  lua_settop(lua, 1);
  if (push_real(lua, 1)) {  // what a face is made of is not shown: a table that takes no writes
    lua_newtable(lua);
    protect(lua);
    return 1;
  }
  if (!lua_getmetatable(lua, 1)) {
    lua_pushnil(lua);
    return 1;
  }
  luaL_getmetafield(lua, 1, "__metatable");
  return 1;
}

// As Lua's, but an error that is a table with a text is given as that text.
int base_pcall(lua_State* lua) {
  luaL_checkany(lua, 1);
  const bool failed = lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0) != 0;
  if (failed && lua_istable(lua, -1)) {
    lua_getfield(lua, -1, "err");
    lua_isstring(lua, -1) ? lua_replace(lua, -2) : lua_pop(lua, 1);
  }
  luaL_checkstack(lua, 1, "too many results");
  lua_pushboolean(lua, !failed);
  lua_insert(lua, 1);
  return lua_gettop(lua);
}

// As Lua's, but nobody stops or slows the collector for the scripts that come after.
int base_collectgarbage(lua_State* lua) {
  const std::string_view option = luaL_optstring(lua, 1, "collect");
  if (option == "collect") {
    lua_pushinteger(lua, lua_gc(lua, LUA_GCCOLLECT, 0));
  } else if (option == "count") {
    lua_pushnumber(lua, lua_gc(lua, LUA_GCCOUNT, 0) + lua_gc(lua, LUA_GCCOUNTB, 0) / 1024.0);
  } else if (option == "step") {
    lua_pushboolean(lua, lua_gc(lua, LUA_GCSTEP, int(luaL_optinteger(lua, 2, 0))));
  } else {
    return luaL_error(lua, "collectgarbage knows 'collect', 'count' and 'step' here");
  }
  return 1;
}

// --- source to functions

int fail_with(lua_State* lua, const char* reason) {
  lua_pushnil(lua);
  lua_pushstring(lua, reason);
  return 2;
}

int load_source(lua_State* lua, std::string_view source, const char* name) {
  if (!source.empty() && source[0] == kBytecodeMark)
    return fail_with(lua, "bytecode is not loaded here");
  if (luaL_loadbuffer(lua, source.data(), source.size(), name) == 0) return 1;
  lua_pushnil(lua);
  lua_insert(lua, -2);
  return 2;
}

// loadstring(source [, name])
int base_loadstring(lua_State* lua) {
  luaL_checkstring(lua, 1);
  const std::string_view source = text_at(lua, 1);
  return load_source(lua, source, luaL_optstring(lua, 2, source.data()));
}

// load(reader [, name]): pieces until nil or an empty one
int base_load(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TFUNCTION);
  const char* name = luaL_optstring(lua, 2, "=(load)");
  lua_settop(lua, 2);
  std::string source;
  for (;; lua_settop(lua, 2)) {
    lua_pushvalue(lua, 1);
    if (lua_pcall(lua, 0, 1, 0) != 0) {
      lua_pushnil(lua);
      lua_insert(lua, -2);
      return 2;
    }
    if (lua_isnil(lua, -1)) break;
    if (!lua_isstring(lua, -1)) return fail_with(lua, "reader function must return a string");
    const std::string_view piece = text_at(lua, -1);
    if (piece.empty()) break;
    if (source.size() + piece.size() > kMostSourceBytes)
      return fail_with(lua, "the source is too long");
    source.append(piece);
  }
  return load_source(lua, source, name);
}

// --- math and os

Prng& prng_of(lua_State* lua) {
  return *static_cast<Prng*>(lua_touserdata(lua, lua_upvalueindex(1)));
}

// math.random([m [, n]])
int math_random(lua_State* lua) {
  const lua_Number fraction = lua_Number(prng_of(lua).next()) / Prng::kLimit;
  switch (lua_gettop(lua)) {
    case 0:
      lua_pushnumber(lua, fraction);
      return 1;
    case 1: {
      const int upper = int(luaL_checkinteger(lua, 1));
      luaL_argcheck(lua, 1 <= upper, 1, "interval is empty");
      lua_pushnumber(lua, std::floor(fraction * upper) + 1);
      return 1;
    }
    case 2: {
      const int lower = int(luaL_checkinteger(lua, 1));
      const int upper = int(luaL_checkinteger(lua, 2));
      luaL_argcheck(lua, lower <= upper, 2, "interval is empty");
      const lua_Number width = lua_Number(upper) - lower + 1;
      lua_pushnumber(lua, std::floor(fraction * width) + lower);
      return 1;
    }
    default:
      return luaL_error(lua, "wrong number of arguments");
  }
}

int math_randomseed(lua_State* lua) {
  prng_of(lua).seed(int32_t(luaL_checkinteger(lua, 1)));
  return 0;
}

int os_clock(lua_State* lua) {
  lua_pushnumber(lua, lua_Number(std::clock()) / CLOCKS_PER_SEC);
  return 1;
}

void set_prng_function(lua_State* lua, const char* name, lua_CFunction function, Prng& prng) {
  lua_pushlightuserdata(lua, &prng);
  lua_pushcclosure(lua, function, 1);
  lua_setfield(lua, -2, name);
}

// --- putting it together; `globals` is the position of the table scripts will see

// --- functions of Debian's libraries that a script could crash the server with

// Lua 5.1's unpack counts its results in an int, which indexes far apart overflow.
int base_unpack(lua_State* lua) {
  look_behind_face(lua);
  luaL_checktype(lua, 1, LUA_TTABLE);
  const int first = luaL_optint(lua, 2, 1);
  const int last = luaL_opt(lua, luaL_checkint, 3, int(lua_objlen(lua, 1)));
  if (first > last) return 0;
  const int64_t count = int64_t(last) - first + 1;
  if (count >= LUAI_MAXCSTACK || !lua_checkstack(lua, int(count)))
    return luaL_error(lua, "too many results to unpack");
  for (int64_t i = first; i <= last; ++i) lua_rawgeti(lua, 1, int(i));
  return int(count);
}

// The bit library's tohex negates its number of digits, which the smallest int does not survive.
// Upvalue: that function.
int bit_tohex(lua_State* lua) {
  constexpr int32_t kMostDigits = 8;
  lua_settop(lua, lua_gettop(lua) > 2 ? 2 : lua_gettop(lua));
  if (lua_gettop(lua) == 2) {
    const lua_Number wrapped = std::fmod(luaL_checknumber(lua, 2), 4294967296.0);  // 2^32
    const auto digits = std::isfinite(wrapped) ? int32_t(uint32_t(int64_t(wrapped))) : kMostDigits;
    lua_pushinteger(lua, std::clamp(digits, -kMostDigits, kMostDigits));
    lua_replace(lua, 2);
  }
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, lua_gettop(lua) - 1, 1);
  return 1;
}

void guard_tohex(lua_State* lua) {
  lua_getglobal(lua, "bit");
  lua_getfield(lua, -1, "tohex");
  lua_pushcclosure(lua, bit_tohex, 1);
  lua_setfield(lua, -2, "tohex");
  lua_pop(lua, 1);
}

void open(lua_State* lua, lua_CFunction library) {
  lua_pushcfunction(lua, library);
  lua_call(lua, 0, 0);
}

void add_base_functions(lua_State* lua) {
  for (const char* name : kAllowedNames) {
    lua_getglobal(lua, name);
    lua_setfield(lua, -2, name);
  }
  set_field(lua, "next", base_next);
  set_field(lua, "rawget", base_rawget);
  set_field(lua, "rawset", base_rawset);
  set_field(lua, "setmetatable", base_setmetatable);
  set_field(lua, "getmetatable", base_getmetatable);
  set_field(lua, "pcall", base_pcall);
  set_field(lua, "unpack", base_unpack);
  set_field(lua, "collectgarbage", base_collectgarbage);
  set_field(lua, "load", base_load);
  set_field(lua, "loadstring", base_loadstring);
  lua_getglobal(lua, "next");
  lua_pushcfunction(lua, base_next);
  lua_pushcclosure(lua, base_pairs, 2);
  lua_setfield(lua, -2, "pairs");
}

// globals.name = the face of the table on top, which is taken.
void add_library(lua_State* lua, const char* name) {
  protect(lua);
  lua_setfield(lua, -2, name);
}

void add_opened_library(lua_State* lua, const char* name) {
  lua_getglobal(lua, name);
  add_library(lua, name);
}

void add_new_library(lua_State* lua, const char* name, lua_CFunction open_library) {
  lua_pushcfunction(lua, open_library);
  lua_call(lua, 0, 1);
  add_library(lua, name);
}

// ("x"):upper() finds the string library through the metatable of strings, which all scripts share.
void protect_string_metatable(lua_State* lua) {
  lua_pushliteral(lua, "");
  lua_getmetatable(lua, -1);
  lua_getfield(lua, -3, "string");
  lua_setfield(lua, -2, "__index");
  lua_pushvalue(lua, -1);
  protect(lua);
  lua_setfield(lua, -2, "__metatable");
  lua_pop(lua, 2);
}

}  // namespace

void protect(lua_State* lua) {
  lua_newtable(lua);  // the face
  lua_createtable(lua, 0, 3);
  lua_pushvalue(lua, -3);
  lua_setfield(lua, -2, "__index");
  set_field(lua, "__newindex", refuse_write);
  lua_pushlightuserdata(lua, &face_mark);
  lua_pushvalue(lua, -4);
  lua_rawset(lua, -3);
  lua_setmetatable(lua, -2);
  lua_remove(lua, -2);
}

void refuse_missing_fields(lua_State* lua) {
  lua_createtable(lua, 0, 1);
  set_field(lua, "__index", refuse_missing);
  lua_setmetatable(lua, -2);
}

void open_sandbox(lua_State* lua, Prng& prng) {
  for (const lua_CFunction library : {luaopen_base, luaopen_table, luaopen_string, luaopen_math})
    open(lua, library);
  open(lua, luaopen_bit);
  guard_tohex(lua);
  lua_getglobal(lua, "math");
  set_prng_function(lua, "random", math_random, prng);
  set_prng_function(lua, "randomseed", math_randomseed, prng);
  lua_pop(lua, 1);

  lua_newtable(lua);
  add_base_functions(lua);
  for (const char* name : {"string", "table", "math", "bit", "coroutine"})
    add_opened_library(lua, name);
  protect_string_metatable(lua);
  add_new_library(lua, "cjson", luaopen_cjson);
  add_new_library(lua, "cmsgpack", open_message_pack);
  add_new_library(lua, "struct", open_struct);
  lua_createtable(lua, 0, 1);
  set_field(lua, "clock", os_clock);
  add_library(lua, "os");
}

void seal_globals(lua_State* lua) {
  refuse_missing_fields(lua);
  lua_pushvalue(lua, -1);
  protect(lua);
  lua_pushvalue(lua, -1);
  lua_setfield(lua, -3, "_G");
  lua_pushvalue(lua, -1);
  lua_replace(lua, LUA_GLOBALSINDEX);
  lua_getmetatable(lua, -1);
  lua_replace(lua, -3);
  lua_pop(lua, 1);
}

}  // namespace millrace::scripting
