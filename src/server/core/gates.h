// What may stand between a resolved command and its handler, in one ordered table (gates.cc):
// protected commands, authentication, what a subscriber may say, memory, CLIENT PAUSE.
//
// Almost no command meets a closed gate, so the table is consulted only when the command has one of
// the flags that some gate is interested in at present, or the client is in a state of its own (not
// logged in, in MULTI, a subscriber): two ANDs on the path of a GET. EXEC is judged by the commands
// it will run.
#pragma once

#include <string>

#include "server/command/services.h"
#include "server/command/session.h"
#include "server/command/table.h"

namespace millrace {

class MemoryGuard;

class Gates {
 public:
  enum class Verdict : uint8_t { kOpen, kRefused, kWait };
  struct Answer {
    Verdict verdict = Verdict::kOpen;
    std::string error = {};  // kRefused
  };

  Gates(Services& services, MemoryGuard& memory);

  // To be called when the configuration or the pause changes.
  void refresh();

  bool must_ask(const Command& command, const Session& session) const {
    return (command.spec->flags & guarded_flags_) != 0 || guard_all_ || !session.is_plain();
  }
  Answer ask(const Command& command, const Session& session);

 private:
  Answer check_protected(const Command& command, const Session& session);
  Answer check_authentication(const Command& command, const Session& session);
  Answer check_memory(const Command& command, const Session& session);
  Answer check_pause(const Command& command, const Session& session);
  Answer check_subscribed(const Command& command, const Session& session);
  Answer check_multi(const Command& command, const Session& session);

  using Gate = Answer (Gates::*)(const Command&, const Session&);
  static const Gate kGates[];

  Services& services_;
  MemoryGuard& memory_;
  CommandFlags guarded_flags_ = kProtected;
  bool guard_all_ = false;
};

}  // namespace millrace
