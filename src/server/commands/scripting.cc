// EVAL and its kin, and SCRIPT. How scripts run: scripting/interpreter.h.
#include "server/scripting/scripting.h"

#include "server/command/help.h"
#include "server/command/table.h"
#include "server/commands/families.h"
#include "server/commands/script_args.h"
#include "server/scripting/script_cache.h"

namespace millrace {
namespace {

constexpr std::string_view kNoScriptFound = "NOSCRIPT No matching script. Please use EVAL.";
constexpr std::string_view kFlushUsage = "ERR SCRIPT FLUSH only support SYNC|ASYNC option";

void eval(Context& c, ScriptAccess access) {
  const ScriptArgs args = read_script_args(c, errors::kNotInteger);
  if (c.failed()) return;
  Scripting& scripting = c.services().scripting;
  const auto loaded = scripting.scripts().load(c.arg(1));
  if (!loaded.script) return c.fail(loaded.error);
  c.feed_nothing();  // what it calls has its own words
  scripting.run(c, *loaded.script, access, args.keys, args.arguments);
}

void eval_known(Context& c, ScriptAccess access) {
  Scripting& scripting = c.services().scripting;
  const ScriptArgs args = read_script_args(c, errors::kNotInteger);
  if (c.failed()) return;
  const scripting::Script* script = scripting.scripts().find(c.arg(1));
  if (!script) return c.fail(kNoScriptFound);
  c.feed_nothing();  // what it calls has its own words
  scripting.run(c, *script, access, args.keys, args.arguments);
}

// EVAL script numkeys [key [key ...]] [arg [arg ...]]
void eval(Context& c) {
  eval(c, ScriptAccess::kWrite);
}

// EVAL_RO script numkeys [key [key ...]] [arg [arg ...]]
void eval_ro(Context& c) {
  eval(c, ScriptAccess::kReadOnly);
}

// EVALSHA sha1 numkeys [key [key ...]] [arg [arg ...]]
void evalsha(Context& c) {
  eval_known(c, ScriptAccess::kWrite);
}

// EVALSHA_RO sha1 numkeys [key [key ...]] [arg [arg ...]]
void evalsha_ro(Context& c) {
  eval_known(c, ScriptAccess::kReadOnly);
}

// --- SCRIPT

// SCRIPT LOAD script
void script_load(Context& c) {
  const auto loaded = c.services().scripting.scripts().load(c.arg(2));
  if (!loaded.script) return c.fail(loaded.error);
  c.reply().bulk(loaded.script->sha);
}

// SCRIPT EXISTS sha1 [sha1 ...]
void script_exists(Context& c) {
  const auto names = c.args().subspan(2);
  c.reply().array(names.size());
  for (const std::string_view sha : names)
    c.reply().integer(c.services().scripting.scripts().find(sha) ? 1 : 0);
}

// SCRIPT FLUSH [ASYNC | SYNC]: both at once, as scripts are small
void script_flush(Context& c) {
  if (c.arg_count() > 3) return c.fail(kFlushUsage);
  if (c.arg_count() == 3 && !equals_ignoring_case(c.arg(2), "sync") &&
      !equals_ignoring_case(c.arg(2), "async"))
    return c.fail(kFlushUsage);
  c.services().scripting.scripts().flush();
  c.reply().ok();
}

// SCRIPT KILL
void script_kill(Context& c) {
  const std::string error = c.services().scripting.kill(BusyScript::kScript);
  error.empty() ? c.reply().ok() : c.fail(error);
}

// SCRIPT DEBUG YES | SYNC | NO
void script_debug(Context& c) {
  if (equals_ignoring_case(c.arg(2), "no")) return c.reply().ok();
  if (equals_ignoring_case(c.arg(2), "yes") || equals_ignoring_case(c.arg(2), "sync"))
    return c.fail("ERR There is no debugger for scripts in this server");
  c.fail("ERR Use SCRIPT DEBUG YES/SYNC/NO");
}

constexpr Group kGroup = Group::kScripting;
constexpr CommandFlags kRunning =
    kNoScript | kStale | kSkipMonitor | kNoMandatoryKeys | kRunsScripts;
constexpr std::string_view kComplexity = "that of the script";

constexpr CommandSpec kScriptTable[] = {
    {.name = "debug",
     .handler = script_debug,
     .arity = 3,
     .flags = kNoScript,
     .since = "3.2.0",
     .group = kGroup,
     .summary = "Chooses how scripts are debugged.",
     .complexity = "O(1)",
     .syntax = "<YES | SYNC | NO>"},
    {.name = "exists",
     .handler = script_exists,
     .arity = -3,
     .flags = kNoScript,
     .since = "2.6.0",
     .group = kGroup,
     .summary = "Tells which scripts are known, by their SHA1.",
     .complexity = "O(N) for N scripts asked about",
     .syntax = "sha1 [sha1 ...]"},
    {.name = "flush",
     .handler = script_flush,
     .arity = -2,
     .flags = kNoScript,
     .since = "2.6.0",
     .group = kGroup,
     .summary = "Forgets all scripts.",
     .complexity = "O(N) for N scripts",
     .syntax = "[ASYNC | SYNC]"},
    {.name = "kill",
     .handler = script_kill,
     .arity = 2,
     .flags = kNoScript | kAllowBusy,
     .since = "2.6.0",
     .group = kGroup,
     .summary = "Ends the script that is running.",
     .complexity = "O(1)"},
    {.name = "load",
     .handler = script_load,
     .arity = 3,
     .flags = kNoScript | kStale,
     .since = "2.6.0",
     .group = kGroup,
     .summary = "Compiles a script and keeps it for EVALSHA.",
     .complexity = "O(N) for N bytes of script",
     .syntax = "script"},
    {.name = "help",
     .handler = reply_help,
     .arity = 2,
     .flags = kLoading | kStale,
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Prints this help.",
     .complexity = "O(1)"},
};
static_assert(sane(kScriptTable));

constexpr CommandSpec kTable[] = {
    {.name = "eval",
     .handler = eval,
     .arity = -3,
     .flags = kRunning | kMayReplicate,
     .keys = keys_counted_at(2),
     .since = "2.6.0",
     .group = kGroup,
     .summary = "Runs a Lua script.",
     .complexity = kComplexity,
     .syntax = "script numkeys [key [key ...]] [arg [arg ...]]"},
    {.name = "eval_ro",
     .handler = eval_ro,
     .arity = -3,
     .flags = kRunning | kReadOnly,
     .keys = keys_counted_at(2),
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Runs a Lua script that changes nothing.",
     .complexity = kComplexity,
     .syntax = "script numkeys [key [key ...]] [arg [arg ...]]"},
    {.name = "evalsha",
     .handler = evalsha,
     .arity = -3,
     .flags = kRunning | kMayReplicate,
     .keys = keys_counted_at(2),
     .since = "2.6.0",
     .group = kGroup,
     .summary = "Runs a script that is known, by its SHA1.",
     .complexity = kComplexity,
     .syntax = "sha1 numkeys [key [key ...]] [arg [arg ...]]"},
    {.name = "evalsha_ro",
     .handler = evalsha_ro,
     .arity = -3,
     .flags = kRunning | kReadOnly,
     .keys = keys_counted_at(2),
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Runs a script that is known and changes nothing, by its SHA1.",
     .complexity = kComplexity,
     .syntax = "sha1 numkeys [key [key ...]] [arg [arg ...]]"},
    {.name = "script",
     .arity = -2,
     .since = "2.6.0",
     .group = kGroup,
     .summary = "Keeps scripts and tells of them.",
     .complexity = "Depends on the subcommand",
     .subcommands = kScriptTable},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> scripting_commands() {
  return kTable;
}

}  // namespace millrace
