// The server as a whole: its databases, its clock, its end.
#include "server/command/arg_reader.h"
#include "server/command/lifecycle.h"
#include "server/command/refusals.h"
#include "server/command/saving.h"
#include "server/command/watched_keys.h"
#include "server/commands/families.h"
#include "server/config/config.h"
#include "server/observe/monitor_feed.h"
#include "server/repl/replication.h"

namespace millrace {
namespace {

// DBSIZE
void dbsize(Context& c) {
  c.reply().integer(int64_t(c.db().size()));
}

// --- FLUSHDB, FLUSHALL

enum class Freeing : uint8_t { kNow, kLater };

// [ASYNC | SYNC]
Freeing read_freeing(Context& c) {
  ArgReader args(c);
  Freeing freeing = c.config().lazyfree_lazy_user_flush ? Freeing::kLater : Freeing::kNow;
  if (args.take("ASYNC")) {
    freeing = Freeing::kLater;
  } else if (args.take("SYNC")) {
    freeing = Freeing::kNow;
  }
  args.finish();
  return freeing;
}

void flush(Context& c, Keyspace& keyspace, Freeing freeing) {
  if (freeing == Freeing::kNow) return keyspace.clear();
  c.services().lazy_free.add(keyspace.detach_all());
}

// FLUSHDB [ASYNC | SYNC]
void flushdb(Context& c) {
  const Freeing freeing = read_freeing(c);
  if (c.failed()) return;
  c.feed_instead(c.args());  // also where nothing was: a replica may have more
  c.services().effects.emptied(c.session().db, c.db().size());
  flush(c, c.db(), freeing);
  c.reply().ok();
}

// FLUSHALL [ASYNC | SYNC]
void flushall(Context& c) {
  const Freeing freeing = read_freeing(c);
  if (c.failed()) return;
  Databases& databases = c.services().databases;
  c.feed_instead(c.args());
  c.services().effects.emptied(Effects::kEveryDb, databases.total_keys());
  for (const auto& keyspace : databases.list()) flush(c, *keyspace, freeing);
  if (!c.session().replays) c.services().saving.on_flushed_all();
  c.reply().ok();
}

int64_t read_index(ArgReader& args, std::string_view error) {
  const int64_t index = args.integer(error);
  if (index < INT32_MIN || index > INT32_MAX) args.error(error);
  return index;
}

// SWAPDB index1 index2
void swapdb(Context& c) {
  ArgReader args(c);
  const int64_t first = read_index(args, "ERR invalid first DB index");
  const int64_t second = read_index(args, "ERR invalid second DB index");
  if (!args.finish()) return;
  const auto count = int64_t(c.services().databases.count());
  if (first < 0 || first >= count || second < 0 || second >= count) return c.fail(errors::kDbIndex);
  c.services().databases.swap(size_t(first), size_t(second));
  c.services().effects.swapped(uint8_t(first), uint8_t(second));
  c.services().watched_keys.swapped(uint8_t(first), uint8_t(second), c.now_ms());
  c.reply().ok();
}

// TIME
void time(Context& c) {
  const int64_t us = c.services().tick.unix_us;
  c.reply().array(2);
  c.reply().bulk_integer(us / 1'000'000);
  c.reply().bulk_integer(us % 1'000'000);
}

// MONITOR
void monitor(Context& c) {
  c.services().monitors.add(c.session());
  c.reply().ok();
}

// --- SHUTDOWN

constexpr std::string_view kNoEnd = "ERR Errors trying to SHUTDOWN. Check logs.";

struct ShutdownOptions {
  bool save = false;
  bool no_save = false;
  bool now = false;
  bool force = false;
  bool abort = false;
};

bool read_shutdown(Context& c, ShutdownOptions& options) {
  ArgReader args(c);
  while (args.more()) {
    if (args.take("NOSAVE")) {
      options.no_save = true;
    } else if (args.take("SAVE")) {
      options.save = true;
    } else if (args.take("NOW")) {
      options.now = true;
    } else if (args.take("FORCE")) {
      options.force = true;
    } else if (args.take("ABORT")) {
      options.abort = true;
    } else {
      args.syntax_error();
    }
  }
  const bool ends = options.save || options.no_save || options.now || options.force;
  if ((options.save && options.no_save) || (options.abort && ends)) args.syntax_error();
  return args.finish();
}

FinalSave final_save(const ShutdownOptions& options) {
  if (options.save) return FinalSave::kYes;
  return options.no_save ? FinalSave::kNo : FinalSave::kIfConfigured;
}

// SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]
// The answer to a shutdown is the end of the connection.
void shutdown(Context& c) {
  ShutdownOptions options;
  if (!read_shutdown(c, options)) return;
  Lifecycle& lifecycle = c.services().lifecycle;
  const ServerState::Facts& state = c.services().state.facts();
  if (state.busy_script != BusyScript::kNone && !options.no_save)
    return c.fail(refusals::of_busy_script(state, 0));
  if (options.abort)
    return lifecycle.abort_shutdown() ? c.reply().ok() : c.fail("ERR No shutdown in progress.");
  Farewell& farewell = c.services().replication.farewell();
  if (farewell.take_refused(c.session().self)) return c.fail(kNoEnd);
  switch (lifecycle.request_shutdown(
      {.now = options.now, .force = options.force, .save = final_save(options)})) {
    case ShutdownAnswer::kEnds:
      return c.session().set(SessionFlag::kClosing);
    case ShutdownAnswer::kWaits:
      farewell.add(c.session().self);
      return c.block({});
    case ShutdownAnswer::kFailed:
      return c.fail(kNoEnd);
  }
}

constexpr CommandFlags kControl = kAdmin | kNoScript | kLoading | kStale;

constexpr CommandSpec kTable[] = {
    {.name = "dbsize",
     .handler = dbsize,
     .arity = 1,
     .flags = kReadOnly | kFast,
     .since = "1.0.0",
     .group = Group::kServer,
     .summary = "Counts the keys of the database.",
     .complexity = "O(1)"},
    {.name = "flushall",
     .handler = flushall,
     .arity = -1,
     .flags = kWrite,
     .since = "1.0.0",
     .group = Group::kServer,
     .summary = "Removes all keys of all databases.",
     .complexity = "O(N) for N keys; O(1) when they are freed later",
     .syntax = "[ASYNC | SYNC]"},
    {.name = "flushdb",
     .handler = flushdb,
     .arity = -1,
     .flags = kWrite,
     .since = "1.0.0",
     .group = Group::kServer,
     .summary = "Removes all keys of the database.",
     .complexity = "O(N) for N keys; O(1) when they are freed later",
     .syntax = "[ASYNC | SYNC]"},
    {.name = "monitor",
     .handler = monitor,
     .arity = 1,
     .flags = kControl,
     .since = "1.0.0",
     .group = Group::kServer,
     .summary = "Shows every command the server runs, as it runs.",
     .complexity = "O(1)"},
    {.name = "shutdown",
     .handler = shutdown,
     .arity = -1,
     .flags = kControl | kNoMulti | kAllowBusy,
     .since = "1.0.0",
     .group = Group::kServer,
     .summary = "Ends the server, once the replies under way are delivered.",
     .complexity = "O(1)",
     .syntax = "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]"},
    {.name = "swapdb",
     .handler = swapdb,
     .arity = 3,
     .flags = kWrite | kFast,
     .since = "4.0.0",
     .group = Group::kServer,
     .summary = "Exchanges the contents of two databases.",
     .complexity = "O(1)",
     .syntax = "index1 index2"},
    {.name = "time",
     .handler = time,
     .arity = 1,
     .flags = kLoading | kStale | kFast,
     .since = "2.6.0",
     .group = Group::kServer,
     .summary = "Tells the server's time, in seconds and microseconds since 1970.",
     .complexity = "O(1)"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> server_commands() {
  return kTable;
}

}  // namespace millrace
