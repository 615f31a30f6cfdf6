// The parts of COMMAND's answers: a command's row as Redis 7.2 shows it.
#pragma once

#include "server/command/context.h"
#include "server/command/key_access.h"

namespace millrace {

// COMMAND INFO: name, arity, flags, first key, last key, step, categories, tips, key
// specifications, subcommands.
void reply_command_info(proto::ReplyWriter& reply, const Command& command);

// COMMAND DOCS: summary, since, group, complexity, arguments, subcommands.
void reply_command_docs(proto::ReplyWriter& reply, const Command& command);

// A set of "RW", "access" ...
void reply_key_access(proto::ReplyWriter& reply, KeyAccess access);

}  // namespace millrace
