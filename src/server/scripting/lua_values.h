// Replies become Lua values, and what a script returns becomes a reply.
//
//   reply                    Lua                          Lua                      reply
//   integer                  number                       number                   integer,
//   truncated bulk                     string                       string                   bulk
//   status                   {ok = text}                  {ok = text}              status
//   error                    {err = text}                 {err = text}             error
//   array                    {v1, v2, ...}                {v1, v2, ..., nil}       array up to the
//   nil RESP2 null               false                        false                    null RESP3
//   null               nil                          nil                      null boolean true,
//   false                  true                     1; RESP3 boolean double {double = n} {double =
//   n}             double map, set                 {map = t}, {set = t}         {map = t}, {set =
//   t}     map, set (its keys) big number               {big_number = text}          the same big
//   number verbatim                 {verbatim_string = {format = f, string = s}}          the same
//
// RESP3's forms come and go only after redis.setresp(3); a double that a script makes is one
// always, and the writer knows what the client understands.
#pragma once

#include <string_view>

#include "proto/reply_writer.h"
#include "server/command/context.h"
#include "server/scripting/lua.h"

namespace millrace::scripting {

// Pushes the one reply that `bytes` hold. They are our own writer's, and trusted.
void push_reply(lua_State* lua, std::string_view bytes);

// Pushes {err = text}, `text` with its code. The error table of what errorstats has counted has a
// mark, so that it is not counted once more when the script fails by it or returns it.
inline constexpr const char* kCountedField = "ignore_error_stats_update";
void push_error(lua_State* lua, std::string_view text);
void push_counted_error(lua_State* lua, std::string_view text);
// Whether the table on top has the field.
bool has_field(lua_State* lua, const char* name);

// Writes the value on top as one reply and pops it. `spoken`: what redis.setresp chose. An error in
// it is one of the command.
void write_value(lua_State* lua, Context& context, proto::Resp spoken);

}  // namespace millrace::scripting
