// What scripts hand to cmsgpack and struct: the first byte chooses how much of the rest is a
// format.
#include <cstdint>
#include <string_view>

#include "server/scripting/lua.h"

using namespace millrace::scripting;

namespace {

lua_State* with_libraries() {
  lua_State* lua = luaL_newstate();
  lua_pushcfunction(lua, open_message_pack);
  lua_call(lua, 0, 1);
  lua_setglobal(lua, "cmsgpack");
  lua_pushcfunction(lua, open_struct);
  lua_call(lua, 0, 1);
  lua_setglobal(lua, "struct");
  return lua;
}

void call(lua_State* lua, const char* library, const char* function, std::string_view first,
          std::string_view second) {
  lua_getglobal(lua, library);
  lua_getfield(lua, -1, function);
  push_text(lua, first);
  push_text(lua, second);
  lua_pcall(lua, 2, LUA_MULTRET, 0);
  lua_settop(lua, 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static lua_State* lua = with_libraries();
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t format = data[0] % size;
  call(lua, "cmsgpack", "unpack", bytes, {});
  call(lua, "struct", "unpack", bytes.substr(0, format), bytes.substr(format));
  call(lua, "struct", "size", bytes, {});
  call(lua, "struct", "pack", bytes.substr(0, format), bytes.substr(format));
  return 0;
}
