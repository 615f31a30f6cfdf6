// How a command runs others (EXEC, scripts): one after the other, in the place of its own run, so
// that nothing comes between them. Implemented by core/dispatch.h.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "proto/reply_writer.h"
#include "server/command/session.h"

namespace millrace {

enum class Within : uint8_t { kTransaction, kScript };

class CommandRunner {
 public:
  // Runs a command whose arity fits, without the gates, and writes its one reply. It cannot block:
  // Context::may_block() says so to its handler. False: it failed.
  virtual bool run_inner(Session& session, const Command& command,
                         std::span<const std::string_view> args, proto::ReplyWriter& reply,
                         Within within) = 0;
  // Makes room as before a command that may need memory. False: there is none to be made. A script
  // is asked for once, when it begins.
  virtual bool make_room() = 0;

 protected:
  ~CommandRunner() = default;
};

}  // namespace millrace
