// Commands that wait for a key (BLPOP, XREAD BLOCK): what a handler may do; core/blocked_clients.h
// does it.
//
//   if (!c.may_block()) return c.reply().null_array();       // in a transaction or a script
//   c.block({.keys = keys, .type = Type::kList, .deadline_ms = deadline});
//
// A handler that blocks writes no reply. When one of the keys has changed and has the type that is
// waited for, the whole command is run again from the start, in the order in which clients began to
// wait for that key; nothing is resumed. It replies then, or blocks once more and keeps its place.
//
// A command that waits for something else than a key (WAIT: for replicas) names none, and is run
// again by retry().
//
// Thread: the one that runs commands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "server/command/session.h"
#include "server/db/entry.h"

namespace millrace {

struct BlockTerms {
  std::span<const std::string_view> keys;
  Type type;
  bool wake_when_gone = false;  // also when the key has gone or has got another type (XREADGROUP)
  int64_t deadline_ms = 0;      // unix time; 0: for ever
  // When time is up the command runs a last time and replies, instead of a null reply (WAIT).
  bool runs_at_deadline = false;
  // What is run again instead of the command's own arguments, where they depend on the moment of
  // the first run (XREAD's $). Empty: as they came.
  std::span<const std::string_view> args = {};
};

class Blocking {
 public:
  enum class Unblock : uint8_t { kTimeout, kError };

  virtual void block(Session& session, const Command& command,
                     std::span<const std::string_view> args, const BlockTerms& terms) = 0;
  // CLIENT UNBLOCK. False: it is not blocked.
  virtual bool unblock(Session& session, Unblock how) = 0;
  // Every client that waits gets this error ("UNBLOCKED ...").
  virtual void unblock_all(std::string_view error) = 0;
  // What this client waits for may be there: its command runs again, behind the one that runs now.
  virtual void retry(SessionId session) = 0;
  // Whether the command that runs is one that waited, and may not wait any longer.
  virtual bool is_last_run() const = 0;
  virtual size_t client_count() const = 0;
  virtual size_t key_count() const = 0;
  virtual size_t gone_key_count() const = 0;  // of them, those waited for to go, too
  virtual size_t deadline_count() const = 0;  // clients that do not wait for ever

 protected:
  ~Blocking() = default;
};

}  // namespace millrace
