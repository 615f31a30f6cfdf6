#include "server/scripting/scripting.h"

#include "server/command/command_runner.h"
#include "server/config/config.h"
#include "server/scripting/function_registry.h"
#include "server/scripting/script_cache.h"

namespace millrace {

using scripting::Function;
using scripting::FunctionRegistry;
using scripting::Script;
using scripting::ScriptCache;
using scripting::ScriptRun;

struct Scripting::Parts {
  scripting::Prng prng;
};

namespace {

struct Declared {
  scripting::ScriptFlags flags;
  bool explicitly;
};

// What a script has declared is known before it runs; what it has not is found out by its commands.
bool admit(Context& context, ScriptRun& run, Declared declared, ScriptAccess access) {
  const bool no_writes = (declared.flags & scripting::kNoWrites) != 0;
  run.read_only = access == ScriptAccess::kReadOnly || no_writes;
  run.allow_oom = (declared.flags & scripting::kAllowOom) != 0;
  if (context.config().maxmemory_bytes > 0)
    run.short_of_memory = !context.services().runner.make_room();
  if (!declared.explicitly) return true;
  if (access == ScriptAccess::kReadOnly && !no_writes) {
    context.fail("ERR Can not execute a script with write flag using *_ro command.");
  } else if (run.short_of_memory && !run.allow_oom && !no_writes) {
    context.fail(errors::kOom);
  }
  return !context.failed();
}

}  // namespace

Scripting::Scripting(Services& services)
    : parts_(std::make_unique<Parts>()),
      scripts_(std::make_unique<ScriptCache>(services, parts_->prng)),
      functions_(std::make_unique<FunctionRegistry>(services, parts_->prng)) {}

Scripting::~Scripting() = default;

void Scripting::run(Context& context, const Script& script, ScriptAccess access,
                    std::span<const std::string_view> keys,
                    std::span<const std::string_view> arguments) {
  ScriptRun run{.session = context.session(), .name = script.sha};
  if (!admit(context, run, {script.flags, script.has_shebang}, access)) return;
  scripts_->interpreter().run(script.function, run, keys, arguments, context);
  scripts_->publish_facts();
}

void Scripting::run(Context& context, const Function& function, ScriptAccess access,
                    std::span<const std::string_view> keys,
                    std::span<const std::string_view> arguments) {
  ScriptRun run{.session = context.session(), .name = function.name};
  if (!admit(context, run, {function.flags, true}, access)) return;
  functions_->interpreter().run(function.function, run, keys, arguments, context);
  functions_->publish_memory();
}

}  // namespace millrace
