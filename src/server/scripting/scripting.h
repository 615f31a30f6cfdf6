// Scripts and functions: the service behind EVAL, SCRIPT, FUNCTION and FCALL.
//
//   scripting.run(context, script, kReadOnly ...)
//
// A script is a command that runs commands: it runs on the thread of commands, to its end, so it is
// atomic as a transaction is.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "server/command/context.h"

namespace millrace {

namespace scripting {
class FunctionRegistry;
class Interpreter;
class ScriptCache;
struct Function;
struct Script;
}  // namespace scripting

enum class ScriptAccess : uint8_t { kWrite, kReadOnly };  // EVAL, EVAL_RO

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

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;  // their headers are Lua's
  std::unique_ptr<scripting::ScriptCache> scripts_;
  std::unique_ptr<scripting::FunctionRegistry> functions_;
};

}  // namespace millrace
