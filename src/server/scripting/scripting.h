// Scripts and functions: the service behind EVAL, SCRIPT, FUNCTION and FCALL.
//
//   scripting.run(context, script, kReadOnly ...)
//
// A script is a command that runs commands: it runs on the thread of commands, and nobody sees what
// it has done before its end, so it is atomic as a transaction is.
//
// One that has run for busy-reply-threshold milliseconds is busy: from then on it steps aside every
// few milliseconds, for others to be told so, and to kill it if it has not written. Interpreters
// look at the clock every kInstructionsPerLook instructions; a command or a function of the library
// that takes long in between is not interrupted.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "ae/base/callback.h"
#include "server/command/context.h"
#include "server/command/server_state.h"

namespace millrace {

namespace scripting {
class FunctionRegistry;
class Interpreter;
class ScriptCache;
struct Function;
struct Script;
struct ScriptRun;
}  // namespace scripting

enum class ScriptAccess : uint8_t { kWrite, kReadOnly };  // EVAL, EVAL_RO
enum class AllCommands : uint8_t { kNotAllowed, kAllowed };

class Scripting {
 public:
  explicit Scripting(Services& services);
  ~Scripting();

  scripting::ScriptCache& scripts() { return *scripts_; }
  scripting::FunctionRegistry& functions() { return *functions_; }

  // Run and write the one reply of the command.
  void run(Context& context, const scripting::Script& script, ScriptAccess access,
           std::span<const std::string_view> keys, std::span<const std::string_view> arguments);
  void run(Context& context, const scripting::Function& function, ScriptAccess access,
           std::span<const std::string_view> keys, std::span<const std::string_view> arguments);

  // The flags of a command that runs a script or a function (kRunsScripts), as that has declared
  // itself: one that writes nothing is no write.
  CommandFlags flags_of(const Command& command, std::span<const std::string_view> args);

  // DEBUG SET-DISABLE-DENY-SCRIPTS: scripts may run what scripts may not (kNoScript).
  void set_allows_all(AllCommands allowed) { allows_all_ = allowed == AllCommands::kAllowed; }
  bool allows_all() const { return allows_all_; }

  // --- a script that does not end
  // How a busy script lets others be served; without it, it does not.
  void on_step_aside(ae::Callback<void()> hook) { step_aside_ = std::move(hook); }
  // Null: none. That a handler sees one means that it is busy.
  const scripting::ScriptRun* running() const { return running_; }
  // SCRIPT KILL (kScript), FUNCTION KILL. Empty: it ends within a slice; else why it does not.
  std::string kill(BusyScript kind);
  // Whatever it has done: the server ends.
  void kill_now();
  // Called by the interpreters now and then. True: the script must end.
  bool look_at(scripting::ScriptRun& run);

 private:
  void perform(scripting::Interpreter& interpreter, int function, scripting::ScriptRun& run,
               std::span<const std::string_view> keys, std::span<const std::string_view> arguments,
               Context& context);

  bool is_overdue(const scripting::ScriptRun& run, int64_t now_ns) const;
  void declare_busy(scripting::ScriptRun& run, int64_t now_ns);

  struct Parts;
  Services& services_;
  ae::Callback<void()> step_aside_;
  bool allows_all_ = false;
  scripting::ScriptRun* running_ = nullptr;
  std::unique_ptr<Parts> parts_;  // their headers are Lua's
  std::unique_ptr<scripting::ScriptCache> scripts_;
  std::unique_ptr<scripting::FunctionRegistry> functions_;
};

}  // namespace millrace
