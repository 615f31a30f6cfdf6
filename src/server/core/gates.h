// What may stand between a resolved command and its handler, in one ordered table (gates.cc):
// protected commands, authentication, access rules, memory, a failing disk, replication, what a
// subscriber may say, loading, a busy script, CLIENT PAUSE.
//
// Almost no command meets a closed gate, so the table is consulted only when the command has one of
// the flags that some gate is interested in at present, or the client is in a state of its own (not
// logged in, or as another than the default user, in MULTI, a subscriber): two ANDs on the path of
// a GET. EXEC is judged by the commands it will run.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "ae/base/callback.h"
#include "server/command/services.h"
#include "server/command/session.h"
#include "server/command/table.h"

namespace millrace {

class MemoryGuard;

class Gates {
 public:
  using Args = std::span<const std::string_view>;
  enum class Verdict : uint8_t { kOpen, kRefused, kWait };
  struct Answer {
    Verdict verdict = Verdict::kOpen;
    std::string error = {};  // kRefused
  };

  Gates(Services& services, MemoryGuard& memory);

  // What is known of a command that runs a script before it runs: its flags, as the script has
  // declared them.
  using FlagsOf = ae::Callback<CommandFlags(const Command&, Args)>;
  void set_script_flags(FlagsOf flags_of) { script_flags_ = std::move(flags_of); }
  // To be called when the configuration, the users or the pause change.
  void refresh();

  bool must_ask(const Command& command, const Session& session) const {
    return (command.spec->flags & guarded_flags_) != 0 || guard_all_ || !session.is_plain();
  }
  // `args` satisfy the command's arity.
  Answer ask(const Command& command, const Session& session, Args args);
  // One of them by itself, for a request that has waited: its user's rights may have changed.
  Answer check_access(const Command& command, const Session& session, Args args);
  // Evicts down to maxmemory if there is one. False: it cannot.
  bool make_room();

 private:
  Answer check_protected(const Command& command, const Session& session, Args args);
  Answer check_authentication(const Command& command, const Session& session, Args args);
  Answer check_disk(const Command& command, const Session& session, Args args);
  Answer check_replication(const Command& command, const Session& session, Args args);
  Answer check_stale_data(const Command& command, const Session& session, Args args);
  Answer check_loading(const Command& command, const Session& session, Args args);
  Answer check_busy_script(const Command& command, const Session& session, Args args);
  Answer check_memory(const Command& command, const Session& session, Args args);
  Answer check_pause(const Command& command, const Session& session, Args args);
  Answer check_subscribed(const Command& command, const Session& session, Args args);
  Answer check_multi(const Command& command, const Session& session, Args args);

  static Answer refused_if(std::string error);
  CommandFlags own_flags(const Command& command, Args args);
  CommandFlags flags_of(const Command& command, const Session& session, Args args);

  using Gate = Answer (Gates::*)(const Command&, const Session&, Args);
  static const Gate kGates[];

  Services& services_;
  MemoryGuard& memory_;
  FlagsOf script_flags_;
  CommandFlags guarded_flags_ = kProtected;
  bool guard_all_ = false;
};

}  // namespace millrace
