// Lua 5.1, and the few moves that are made all over this folder.
//
// The library is compiled as C++ (Debian's liblua5.1-c++): a Lua error is an exception that unwinds
// our frames, so destructors run. It never leaves this folder: everything that may raise runs below
// a lua_pcall (interpreter.cc).
#pragma once

#include <lua.hpp>

#include <string_view>

extern "C" {
int luaopen_cjson(lua_State* lua);
int luaopen_bit(lua_State* lua);
}

namespace millrace::scripting {

inline void push_text(lua_State* lua, std::string_view text) {
  lua_pushlstring(lua, text.data(), text.size());
}

// The string at `index`, which is one: lua_tolstring would turn a number into a string in place.
inline std::string_view text_at(lua_State* lua, int index) {
  size_t size = 0;
  const char* data = lua_tolstring(lua, index, &size);
  return {data, size};
}

// table.name = text, for the table on top.
inline void set_field(lua_State* lua, const char* name, std::string_view text) {
  push_text(lua, text);
  lua_setfield(lua, -2, name);
}
inline void set_field(lua_State* lua, const char* name, lua_Number number) {
  lua_pushnumber(lua, number);
  lua_setfield(lua, -2, name);
}
inline void set_field(lua_State* lua, const char* name, lua_CFunction function) {
  lua_pushcfunction(lua, function);
  lua_setfield(lua, -2, name);
}

// The libraries that are ours; each leaves its table on the stack.
int open_struct(lua_State* lua);
int open_message_pack(lua_State* lua);

}  // namespace millrace::scripting
