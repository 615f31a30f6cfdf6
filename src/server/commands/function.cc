// FUNCTION and FCALL. Libraries: scripting/function_registry.h.
#include "server/scripting/function_registry.h"

#include "server/command/arg_reader.h"
#include "server/command/help.h"
#include "server/command/refusals.h"
#include "server/command/table.h"
#include "server/commands/families.h"
#include "server/commands/script_args.h"
#include "server/db/glob.h"
#include "server/scripting/function_payload.h"
#include "server/scripting/scripting.h"

namespace millrace {
namespace {

using scripting::Function;
using scripting::FunctionRegistry;
using scripting::Library;
using scripting::OnConflict;
using scripting::Restore;

FunctionRegistry& registry(Context& c) {
  return c.services().scripting.functions();
}

void call(Context& c, ScriptAccess access) {
  const Function* function = registry(c).find(c.arg(1));
  if (!function) return c.fail("ERR Function not found");
  const ScriptArgs args = read_script_args(c, "ERR Bad number of keys provided");
  if (c.failed()) return;
  c.feed_nothing();  // what it calls has its own words
  c.services().scripting.run(c, *function, access, args.keys, args.arguments);
}

// FCALL function numkeys [key [key ...]] [arg [arg ...]]
void fcall(Context& c) {
  call(c, ScriptAccess::kWrite);
}

// FCALL_RO function numkeys [key [key ...]] [arg [arg ...]]
void fcall_ro(Context& c) {
  call(c, ScriptAccess::kReadOnly);
}

// FUNCTION LOAD [REPLACE] code
void function_load(Context& c) {
  OnConflict on_conflict = OnConflict::kRefuse;
  const size_t last = c.arg_count() - 1;
  for (size_t i = 2; i < last; ++i) {
    if (!equals_ignoring_case(c.arg(i), "replace"))
      return c.fail("ERR Unknown option given: " + std::string(c.arg(i)));
    on_conflict = OnConflict::kReplace;
  }
  const FunctionRegistry::Loaded loaded = registry(c).load(c.arg(last), on_conflict);
  if (!loaded.library) return c.fail(loaded.error);
  c.services().effects.counted(1);
  c.reply().bulk(loaded.library->name);
}

// FUNCTION DELETE library-name
void function_delete(Context& c) {
  if (!registry(c).remove(c.arg(2))) return c.fail("ERR Library not found");
  c.services().effects.counted(1);
  c.reply().ok();
}

// FUNCTION FLUSH [ASYNC | SYNC]: both at once, as libraries are small
void function_flush(Context& c) {
  if (c.arg_count() > 3) return c.fail(errors::unknown_subcommand_or_arity("function", c.arg(1)));
  if (c.arg_count() == 3 && !equals_ignoring_case(c.arg(2), "sync") &&
      !equals_ignoring_case(c.arg(2), "async"))
    return c.fail("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
  registry(c).flush();
  c.services().effects.counted(1);
  c.reply().ok();
}

// FUNCTION KILL
void function_kill(Context& c) {
  const std::string error = c.services().scripting.kill(BusyScript::kFunction);
  error.empty() ? c.reply().ok() : c.fail(error);
}

// FUNCTION DUMP
void function_dump(Context& c) {
  std::vector<std::string_view> codes;
  for (const auto& [name, library] : registry(c).libraries()) codes.push_back(library->code);
  c.reply().bulk(scripting::make_payload(codes));
}

// FUNCTION RESTORE payload [FLUSH | APPEND | REPLACE]
void function_restore(Context& c) {
  if (c.arg_count() > 4) return c.fail(errors::unknown_subcommand_or_arity("function", c.arg(1)));
  Restore policy = Restore::kAppend;
  if (c.arg_count() == 4) {
    if (equals_ignoring_case(c.arg(3), "flush")) {
      policy = Restore::kFlush;
    } else if (equals_ignoring_case(c.arg(3), "replace")) {
      policy = Restore::kReplace;
    } else if (!equals_ignoring_case(c.arg(3), "append")) {
      return c.fail(
          "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.");
    }
  }
  const auto payload = scripting::parse_payload(c.arg(2));
  if (!payload.error.empty()) return c.fail(payload.error);
  const std::string error = registry(c).restore(payload.codes, policy);
  if (!error.empty()) return c.fail(error);
  c.services().effects.counted(1);
  c.reply().ok();
}

// --- FUNCTION LIST

struct ListTerms {
  std::string_view pattern = "*";
  bool with_code = false;
};

ListTerms read_list_terms(Context& c) {
  ListTerms terms;
  bool has_pattern = false;
  for (size_t i = 2; i < c.arg_count() && !c.failed(); ++i) {
    if (!terms.with_code && equals_ignoring_case(c.arg(i), "withcode")) {
      terms.with_code = true;
    } else if (!has_pattern && equals_ignoring_case(c.arg(i), "libraryname")) {
      if (i + 1 == c.arg_count()) {
        c.fail("ERR library name argument was not given");
        break;
      }
      terms.pattern = c.arg(++i);
      has_pattern = true;
    } else {
      c.fail("ERR Unknown argument " + std::string(c.arg(i)));
    }
  }
  return terms;
}

void reply_flags(proto::ReplyWriter& reply, scripting::ScriptFlags flags) {
  size_t count = 0;
  const auto set = reply.defer_set();
  for (const scripting::FlagName& known : scripting::kFlagNames) {
    if ((flags & known.flag) == 0) continue;
    reply.status(known.name);
    ++count;
  }
  reply.finish(set, count);
}

void reply_function(proto::ReplyWriter& reply, const Function& function) {
  reply.map(3);
  reply.bulk("name");
  reply.bulk(function.name);
  reply.bulk("description");
  function.description ? reply.bulk(*function.description) : reply.null();
  reply.bulk("flags");
  reply_flags(reply, function.flags);
}

void reply_library(proto::ReplyWriter& reply, const Library& library, const ListTerms& terms) {
  reply.map(terms.with_code ? 4 : 3);
  reply.bulk("library_name");
  reply.bulk(library.name);
  reply.bulk("engine");
  reply.bulk("LUA");
  reply.bulk("functions");
  reply.array(library.functions.size());
  for (const auto& function : library.functions) reply_function(reply, *function);
  if (!terms.with_code) return;
  reply.bulk("library_code");
  reply.bulk(library.code);
}

// FUNCTION LIST [LIBRARYNAME pattern] [WITHCODE]
void function_list(Context& c) {
  const ListTerms terms = read_list_terms(c);
  if (c.failed()) return;
  const auto list = c.reply().defer_array();
  size_t count = 0;
  for (const auto& [name, library] : registry(c).libraries()) {
    if (!glob_matches(terms.pattern, name, GlobCase::kIgnore)) continue;
    reply_library(c.reply(), *library, terms);
    ++count;
  }
  c.reply().finish(list, count);
}

// Of a function or a script: both are told of here.
void reply_running(proto::ReplyWriter& reply, const scripting::ScriptRun& run) {
  reply.map(3);
  reply.bulk("name");
  reply.bulk(run.name);
  reply.bulk("command");
  reply.array(run.request.size());
  for (const std::string_view word : run.request) reply.bulk(word);
  reply.bulk("duration_ms");
  reply.integer((scripting::monotonic_ns() - run.began_ns) / 1'000'000);
}

// FUNCTION STATS
void function_stats(Context& c) {
  proto::ReplyWriter& reply = c.reply();
  const scripting::ScriptRun* running = c.services().scripting.running();
  if (running && running->kind == BusyScript::kScript)
    return c.fail(refusals::of_busy_script({.busy_script = running->kind}, 0));
  reply.map(2);
  reply.bulk("running_script");
  running ? reply_running(reply, *running) : reply.null();
  reply.bulk("engines");
  reply.map(1);
  reply.bulk("LUA");
  reply.map(2);
  reply.bulk("libraries_count");
  reply.integer(int64_t(registry(c).libraries().size()));
  reply.bulk("functions_count");
  reply.integer(int64_t(registry(c).function_count()));
}

constexpr Group kGroup = Group::kScripting;
constexpr CommandFlags kCalling =
    kNoScript | kStale | kSkipMonitor | kNoMandatoryKeys | kRunsScripts;
constexpr std::string_view kComplexity = "that of the function";

constexpr CommandSpec kFunctionTable[] = {
    {.name = "delete",
     .handler = function_delete,
     .arity = 3,
     .flags = kNoScript | kWrite,
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Deletes a library and its functions.",
     .complexity = "O(N) for N functions",
     .syntax = "library-name"},
    {.name = "dump",
     .handler = function_dump,
     .arity = 2,
     .flags = kNoScript,
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Gives all libraries in a form that FUNCTION RESTORE takes.",
     .complexity = "O(N) for N bytes of code"},
    {.name = "restore",
     .handler = function_restore,
     .arity = -3,
     .flags = kNoScript | kWrite | kDenyOom,
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Takes in the libraries that FUNCTION DUMP gave.",
     .complexity = "O(N) for N bytes of code, and what the bodies do",
     .syntax = "serialized-value [FLUSH | APPEND | REPLACE]"},
    {.name = "flush",
     .handler = function_flush,
     .arity = -2,
     .flags = kNoScript | kWrite,
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Deletes all libraries.",
     .complexity = "O(N) for N functions",
     .syntax = "[ASYNC | SYNC]"},
    {.name = "kill",
     .handler = function_kill,
     .arity = 2,
     .flags = kNoScript | kAllowBusy,
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Ends the function that is running.",
     .complexity = "O(1)"},
    {.name = "list",
     .handler = function_list,
     .arity = -2,
     .flags = kNoScript,
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Lists libraries and their functions.",
     .complexity = "O(N) for N functions",
     .syntax = "[LIBRARYNAME library-name-pattern] [WITHCODE]"},
    {.name = "load",
     .handler = function_load,
     .arity = -3,
     .flags = kNoScript | kWrite | kDenyOom,
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Takes in a library of functions.",
     .complexity = "O(N) for N bytes of code, and what its body does",
     .syntax = "[REPLACE] function-code"},
    {.name = "stats",
     .handler = function_stats,
     .arity = 2,
     .flags = kNoScript | kAllowBusy,
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Tells what runs, and how many libraries and functions there are.",
     .complexity = "O(1)"},
    {.name = "help",
     .handler = reply_help,
     .arity = 2,
     .flags = kLoading | kStale,
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Prints this help.",
     .complexity = "O(1)"},
};
static_assert(sane(kFunctionTable));

constexpr CommandSpec kTable[] = {
    {.name = "fcall",
     .handler = fcall,
     .arity = -3,
     .flags = kCalling | kMayReplicate,
     .keys = keys_counted_at(2),
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Calls a function.",
     .complexity = kComplexity,
     .syntax = "function numkeys [key [key ...]] [arg [arg ...]]"},
    {.name = "fcall_ro",
     .handler = fcall_ro,
     .arity = -3,
     .flags = kCalling | kReadOnly,
     .keys = keys_counted_at(2),
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Calls a function that changes nothing.",
     .complexity = kComplexity,
     .syntax = "function numkeys [key [key ...]] [arg [arg ...]]"},
    {.name = "function",
     .arity = -2,
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Keeps libraries of functions.",
     .complexity = "Depends on the subcommand",
     .subcommands = kFunctionTable},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> function_commands() {
  return kTable;
}

}  // namespace millrace
