// The data as commands that make it anew: what the base of an append-only file is made of when
// `aof-use-rdb-preamble` is off.
//
//   SELECT 0
//   RPUSH list a b c          collections in pieces of kElementsPerCommand
//   PEXPIREAT list 1700000000000
//
// Functions come first. A stream is its entries, then XSETID for what entries do not tell, then its
// groups with their consumers and what these have pending; a pending entry that the stream has no
// longer does not come back, as in Redis.
//
// Thread: one that has the data to itself: a child process, or the loop. Errors: the sink's.
#pragma once

#include "ae/base/result.h"
#include "server/db/databases.h"
#include "server/persist/byte_stream.h"
#include "server/persist/key_delay.h"

namespace millrace {

namespace scripting {
class FunctionRegistry;
}

// As Redis: enough that names of commands do not matter, few enough that no command is long.
inline constexpr size_t kElementsPerCommand = 64;

ae::Status write_commands(ByteSink& sink, const Databases& databases,
                          const scripting::FunctionRegistry& functions,
                          KeyDelay delay = KeyDelay());

}  // namespace millrace
