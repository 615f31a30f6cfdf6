// A value out of the server and in again: DUMP, RESTORE.
#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "server/command/arg_reader.h"
#include "server/command/number_text.h"
#include "server/commands/collection.h"
#include "server/commands/families.h"
#include "server/observe/log.h"
#include "server/persist/dump_payload.h"

namespace millrace {
namespace {

constexpr auto kGeneric = KeyEventClass::kGeneric;

// DUMP key
void dump(Context& c) {
  const Entry* entry = c.read(c.key(1));
  if (!entry) return c.reply().null();
  c.reply().bulk(make_dump(*entry, {.compress = c.config().rdbcompression}));
}

struct RestoreOptions {
  bool replace = false;
  bool absolute = false;  // the time is not counted from now
  std::optional<uint32_t> idle_s;
  std::optional<uint8_t> frequency;
};

RestoreOptions read_options(ArgReader& args) {
  RestoreOptions options;
  while (args.more()) {
    if (args.take("REPLACE")) {
      options.replace = true;
    } else if (args.take("ABSTTL")) {
      options.absolute = true;
    } else if (!options.frequency && args.take("IDLETIME", 1)) {
      const int64_t idle = args.integer();
      if (idle < 0) args.error("ERR Invalid IDLETIME value, must be >= 0");
      options.idle_s = static_cast<uint32_t>(std::clamp<int64_t>(idle, 0, AccessClock::kMask));
    } else if (!options.idle_s && args.take("FREQ", 1)) {
      const int64_t count = args.integer();
      if (count < 0 || count > 255) args.error("ERR Invalid FREQ value, must be >= 0 and <= 255");
      options.frequency = static_cast<uint8_t>(count);
    } else {
      args.syntax_error();
    }
  }
  return options;
}

void set_access(Context& c, Entry& entry, const RestoreOptions& options) {
  const AccessClock& clock = c.services().access_clock;
  const bool by_recency = clock.settings().measure == AccessClock::Measure::kRecency;
  entry.set_access(clock.initial());
  if (options.idle_s && by_recency) entry.set_access(clock.bits_of_idle(*options.idle_s));
  if (options.frequency && !by_recency) {
    entry.set_access(clock.bits_of_frequency(*options.frequency));
  }
}

// The one that is replaced, if there is one: false.
bool drop_replaced(Context& c, Key key) {
  Entry* entry = c.peek(key);
  if (!entry) return false;
  if (c.config().lazyfree_lazy_server_del) {
    c.services().lazy_free.add(c.db().detach(key, entry));
  } else {
    c.db().erase(key, entry);
  }
  return true;
}

// What it did, in words that do the same at any time.
void feed_restore(Context& c, int64_t expire_at_ms) {
  if (!c.feeds()) return;
  const NumberText at(expire_at_ms);
  std::vector<std::string_view> words(c.args().begin(), c.args().end());
  words[2] = at;
  words.push_back("ABSTTL");
  c.feed_instead(words);
}

// Its time has passed on the way: all that is left to do is to remove what it would replace.
void restore_nothing(Context& c, Key key, bool replaced) {
  if (replaced) {
    c.feed_instead({c.config().lazyfree_lazy_server_del ? "UNLINK" : "DEL", key.name});
    c.modified(key, kGeneric, "del");
  }
  c.reply().ok();
}

// RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]
void restore(Context& c) {
  ArgReader args(c, 4);
  const RestoreOptions options = read_options(args);
  if (!args.finish()) return;
  const Key key = c.key(1);
  if (!options.replace && c.write(key)) {
    return c.fail("BUSYKEY Target key name already exists.");
  }
  const auto ttl_ms = ae::parse_int64(c.arg(2));
  if (!ttl_ms) return c.fail(errors::kNotInteger);
  if (*ttl_ms < 0) return c.fail("ERR Invalid TTL value, must be >= 0");
  const auto checksum =
      c.services().checksums_skipped ? DumpChecksum::kSkip : DumpChecksum::kCompare;
  if (!is_whole_dump(c.arg(3), checksum))
    return c.fail("ERR DUMP payload version or checksum are wrong");
  ValueLimits limits = ValueLimits::of(c.config());
  limits.list = list_limit(c);
  Detached restored = read_dump(c.arg(3), key.name, limits);
  if (!restored) {
    log::warning_once_a_minute("A payload of RESTORE was refused: its integrity check failed");
    return c.fail("ERR Bad data format");
  }

  const bool replaced = options.replace && drop_replaced(c, key);
  int64_t expire_at_ms = *ttl_ms;
  if (expire_at_ms != 0 && !options.absolute &&
      __builtin_add_overflow(expire_at_ms, c.now_ms(), &expire_at_ms)) {
    expire_at_ms = std::numeric_limits<int64_t>::max();
  }
  if (expire_at_ms != 0 && c.is_past(expire_at_ms)) return restore_nothing(c, key, replaced);
  Entry* entry = c.db().attach(key, std::move(restored));
  if (expire_at_ms != 0) entry = c.db().set_expiry(key, entry, expire_at_ms);
  set_access(c, *entry, options);
  if (expire_at_ms != 0 && !options.absolute) feed_restore(c, expire_at_ms);
  c.modified(key, kGeneric, "restore");
  c.reply().ok();
}

constexpr CommandSpec kTable[] = {
    {.name = "dump",
     .handler = dump,
     .arity = 2,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "2.6.0",
     .group = Group::kGeneric,
     .summary = "Gives the value of a key in a form that RESTORE takes.",
     .complexity = "O(1) to find the key and O(N*M) for the N elements of M bytes it holds",
     .syntax = "key"},
    {.name = "restore",
     .handler = restore,
     .arity = -4,
     .flags = kWrite | kDenyOom,
     .keys = key_at(1),
     .since = "2.6.0",
     .group = Group::kGeneric,
     .summary = "Makes a key of what DUMP gave.",
     .complexity = "O(1) to make the key and O(N*M) for the N elements of M bytes it gets; "
                   "O(N*M*log(N)) for sorted sets",
     .syntax = "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> dump_commands() {
  return kTable;
}

}  // namespace millrace
