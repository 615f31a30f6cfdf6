// When a key ends: EXPIRE and its kin.
#include "server/command/arg_reader.h"
#include "server/command/expire_time.h"
#include "server/command/number_text.h"
#include "server/commands/families.h"
#include "server/config/config.h"

namespace millrace {
namespace {

enum ExpireRule : uint8_t { kIfNone = 1, kIfAny = 2, kIfLater = 4, kIfEarlier = 8 };

std::optional<uint8_t> read_rules(Context& c) {
  uint8_t rules = 0;
  for (size_t i = 3; i < c.arg_count(); ++i) {
    const std::string_view word = c.arg(i);
    if (equals_ignoring_case(word, "NX")) {
      rules |= kIfNone;
    } else if (equals_ignoring_case(word, "XX")) {
      rules |= kIfAny;
    } else if (equals_ignoring_case(word, "GT")) {
      rules |= kIfLater;
    } else if (equals_ignoring_case(word, "LT")) {
      rules |= kIfEarlier;
    } else {
      c.fail("ERR Unsupported option " + std::string(word));
      return std::nullopt;
    }
  }
  if ((rules & kIfNone) && (rules & ~kIfNone)) {
    c.fail("ERR NX and XX, GT or LT options at the same time are not compatible");
    return std::nullopt;
  }
  if ((rules & kIfLater) && (rules & kIfEarlier)) {
    c.fail("ERR GT and LT options at the same time are not compatible");
    return std::nullopt;
  }
  return rules;
}

// A key without an expiry counts as one that never ends.
bool rules_allow(uint8_t rules, const Entry& entry, int64_t at_ms) {
  const bool has_expiry = entry.has_expiry();
  if ((rules & kIfNone) && has_expiry) return false;
  if ((rules & kIfAny) && !has_expiry) return false;
  if ((rules & kIfLater) && (!has_expiry || at_ms <= entry.expire_at_ms())) return false;
  if ((rules & kIfEarlier) && has_expiry && at_ms >= entry.expire_at_ms()) return false;
  return true;
}

void expire_as(Context& c, TimeUnit unit, TimeBase base) {
  auto rules = read_rules(c);
  if (!rules) return;
  auto value = ae::parse_int64(c.arg(2));
  if (!value) return c.fail(errors::kNotInteger);
  auto at_ms = expire_at_ms(*value, unit, base, c.now_ms());
  if (!at_ms) return c.fail(errors::invalid_expire_time(c.command_name()));

  const Key key = c.key(1);
  Entry* entry = c.write(key);
  if (!entry || !rules_allow(*rules, *entry, *at_ms)) return c.reply().integer(0);
  if (c.is_past(*at_ms)) {
    c.feed_instead({c.config().lazyfree_lazy_expire ? "UNLINK" : "DEL", key.name});
    if (c.config().lazyfree_lazy_expire) {
      c.services().lazy_free.add(c.db().detach(key, entry));
    } else {
      c.db().erase(key, entry);
    }
    c.modified(key, KeyEventClass::kGeneric, "del");
  } else {
    c.feed_instead({"PEXPIREAT", key.name, NumberText(*at_ms)});
    c.db().set_expiry(key, entry, *at_ms);
    c.modified(key, KeyEventClass::kGeneric, "expire");
  }
  c.reply().integer(1);
}

// EXPIRE key seconds [NX | XX | GT | LT]
void expire(Context& c) {
  expire_as(c, TimeUnit::kSeconds, TimeBase::kNow);
}

// PEXPIRE key milliseconds [NX | XX | GT | LT]
void pexpire(Context& c) {
  expire_as(c, TimeUnit::kMilliseconds, TimeBase::kNow);
}

// EXPIREAT key unix-time-seconds [NX | XX | GT | LT]
void expireat(Context& c) {
  expire_as(c, TimeUnit::kSeconds, TimeBase::kEpoch);
}

// PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]
void pexpireat(Context& c) {
  expire_as(c, TimeUnit::kMilliseconds, TimeBase::kEpoch);
}

// -2: no such key; -1: it never ends.
void reply_expiry(Context& c, TimeUnit unit, TimeBase base) {
  const Entry* entry = c.inspect(c.key(1));
  if (!entry) return c.reply().integer(-2);
  if (!entry->has_expiry()) return c.reply().integer(-1);
  int64_t ms = entry->expire_at_ms();
  if (base == TimeBase::kNow) ms = std::max<int64_t>(ms - c.now_ms(), 0);
  const int64_t rounded_seconds = ms / 1000 + (ms % 1000 >= 500);
  c.reply().integer(unit == TimeUnit::kMilliseconds ? ms : rounded_seconds);
}

// TTL key
void ttl(Context& c) {
  reply_expiry(c, TimeUnit::kSeconds, TimeBase::kNow);
}

// PTTL key
void pttl(Context& c) {
  reply_expiry(c, TimeUnit::kMilliseconds, TimeBase::kNow);
}

// EXPIRETIME key
void expiretime(Context& c) {
  reply_expiry(c, TimeUnit::kSeconds, TimeBase::kEpoch);
}

// PEXPIRETIME key
void pexpiretime(Context& c) {
  reply_expiry(c, TimeUnit::kMilliseconds, TimeBase::kEpoch);
}

// PERSIST key
void persist(Context& c) {
  const Key key = c.key(1);
  Entry* entry = c.write(key);
  if (!entry || !entry->has_expiry()) return c.reply().integer(0);
  c.db().clear_expiry(key, entry);
  c.modified(key, KeyEventClass::kGeneric, "persist");
  c.reply().integer(1);
}

constexpr CommandSpec kTable[] = {
    {.name = "expire",
     .handler = expire,
     .arity = -3,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = Group::kGeneric,
     .summary = "Ends a key after some seconds.",
     .complexity = "O(1)",
     .syntax = "key seconds [NX | XX | GT | LT]"},
    {.name = "pexpire",
     .handler = pexpire,
     .arity = -3,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .since = "2.6.0",
     .group = Group::kGeneric,
     .summary = "Ends a key after some milliseconds.",
     .complexity = "O(1)",
     .syntax = "key milliseconds [NX | XX | GT | LT]"},
    {.name = "expireat",
     .handler = expireat,
     .arity = -3,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .since = "1.2.0",
     .group = Group::kGeneric,
     .summary = "Ends a key at a time given in seconds since 1970.",
     .complexity = "O(1)",
     .syntax = "key unix-time-seconds [NX | XX | GT | LT]"},
    {.name = "pexpireat",
     .handler = pexpireat,
     .arity = -3,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .since = "2.6.0",
     .group = Group::kGeneric,
     .summary = "Ends a key at a time given in milliseconds since 1970.",
     .complexity = "O(1)",
     .syntax = "key unix-time-milliseconds [NX | XX | GT | LT]"},
    {.name = "ttl",
     .handler = ttl,
     .arity = 2,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = Group::kGeneric,
     .summary = "Returns how many seconds a key has left.",
     .complexity = "O(1)",
     .syntax = "key"},
    {.name = "pttl",
     .handler = pttl,
     .arity = 2,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .since = "2.6.0",
     .group = Group::kGeneric,
     .summary = "Returns how many milliseconds a key has left.",
     .complexity = "O(1)",
     .syntax = "key"},
    {.name = "expiretime",
     .handler = expiretime,
     .arity = 2,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .since = "7.0.0",
     .group = Group::kGeneric,
     .summary = "Returns when a key ends, in seconds since 1970.",
     .complexity = "O(1)",
     .syntax = "key"},
    {.name = "pexpiretime",
     .handler = pexpiretime,
     .arity = 2,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .since = "7.0.0",
     .group = Group::kGeneric,
     .summary = "Returns when a key ends, in milliseconds since 1970.",
     .complexity = "O(1)",
     .syntax = "key"},
    {.name = "persist",
     .handler = persist,
     .arity = 2,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .since = "2.2.0",
     .group = Group::kGeneric,
     .summary = "Takes the end of a key away.",
     .complexity = "O(1)",
     .syntax = "key"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> expire_commands() {
  return kTable;
}

}  // namespace millrace
