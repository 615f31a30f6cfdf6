// SLOWLOG: reads and empties observe/slow_log.h.
#include "server/observe/slow_log.h"

#include <algorithm>

#include "server/command/arg_reader.h"
#include "server/command/help.h"
#include "server/commands/families.h"

namespace millrace {
namespace {

constexpr int64_t kDefaultCount = 10;
constexpr int64_t kAllEntries = -1;
constexpr std::string_view kBadCount = "ERR count should be greater than or equal to -1";

void reply_entry(Context& c, const SlowLog::Entry& entry) {
  c.reply().array(6);
  c.reply().integer(int64_t(entry.id));
  c.reply().integer(entry.unix_s);
  c.reply().integer(int64_t(entry.us));
  c.reply().array(entry.args.size());
  for (const std::string& arg : entry.args) c.reply().bulk(arg);
  c.reply().bulk(entry.peer);
  c.reply().bulk(entry.client_name);
}

// SLOWLOG GET [count]
void slow_log_get(Context& c) {
  if (c.arg_count() > 3) return c.fail(errors::unknown_subcommand_or_arity("slowlog", c.arg(1)));
  ArgReader args(c, 2);
  const int64_t wanted = args.more() ? args.integer(kBadCount) : kDefaultCount;
  if (wanted < kAllEntries) args.error(kBadCount);
  if (!args.finish()) return;
  const auto& entries = c.services().slow_log.entries();
  const size_t count =
      wanted == kAllEntries ? entries.size() : std::min(size_t(wanted), entries.size());
  c.reply().array(count);
  for (size_t i = 0; i < count; ++i) reply_entry(c, entries[i]);
}

// SLOWLOG LEN
void slow_log_len(Context& c) {
  c.reply().integer(int64_t(c.services().slow_log.entries().size()));
}

// SLOWLOG RESET
void slow_log_reset(Context& c) {
  c.services().slow_log.reset();
  c.reply().ok();
}

constexpr CommandFlags kControl = kAdmin | kLoading | kStale;

constexpr CommandSpec kSubcommands[] = {
    {.name = "get",
     .handler = slow_log_get,
     .arity = -2,
     .flags = kControl,
     .since = "2.2.12",
     .group = Group::kServer,
     .summary =
         "Shows the latest slow commands, the newest first: 10, or as many as asked for; -1 for "
         "all.",
     .complexity = "O(N) for N entries",
     .syntax = "[count]"},
    {.name = "help",
     .handler = reply_help,
     .arity = 2,
     .flags = kLoading | kStale,
     .since = "6.2.0",
     .group = Group::kServer,
     .summary = "Prints this help.",
     .complexity = "O(1)"},
    {.name = "len",
     .handler = slow_log_len,
     .arity = 2,
     .flags = kControl,
     .since = "2.2.12",
     .group = Group::kServer,
     .summary = "Counts the entries of the slow log.",
     .complexity = "O(1)"},
    {.name = "reset",
     .handler = slow_log_reset,
     .arity = 2,
     .flags = kControl,
     .since = "2.2.12",
     .group = Group::kServer,
     .summary = "Empties the slow log.",
     .complexity = "O(N) for N entries"},
};
static_assert(sane(kSubcommands));

constexpr CommandSpec kTable[] = {
    {.name = "slowlog",
     .arity = -2,
     .since = "2.2.12",
     .group = Group::kServer,
     .summary = "Commands about the log of slow commands.",
     .complexity = "Depends on the subcommand.",
     .subcommands = kSubcommands},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> slow_log_commands() {
  return kTable;
}

}  // namespace millrace
