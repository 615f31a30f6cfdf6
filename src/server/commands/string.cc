// Strings: read and write whole values. Parts of them are in string_range.cc, numbers in
// counter.cc.
#include "server/command/arg_reader.h"
#include "server/command/expire_time.h"
#include "server/command/key_batch.h"
#include "server/command/number_text.h"
#include "server/commands/families.h"
#include "server/config/config.h"

namespace millrace {
namespace {

constexpr auto kString = KeyEventClass::kString;

void reply_value(Context& c, const Entry& entry) {
  if (entry.is_integer()) return c.reply().bulk_integer(entry.integer());
  TextBuffer buffer;
  c.reply().bulk(entry.text(buffer));
}

// EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds
struct ExpiryOption {
  std::string_view word;
  TimeUnit unit;
  TimeBase base;
};
constexpr ExpiryOption kExpiryOptions[] = {
    {"EX", TimeUnit::kSeconds, TimeBase::kNow},
    {"PX", TimeUnit::kMilliseconds, TimeBase::kNow},
    {"EXAT", TimeUnit::kSeconds, TimeBase::kEpoch},
    {"PXAT", TimeUnit::kMilliseconds, TimeBase::kEpoch},
};

// One of them and its value. Said twice, the last value counts; two units do not go together.
struct ExpiryChoice {
  const ExpiryOption* option = nullptr;
  std::string_view value = {};

  bool take(ArgReader& args) {
    for (const ExpiryOption& candidate : kExpiryOptions) {
      if ((option && option != &candidate) || !args.take(candidate.word, 1)) continue;
      option = &candidate;
      value = args.word();
      return true;
    }
    return false;
  }
};

// A number that must be positive and must not overflow; else the command's own error.
std::optional<int64_t> read_deadline(Context& c, std::string_view text, TimeUnit unit,
                                     TimeBase base = TimeBase::kNow) {
  std::optional<int64_t> value = ae::parse_int64(text);
  if (!value) {
    c.fail(errors::kNotInteger);
    return std::nullopt;
  }
  std::optional<int64_t> at_ms;
  if (*value > 0) at_ms = expire_at_ms(*value, unit, base, c.now_ms());
  if (!at_ms) c.fail(errors::invalid_expire_time(c.command_name()));
  return at_ms;
}

std::optional<int64_t> read_deadline(Context& c, const ExpiryChoice& expiry) {
  return read_deadline(c, expiry.value, expiry.option->unit, expiry.option->base);
}

// --- SET

enum class Condition : uint8_t { kNone, kIfAbsent, kIfPresent };

struct SetOptions {
  Condition condition = Condition::kNone;
  bool get = false;
  bool keep_ttl = false;
  ExpiryChoice expiry = {};
};

bool read_set_options(Context& c, SetOptions& options) {
  ArgReader args(c, 3);
  while (args.more()) {
    if (options.condition != Condition::kIfPresent && args.take("NX")) {
      options.condition = Condition::kIfAbsent;
    } else if (options.condition != Condition::kIfAbsent && args.take("XX")) {
      options.condition = Condition::kIfPresent;
    } else if (args.take("GET")) {
      options.get = true;
    } else if (!options.expiry.option && args.take("KEEPTTL")) {
      options.keep_ttl = true;
    } else if (options.keep_ttl || !options.expiry.take(args)) {
      args.syntax_error();
    }
  }
  return args.finish();
}

void store(Context& c, Key key, std::string_view value, int64_t expire_at_ms, Entry* known) {
  c.db().set_string(key, value, expire_at_ms, known);
  c.modified(key, kString, "set");
  if (expire_at_ms >= 0) c.modified(key, KeyEventClass::kGeneric, "expire");
}

// In the stream of changes times are absolute, and nobody waits for an old value.
void feed_set(Context& c, const SetOptions& options, int64_t expire_at_ms) {
  if (options.expiry.option) {
    c.feed_instead({"SET", c.arg(1), c.arg(2), "PXAT", NumberText(expire_at_ms)});
  } else if (options.get && options.keep_ttl) {
    c.feed_instead({"SET", c.arg(1), c.arg(2), "KEEPTTL"});
  } else if (options.get) {
    c.feed_instead({"SET", c.arg(1), c.arg(2)});
  }
}

void set_with_options(Context& c) {
  SetOptions options;
  if (!read_set_options(c, options)) return;
  int64_t expire_at_ms = options.keep_ttl ? kKeepExpiry : kNoExpiry;
  if (options.expiry.option) {
    auto at = read_deadline(c, options.expiry);
    if (!at) return;
    expire_at_ms = *at;
  }
  const Key key = c.key(1);
  Entry* known = options.get ? c.read(1, Type::kString) : c.write(key);
  if (c.failed()) return;
  if (options.get) known ? reply_value(c, *known) : c.reply().null();

  const bool allowed = options.condition == Condition::kNone ||
                       (options.condition == Condition::kIfPresent) == (known != nullptr);
  if (allowed) {
    store(c, key, c.arg(2), expire_at_ms, known);
    feed_set(c, options, expire_at_ms);
  }
  if (options.get) return;
  allowed ? c.reply().ok() : c.reply().null();
}

// SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds |
//   PXAT unix-time-milliseconds | KEEPTTL]
void set(Context& c) {
  if (c.arg_count() > 3) return set_with_options(c);
  const Key key = c.key(1);
  c.db().set_string(key, c.arg(2), kNoExpiry);
  c.modified(key, kString, "set");
  c.reply().ok();
}

// SETNX key value
void setnx(Context& c) {
  const Key key = c.key(1);
  if (c.write(key)) return c.reply().integer(0);
  store(c, key, c.arg(2), kNoExpiry, nullptr);
  c.reply().integer(1);
}

void set_for(Context& c, TimeUnit unit) {
  auto at = read_deadline(c, c.arg(2), unit);
  if (!at) return;
  const Key key = c.key(1);
  store(c, key, c.arg(3), *at, c.write(key));
  c.feed_instead({"SET", c.arg(1), c.arg(3), "PXAT", NumberText(*at)});
  c.reply().ok();
}

// SETEX key seconds value
void setex(Context& c) {
  set_for(c, TimeUnit::kSeconds);
}

// PSETEX key milliseconds value
void psetex(Context& c) {
  set_for(c, TimeUnit::kMilliseconds);
}

// --- GET

// GET key
void get(Context& c) {
  const Entry* entry = c.read(1, Type::kString);
  if (c.failed()) return;
  if (!entry) return c.reply().null();
  reply_value(c, *entry);
}

// GETSET key value
void getset(Context& c) {
  Entry* entry = c.read(1, Type::kString);
  if (c.failed()) return;
  entry ? reply_value(c, *entry) : c.reply().null();
  store(c, c.key(1), c.arg(2), kNoExpiry, entry);
  c.feed_instead({"SET", c.arg(1), c.arg(2)});
}

// GETDEL key
void getdel(Context& c) {
  const Entry* entry = c.read(1, Type::kString);
  if (c.failed()) return;
  if (!entry) return c.reply().null();
  reply_value(c, *entry);
  c.feed_instead({"DEL", c.arg(1)});
  c.remove(c.key(1));
}

// GETEX key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds |
//   PERSIST]
void getex(Context& c) {
  ArgReader args(c, 2);
  bool persist = false;
  ExpiryChoice expiry;
  while (args.more()) {
    if (!expiry.option && args.take("PERSIST")) {
      persist = true;
    } else if (persist || !expiry.take(args)) {
      args.syntax_error();
    }
  }
  if (!args.finish()) return;

  Entry* entry = c.read(1, Type::kString);
  if (c.failed()) return;
  if (!entry) return c.reply().null();
  std::optional<int64_t> at;
  if (expiry.option && !(at = read_deadline(c, expiry))) return;
  reply_value(c, *entry);

  const Key key = c.key(1);
  if (at && c.is_past(*at)) {
    c.feed_instead({"DEL", key.name});
    return c.remove(key);
  }
  if (at) {
    c.db().set_expiry(key, entry, *at);
    c.feed_instead({"PEXPIREAT", key.name, NumberText(*at)});
    c.modified(key, KeyEventClass::kGeneric, "expire");
  } else if (persist && entry->has_expiry()) {
    c.db().clear_expiry(key, entry);
    c.feed_instead({"PERSIST", key.name});
    c.modified(key, KeyEventClass::kGeneric, "persist");
  }
}

// --- several at once

// MGET key [key ...]
void mget(Context& c) {
  KeyBatch keys(c, 1);
  c.reply().array(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    const Entry* entry = c.read(keys[i]);
    if (entry && entry->type() == Type::kString) {
      reply_value(c, *entry);
    } else {
      c.reply().null();
    }
  }
}

bool has_pairs(Context& c) {
  if (c.arg_count() % 2 == 1) return true;
  c.fail(errors::wrong_arity(c.command_name()));
  return false;
}

void store_pairs(Context& c) {
  KeyBatch keys(c, 1, 2);
  for (size_t i = 0; i < keys.size(); ++i) {
    const Key key = keys[i];
    c.db().set_string(key, c.arg(keys.position(i) + 1), kNoExpiry);
    c.modified(key, kString, "set");
  }
}

// MSET key value [key value ...]
void mset(Context& c) {
  if (!has_pairs(c)) return;
  store_pairs(c);
  c.reply().ok();
}

// MSETNX key value [key value ...]
void msetnx(Context& c) {
  if (!has_pairs(c)) return;
  KeyBatch keys(c, 1, 2);
  for (size_t i = 0; i < keys.size(); ++i)
    if (c.write(keys[i])) return c.reply().integer(0);
  store_pairs(c);
  c.reply().integer(1);
}

constexpr CommandSpec kTable[] = {
    {.name = "set",
     .handler = set,
     .arity = -3,
     .flags = kWrite | kDenyOom | kUntimed,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = Group::kString,
     .summary = "Stores a string under a key, whatever the key held before.",
     .complexity = "O(1)",
     .syntax = "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | "
               "PXAT unix-time-milliseconds | KEEPTTL]"},
    {.name = "setnx",
     .handler = setnx,
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = Group::kString,
     .summary = "Stores a string under a key that does not exist.",
     .complexity = "O(1)",
     .syntax = "key value"},
    {.name = "setex",
     .handler = setex,
     .arity = 4,
     .flags = kWrite | kDenyOom | kUntimed,
     .keys = key_at(1),
     .since = "2.0.0",
     .group = Group::kString,
     .summary = "Stores a string that expires after some seconds.",
     .complexity = "O(1)",
     .syntax = "key seconds value"},
    {.name = "psetex",
     .handler = psetex,
     .arity = 4,
     .flags = kWrite | kDenyOom | kUntimed,
     .keys = key_at(1),
     .since = "2.6.0",
     .group = Group::kString,
     .summary = "Stores a string that expires after some milliseconds.",
     .complexity = "O(1)",
     .syntax = "key milliseconds value"},
    {.name = "get",
     .handler = get,
     .arity = 2,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = Group::kString,
     .summary = "Reads the string under a key.",
     .complexity = "O(1)",
     .syntax = "key"},
    {.name = "getset",
     .handler = getset,
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = Group::kString,
     .summary = "Reads the string under a key and stores another.",
     .complexity = "O(1)",
     .syntax = "key value"},
    {.name = "getdel",
     .handler = getdel,
     .arity = 2,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .since = "6.2.0",
     .group = Group::kString,
     .summary = "Reads the string under a key and deletes the key.",
     .complexity = "O(1)",
     .syntax = "key"},
    {.name = "getex",
     .handler = getex,
     .arity = -2,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .since = "6.2.0",
     .group = Group::kString,
     .summary = "Reads the string under a key and sets or removes its time to live.",
     .complexity = "O(1)",
     .syntax = "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT "
               "unix-time-milliseconds | PERSIST]"},
    {.name = "mget",
     .handler = mget,
     .arity = -2,
     .flags = kReadOnly | kFast,
     .keys = keys_between(1, -1),
     .since = "1.0.0",
     .group = Group::kString,
     .summary = "Reads the strings under several keys.",
     .complexity = "O(N) for N keys",
     .syntax = "key [key ...]"},
    {.name = "mset",
     .handler = mset,
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .keys = keys_between(1, -1, 2),
     .since = "1.0.1",
     .group = Group::kString,
     .summary = "Stores strings under several keys.",
     .complexity = "O(N) for N keys",
     .syntax = "key value [key value ...]"},
    {.name = "msetnx",
     .handler = msetnx,
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .keys = keys_between(1, -1, 2),
     .since = "1.0.1",
     .group = Group::kString,
     .summary = "Stores strings under several keys if none of them exists.",
     .complexity = "O(N) for N keys",
     .syntax = "key value [key value ...]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> string_commands() {
  return kTable;
}

}  // namespace millrace
