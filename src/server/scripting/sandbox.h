// What a script finds in its interpreter: the globals that Redis allows, and no others, none of
// which it can change.
//
// Lua 5.1 has no read-only tables. What looks like one is an empty table, a face, whose metatable
// leads reads to the real table and writes to an error:
//
//   face {}  --metatable-->  {__index = real, __newindex = refuse, [mark] = real}
//
// The functions that look past a metatable (next, pairs, rawget, rawset, setmetatable,
// getmetatable) are ours and know faces. The globals are a face too; behind it, a missing name is
// an error rather than nil.
#pragma once

#include "server/scripting/lua.h"
#include "server/scripting/prng.h"

namespace millrace::scripting {

// Opens the libraries and pushes the table of the allowed globals, for additions.
void open_sandbox(lua_State* lua, Prng& prng);

// Takes a table from the top and pushes its face.
void protect(lua_State* lua);

// Makes a missing field of the table on top an error.
void refuse_missing_fields(lua_State* lua);

// Takes the table of globals from the top and puts its face into force. The metatable stays on the
// stack: its __index decides what scripts see.
void seal_globals(lua_State* lua);

}  // namespace millrace::scripting
