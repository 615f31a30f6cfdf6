// OBJECT: how a key is kept.
#include "server/command/arg_reader.h"
#include "server/command/help.h"
#include "server/commands/families.h"
#include "server/config/config.h"

namespace millrace {
namespace {

const Entry* find_or_null(Context& c) {
  const Entry* entry = c.peek(c.key(2));
  if (!entry) c.reply().null();
  return entry;
}

// OBJECT ENCODING key
void encoding(Context& c) {
  if (const Entry* entry = find_or_null(c)) c.reply().bulk(encoding_name(entry->encoding()));
}

// OBJECT REFCOUNT key
void refcount(Context& c) {
  // Values have one owner here. Redis shares small integers and says 2147483647 for them.
  if (find_or_null(c)) c.reply().integer(1);
}

bool counts_frequency(Context& c) {
  return c.services().access_clock.settings().measure == AccessClock::Measure::kFrequency;
}

// OBJECT IDLETIME key
void idletime(Context& c) {
  const Entry* entry = find_or_null(c);
  if (!entry) return;
  if (counts_frequency(c))
    return c.fail(
        "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "
        "switching between policies at runtime LRU and LFU data will take some time to adjust.");
  c.reply().integer(c.services().access_clock.idle_seconds(*entry));
}

// OBJECT FREQ key
void freq(Context& c) {
  const Entry* entry = find_or_null(c);
  if (!entry) return;
  if (!counts_frequency(c))
    return c.fail(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note "
        "that when switching between policies at runtime LRU and LFU data will take some time to "
        "adjust.");
  c.reply().integer(c.services().access_clock.frequency(*entry));
}

constexpr CommandSpec kSubcommands[] = {
    {.name = "encoding",
     .handler = encoding,
     .arity = 3,
     .flags = kReadOnly,
     .keys = key_at(2),
     .since = "2.2.3",
     .group = Group::kGeneric,
     .summary = "Names the encoding of what a key holds.",
     .complexity = "O(1)",
     .syntax = "key"},
    {.name = "freq",
     .handler = freq,
     .arity = 3,
     .flags = kReadOnly,
     .keys = key_at(2),
     .since = "4.0.0",
     .group = Group::kGeneric,
     .summary = "Returns the logarithmic access counter of a key.",
     .complexity = "O(1)",
     .syntax = "key"},
    {.name = "help",
     .handler = reply_help,
     .arity = 2,
     .flags = kLoading | kStale,
     .since = "6.2.0",
     .group = Group::kGeneric,
     .summary = "Explains the subcommands.",
     .complexity = "O(1)"},
    {.name = "idletime",
     .handler = idletime,
     .arity = 3,
     .flags = kReadOnly,
     .keys = key_at(2),
     .since = "2.2.3",
     .group = Group::kGeneric,
     .summary = "Returns the seconds since a key was last used.",
     .complexity = "O(1)",
     .syntax = "key"},
    {.name = "refcount",
     .handler = refcount,
     .arity = 3,
     .flags = kReadOnly,
     .keys = key_at(2),
     .since = "2.2.3",
     .group = Group::kGeneric,
     .summary = "Returns the number of owners of what a key holds.",
     .complexity = "O(1)",
     .syntax = "key"},
};
static_assert(sane(kSubcommands));

constexpr CommandSpec kTable[] = {
    {.name = "object",
     .arity = -2,
     .since = "2.2.3",
     .group = Group::kGeneric,
     .summary = "Looks at how keys are kept.",
     .complexity = "Depends on the subcommand.",
     .subcommands = kSubcommands},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> object_commands() {
  return kTable;
}

}  // namespace millrace
