// DEBUG: a look inside, and buttons for tests. Only with enable-debug-command.
//
// Its subcommands are no rows of the command table (as in Redis, COMMAND does not list them), but
// of a table of its own at the foot of this file.
#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "ae/base/assert.h"
#include "server/command/append_only.h"
#include "server/command/arg_reader.h"
#include "server/command/help.h"
#include "server/command/saving.h"
#include "server/commands/dataset_digest.h"
#include "server/commands/debug_protocol.h"
#include "server/commands/debug_structures.h"
#include "server/commands/families.h"
#include "server/config/config.h"
#include "server/observe/log.h"
#include "server/scripting/scripting.h"

namespace millrace {
namespace {

// --- data

std::string list_details(const ds::QuickList& list, int max_listpack_size) {
  return fmt::format(" ql_nodes:{} ql_avg_node:{:.2f} ql_listpack_max:{}", list.node_count(),
                     double(list.size()) / double(list.node_count()), max_listpack_size);
}

// OBJECT key: also of one whose time has come, and it stays
void object(Context& c) {
  const Entry* entry = c.db().find(c.key(2));
  if (!entry) return c.fail(errors::kNoSuchKey);
  std::string text = fmt::format("Value at:{} refcount:1 encoding:{} lru:{} lru_seconds_idle:{}",
                                 static_cast<const void*>(entry), encoding_name(entry->encoding()),
                                 entry->access(), c.services().access_clock.idle_seconds(*entry));
  if (entry->encoding() == Encoding::kQuickList)
    text += list_details(entry->list(), c.config().list_max_listpack_size);
  c.reply().status(text);
}

// DIGEST
void digest(Context& c) {
  c.reply().status(hex_of(digest_of_dataset(c.services().databases)));
}

// DIGEST-VALUE key [key ...]
void digest_value(Context& c) {
  c.reply().array(c.arg_count() - 2);
  for (size_t i = 2; i < c.arg_count(); ++i) {
    const Entry* entry = c.peek(c.key(i));
    c.reply().status(hex_of(entry ? digest_of_value(*entry) : Sha1Digest{}));
  }
}

// The text cut, or filled up with zero bytes, to `size` bytes.
std::string sized_value(int64_t number, size_t size) {
  std::string value = fmt::format("value:{}", number);
  if (size != 0) value.resize(size, '\0');
  return value;
}

int64_t read_amount(ArgReader& args, uint64_t limit) {
  const int64_t amount = args.integer(errors::kNotPositive);
  if (amount < 0 || uint64_t(amount) > limit) args.error(errors::kNotPositive);
  return amount;
}

// POPULATE count [prefix] [size]
void populate(Context& c) {
  ArgReader args(c, 2);
  const int64_t count = read_amount(args, INT64_MAX);
  const std::string_view prefix = args.more() ? args.word() : "key";
  const int64_t size = args.more() ? read_amount(args, c.config().proto_max_bulk_len_bytes) : 0;
  if (!args.finish()) return;
  for (int64_t i = 0; i < count; ++i) {
    const std::string name = fmt::format("{}:{}", prefix, i);
    const Key key = c.key(name);
    if (c.write(key)) continue;
    c.db().set_string(key, sized_value(i, size_t(size)), kNoExpiry);
    c.modified(key, KeyEventClass::kString, "set");
  }
  c.reply().ok();
}

// --- the server

// A button's one argument: 0 or 1.
void press(Context& c, auto&& set) {
  ArgReader args(c, 2);
  const int64_t on = args.integer_between(0, 1);
  if (!args.finish()) return;
  set(on == 1);
  c.reply().ok();
}

// SET-ACTIVE-EXPIRE 0 | 1
void set_active_expire(Context& c) {
  press(c, [&](bool on) { c.services().active_expiry_enabled = on; });
}

// SET-DISABLE-DENY-SCRIPTS 0 | 1
void set_disable_deny_scripts(Context& c) {
  press(c, [&](bool on) {
    c.services().scripting.set_allows_all(on ? AllCommands::kAllowed : AllCommands::kNotAllowed);
  });
}

// SET-SKIP-CHECKSUM-VALIDATION 0 | 1
void set_skip_checksum_validation(Context& c) {
  press(c, [&](bool on) { c.services().checksums_skipped = on; });
}

// PAUSE-CRON 0 | 1
void pause_cron(Context& c) {
  press(c, [&](bool on) { c.services().cron_paused = on; });
}

// LOADAOF
void load_append_only_file(Context& c) {
  if (c.services().append_only.load_again()) return c.reply().ok();
  c.fail("ERR Error trying to load the AOF files, check server logs.");
}

// RELOAD [NOSAVE] [NOFLUSH] [MERGE]
void reload(Context& c) {
  Saving::Reload how;
  ArgReader args(c, 2);
  while (args.more()) {
    if (args.take("NOSAVE")) {
      how.save_first = false;
    } else if (args.take("NOFLUSH")) {
      how.flush_first = false;
    } else if (args.take("MERGE")) {
      how.replace = true;
    } else {
      args.error("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
    }
  }
  if (!args.finish()) return;
  if (c.services().saving.reload(how) != Saving::Outcome::kDone)
    return c.fail("ERR Error trying to load the RDB dump, check server logs");
  c.reply().ok();
}

// SLEEP seconds
void sleep(Context& c) {
  ArgReader args(c, 2);
  const double seconds = args.real();
  if (!args.finish()) return;
  if (seconds > 0) {
    timespec time;
    time.tv_sec = time_t(seconds);
    time.tv_nsec = long((seconds - double(time.tv_sec)) * 1e9);
    nanosleep(&time, nullptr);
  }
  c.reply().ok();
}

// ERROR text
void error(Context& c) {
  c.fail(c.arg(2));
}

// LOG text
void log_text(Context& c) {
  log::warning("DEBUG LOG: {}", c.arg(2));
  c.reply().ok();
}

// PROTOCOL type
void protocol(Context& c) {
  reply_protocol_sample(c, c.arg(2));
}

// ASSERT
void assert_failure(Context&) {
  constexpr bool kAskedFor = false;
  AE_ASSERT(kAskedFor);
}

// PANIC
void panic(Context&) {
  log::warning("DEBUG PANIC was asked for");
  std::abort();
}

// SEGFAULT
void segfault(Context&) {
  std::raise(SIGSEGV);
}

// --- the table

void help(Context& c);

struct Subcommand {
  HelpLine about;
  size_t min_args;  // with DEBUG and the subcommand itself
  size_t max_args;
  Handler handler;
};

constexpr size_t kAnyCount = SIZE_MAX;

constexpr Subcommand kSubcommands[] = {
    {{"assert", "", "Ends the server by a failed assertion."}, 2, 2, assert_failure},
    {{"digest", "", "Condenses all data into 40 digits, the same as Redis' for the same data."},
     2,
     2,
     digest},
    {{"digest-value", "[key [key ...]]", "Condenses the values of keys."},
     2,
     kAnyCount,
     digest_value},
    {{"error", "text", "Replies with this error."}, 3, 3, error},
    {{"help", "", "Prints this help."}, 2, 2, help},
    {{"htstats", "dbid", "Describes the hash table of a database."}, 3, 3, debug_htstats},
    {{"htstats-key", "key", "Describes the hash table of a value."}, 3, 3, debug_htstats_key},
    {{"loadaof", "", "Forgets the data and loads it from the append only file."},
     2,
     2,
     load_append_only_file},
    {{"log", "text", "Writes this into the server's log."}, 3, 3, log_text},
    {{"object", "key", "Describes how a key is stored."}, 3, 3, object},
    {{"panic", "", "Ends the server by abort()."}, 2, 2, panic},
    {{"pause-cron", "0 | 1",
      "Stops or resumes what the server does ten times a second: expiry, timeouts, samples."},
     3,
     3,
     pause_cron},
    {{"populate", "count [prefix] [size]",
      "Creates string keys prefix:<number> with values value:<number>, filled up to a size."},
     3,
     5,
     populate},
    {{"protocol", "type",
      "Replies with a sample of a type: string, integer, double, bignum, null, array, set, map, "
      "attrib, push, verbatim, true, false."},
     3,
     3,
     protocol},
    {{"quicklist-packed-threshold", "size",
      "Lists give elements of at least this size a node of their own; 0: only what no node holds."},
     3,
     3,
     debug_quicklist_packed_threshold},
    {{"reload", "[option ...]",
      "Saves the data and loads it again. NOSAVE: loads what is there. NOFLUSH: keeps what is in "
      "memory. MERGE: keys of the file replace those in memory."},
     2,
     kAnyCount,
     reload},
    {{"segfault", "", "Ends the server by a segmentation fault."}, 2, 2, segfault},
    {{"set-active-expire", "0 | 1",
      "Stops or resumes the removal of expired keys nobody asks for."},
     3,
     3,
     set_active_expire},
    {{"set-disable-deny-scripts", "0 | 1",
      "Lets scripts run the commands that scripts may not run."},
     3,
     3,
     set_disable_deny_scripts},
    {{"set-skip-checksum-validation", "0 | 1",
      "Takes snapshots and payloads of RESTORE whose checksum is wrong."},
     3,
     3,
     set_skip_checksum_validation},
    {{"sleep", "seconds", "Stops the whole server for a time; fractions are allowed."},
     3,
     3,
     sleep},
};

// HELP
void help(Context& c) {
  std::vector<HelpLine> lines;
  for (const Subcommand& subcommand : kSubcommands) lines.push_back(subcommand.about);
  reply_help(c, "debug", lines);
}

// DEBUG subcommand [argument ...]
void debug(Context& c) {
  for (const Subcommand& subcommand : kSubcommands) {
    if (!equals_ignoring_case(subcommand.about.name, c.arg(1))) continue;
    if (c.arg_count() < subcommand.min_args || c.arg_count() > subcommand.max_args) break;
    return subcommand.handler(c);
  }
  c.fail(errors::unknown_subcommand_or_arity("debug", c.arg(1)));
}

constexpr CommandSpec kTable[] = {
    {.name = "debug",
     .handler = debug,
     .arity = -2,
     .flags = kAdmin | kNoScript | kLoading | kStale | kProtected,
     .since = "1.0.0",
     .group = Group::kServer,
     .summary = "A look inside the server, and buttons for tests.",
     .complexity = "Depends on the subcommand."},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> debug_commands() {
  return kTable;
}

}  // namespace millrace
