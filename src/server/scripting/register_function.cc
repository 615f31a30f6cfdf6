// redis.register_function, in both forms:
//
//   redis.register_function('name', function(keys, args) ... end)
//   redis.register_function{function_name = 'name', callback = f, description = 't', flags = {...}}
#include "server/scripting/function_registry.h"
#include "server/scripting/redis_library.h"

namespace millrace::scripting {
namespace {

struct Registration {
  std::optional<std::string> name;
  std::optional<std::string> description;
  int callback = 0;  // its position on the stack
  ScriptFlags flags = 0;
};

void read_flags(lua_State* lua, Registration& registration) {
  if (!lua_istable(lua, -1))
    raise_error(lua,
                "ERR flags argument to redis.register_function must be a table representing "
                "function flags");
  for (int i = 1;; ++i) {
    lua_rawgeti(lua, -1, i);
    if (lua_isnil(lua, -1)) break;
    const ScriptFlags flag = lua_type(lua, -1) == LUA_TSTRING ? flag_of(text_at(lua, -1)) : 0;
    if (flag == 0) raise_error(lua, "ERR unknown flag given");
    registration.flags |= flag;
    lua_pop(lua, 1);
  }
  lua_pop(lua, 1);
}

std::string text_argument(lua_State* lua, std::string_view complaint) {
  if (!lua_isstring(lua, -1)) raise_error(lua, complaint);
  return std::string(text_at(lua, -1));
}

// One field of the table: its key is below its value, which is on top.
void read_field(lua_State* lua, Registration& registration) {
  if (lua_type(lua, -2) != LUA_TSTRING)
    raise_error(lua, "ERR unknown argument given to redis.register_function");
  const std::string_view key = text_at(lua, -2);
  if (equals_ignoring_case(key, "function_name")) {
    registration.name = text_argument(
        lua, "ERR function_name argument given to redis.register_function must be a string");
  } else if (equals_ignoring_case(key, "description")) {
    registration.description = text_argument(
        lua, "ERR description argument given to redis.register_function must be a string");
  } else if (equals_ignoring_case(key, "callback")) {
    if (!lua_isfunction(lua, -1))
      raise_error(lua, "ERR callback argument given to redis.register_function must be a function");
    lua_pushvalue(lua, -1);
    lua_replace(lua, 2);
    registration.callback = 2;
  } else if (equals_ignoring_case(key, "flags")) {
    read_flags(lua, registration);
  } else {
    raise_error(lua, "ERR unknown argument given to redis.register_function");
  }
}

Registration read_table(lua_State* lua) {
  if (!lua_istable(lua, 1))
    raise_error(lua,
                "ERR calling redis.register_function with a single argument is only applicable to "
                "Lua table (representing named arguments).");
  Registration registration;
  lua_settop(lua, 2);  // the second place waits for the callback
  for (lua_pushnil(lua); lua_next(lua, 1) != 0; lua_pop(lua, 1)) read_field(lua, registration);
  if (!registration.name)
    raise_error(lua, "ERR redis.register_function must get a function name argument");
  if (registration.callback == 0)
    raise_error(lua, "ERR redis.register_function must get a callback argument");
  return registration;
}

Registration read_pair(lua_State* lua) {
  if (!lua_isstring(lua, 1))
    raise_error(lua, "ERR first argument to redis.register_function must be a string");
  if (!lua_isfunction(lua, 2))
    raise_error(lua, "ERR second argument to redis.register_function must be a function");
  Registration registration;
  registration.name = text_at(lua, 1);
  registration.callback = 2;
  return registration;
}

}  // namespace

int register_function(lua_State* lua) {
  const int given = lua_gettop(lua);
  if (given < 1 || given > 2)
    return raise_error(lua, "ERR wrong number of arguments to redis.register_function");
  auto* loading = static_cast<Library*>(Interpreter::of(lua).loading());
  if (!loading)  // a function has kept it
    return raise_error(lua,
                       "ERR redis.register_function can only be called on FUNCTION LOAD command");
  Library& library = *loading;
  Registration registration = given == 1 ? read_table(lua) : read_pair(lua);
  if (!is_good_name(*registration.name))
    return raise_error(lua,
                       "ERR Library names can only contain letters, numbers, or underscores(_) and "
                       "must be at least one character long");
  if (library.find(*registration.name))
    return raise_error(lua, "ERR Function already exists in the library");
  lua_pushvalue(lua, registration.callback);
  auto function = std::make_unique<Function>();
  function->name = std::move(*registration.name);
  function->description = std::move(registration.description);
  function->flags = registration.flags;
  function->function = luaL_ref(lua, LUA_REGISTRYINDEX);
  library.functions.push_back(std::move(function));
  return 0;
}

}  // namespace millrace::scripting
