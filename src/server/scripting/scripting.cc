#include "server/scripting/scripting.h"

#include "server/command/command_runner.h"
#include "server/command/refusals.h"
#include "server/config/config.h"
#include "server/observe/log.h"
#include "server/observe/monitor_feed.h"
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

// How long a busy script runs before others are served again: what a request that is refused waits.
constexpr int64_t kSliceNs = 2'000'000;

struct Declared {
  scripting::ScriptFlags flags;
  bool explicitly;
};

// In the place of what is said of all scripts.
CommandFlags with_declared(CommandFlags flags, scripting::ScriptFlags declared) {
  flags &= ~(kStale | kDenyOom | kWrite | kMayReplicate);
  const bool no_writes = (declared & scripting::kNoWrites) != 0;
  if (!no_writes) flags |= kWrite;
  if (!no_writes && !(declared & scripting::kAllowOom)) flags |= kDenyOom;
  if (declared & scripting::kAllowStale) flags |= kStale;
  return flags;
}

// It has not said that old data will do.
bool admit_undeclared(Context& context) {
  if (context.session().replays) return true;
  const std::string stale = refusals::of_stale_data(context.services().state.facts(), 0);
  if (!stale.empty()) context.fail(stale);
  return stale.empty();
}

// What a script has declared is known before it runs; what it has not is found out by its commands.
bool admit(Context& context, ScriptRun& run, Declared declared, ScriptAccess access) {
  const bool no_writes = (declared.flags & scripting::kNoWrites) != 0;
  run.read_only = access == ScriptAccess::kReadOnly || no_writes;
  run.allow_oom = (declared.flags & scripting::kAllowOom) != 0;
  if (context.config().maxmemory_bytes > 0)
    run.short_of_memory = !context.services().runner.make_room();
  if (!declared.explicitly) return admit_undeclared(context);
  if (access == ScriptAccess::kReadOnly && !no_writes) {
    context.fail("ERR Can not execute a script with write flag using *_ro command.");
  } else if (run.short_of_memory && !run.allow_oom && !no_writes) {
    context.fail(errors::kOom);
  }
  return !context.failed();
}

}  // namespace

Scripting::Scripting(Services& services)
    : services_(services),
      parts_(std::make_unique<Parts>()),
      scripts_(std::make_unique<ScriptCache>(services, parts_->prng)),
      functions_(std::make_unique<FunctionRegistry>(services, parts_->prng)) {}

Scripting::~Scripting() = default;

void Scripting::run(Context& context, const Script& script, ScriptAccess access,
                    std::span<const std::string_view> keys,
                    std::span<const std::string_view> arguments) {
  ScriptRun run{.session = context.session(),
                .kind = BusyScript::kScript,
                .name = script.sha,
                .request = context.args(),
                .began_ns = scripting::monotonic_ns()};
  if (!admit(context, run, {script.flags, script.has_shebang}, access)) return;
  perform(scripts_->interpreter(), script.function, run, keys, arguments, context);
  scripts_->publish_facts();
}

void Scripting::run(Context& context, const Function& function, ScriptAccess access,
                    std::span<const std::string_view> keys,
                    std::span<const std::string_view> arguments) {
  ScriptRun run{.session = context.session(),
                .kind = BusyScript::kFunction,
                .name = function.name,
                .request = context.args(),
                .began_ns = scripting::monotonic_ns()};
  if (!admit(context, run, {function.flags, true}, access)) return;
  perform(functions_->interpreter(), function.function, run, keys, arguments, context);
  functions_->publish_memory();
}

CommandFlags Scripting::flags_of(const Command& command, std::span<const std::string_view> args) {
  const CommandFlags flags = command.spec->flags;
  const auto of = [&](scripting::ScriptFlags declared) { return with_declared(flags, declared); };
  // EXEC; and while an interpreter is at work nothing is compiled: it will be refused.
  if (args.size() < 2 || running_) return flags;
  if (command.full_name.starts_with("fcall")) {
    const Function* function = functions_->find(args[1]);
    return function ? of(function->flags) : flags;
  }
  const Script* script = command.full_name.starts_with("evalsha") ? scripts_->find(args[1])
                                                                  : scripts_->load(args[1]).script;
  return script && script->has_shebang ? of(script->flags) : flags;
}

void Scripting::perform(scripting::Interpreter& interpreter, scripting::FunctionRef function,
                        ScriptRun& run, std::span<const std::string_view> keys,
                        std::span<const std::string_view> arguments, Context& context) {
  if (services_.monitors.watched())
    services_.monitors.feed_script(context.session(), context.command(), context.args(),
                                   services_.tick.unix_us);
  running_ = &run;
  interpreter.run(function, run, keys, arguments, context);
  running_ = nullptr;
  services_.feed.set_audience(Audience::kEverybody);  // redis.set_repl ends with the script
  if (run.busy)
    services_.state.change(
        [](ServerState::Facts& facts) { facts.busy_script = BusyScript::kNone; });
}

// --- scripts that do not end

std::string Scripting::kill(BusyScript kind) {
  if (!running_) return "NOTBUSY No scripts in execution right now.";
  if (running_->has_written)
    return "UNKILLABLE Sorry the script already executed write commands against the dataset. You "
           "can either wait the script termination or kill the server in a hard way using the "
           "SHUTDOWN NOSAVE command.";
  if (running_->kind != kind) return refusals::of_busy_script({.busy_script = running_->kind}, 0);
  running_->killed = true;
  return {};
}

void Scripting::kill_now() {
  if (running_) running_->killed = true;
}

bool Scripting::look_at(ScriptRun& run) {
  const int64_t now_ns = scripting::monotonic_ns();
  if (!run.busy && !is_overdue(run, now_ns)) return run.killed;
  if (run.busy && now_ns - run.slice_began_ns < kSliceNs) return run.killed;
  if (!run.busy) declare_busy(run, now_ns);
  if (step_aside_) step_aside_();
  run.slice_began_ns = scripting::monotonic_ns();
  return run.killed;
}

bool Scripting::is_overdue(const ScriptRun& run, int64_t now_ns) const {
  const int64_t threshold_ms = services_.config.busy_reply_threshold_ms;
  return threshold_ms > 0 && (now_ns - run.began_ns) / 1'000'000 >= threshold_ms;
}

void Scripting::declare_busy(ScriptRun& run, int64_t now_ns) {
  log::warning(
      "Slow script detected: still in execution after {} milliseconds. You can try killing the "
      "script using the {} command. Script name is: {}.",
      (now_ns - run.began_ns) / 1'000'000,
      run.kind == BusyScript::kScript ? "SCRIPT KILL" : "FUNCTION KILL", run.name);
  run.busy = true;
  services_.state.change([&](ServerState::Facts& facts) { facts.busy_script = run.kind; });
}

}  // namespace millrace
