// Hashes: their fields one by one. What goes through all of them is in hash_walk.cc.
#include <cmath>

#include "server/commands/collection.h"
#include "server/commands/families.h"

namespace millrace {
namespace {

constexpr auto kHash = KeyEventClass::kHash;
using Buffer = ds::Element::TextBuffer;

// The hash under argument 1, or a new one. The caller has checked c.failed() when `known` is null.
ds::FieldMap& hash_of(Context& c, Entry* known) {
  return (known ? known : c.db().add(c.key(1), ds::FieldMap()))->hash();
}

// --- writing

// Returns how many of the fields are new; nothing where an error was answered.
std::optional<int64_t> set_fields(Context& c) {
  if (c.arg_count() % 2 != 0) {
    c.fail(errors::wrong_arity(c.command_name()));
    return std::nullopt;
  }
  Entry* entry = c.write(1, Type::kHash);
  if (c.failed()) return std::nullopt;
  ds::FieldMap& hash = hash_of(c, entry);
  const ds::ListpackLimits limits = hash_limits(c);
  hash.expect((c.arg_count() - 2) / 2, limits);
  int64_t created = 0;
  for (size_t i = 2; i < c.arg_count(); i += 2)
    created += hash.set(c.arg(i), c.arg(i + 1), limits) == ds::FieldMap::SetResult::kCreated;
  c.modified(c.key(1), kHash, "hset");
  return created;
}

// HSET key field value [field value ...]
void hset(Context& c) {
  if (const auto created = set_fields(c)) c.reply().integer(*created);
}

// HMSET key field value [field value ...]
void hmset(Context& c) {
  if (set_fields(c)) c.reply().ok();
}

// HSETNX key field value
void hsetnx(Context& c) {
  Entry* entry = c.write(1, Type::kHash);
  if (c.failed()) return;
  if (entry && entry->hash().contains(c.arg(2))) return c.reply().integer(0);
  hash_of(c, entry).set(c.arg(2), c.arg(3), hash_limits(c));
  c.modified(c.key(1), kHash, "hset");
  c.reply().integer(1);
}

// HDEL key field [field ...]
void hdel(Context& c) {
  Entry* entry = c.write(1, Type::kHash);
  if (c.failed()) return;
  if (!entry) return c.reply().integer(0);
  int64_t deleted = 0;
  for (size_t i = 2; i < c.arg_count(); ++i) deleted += entry->hash().erase(c.arg(i));
  c.reply().integer(deleted);
  if (deleted == 0) return;
  c.modified(c.key(1), kHash, "hdel");
  c.remove_if_empty(c.key(1), entry);
}

// --- fields that hold numbers

// HINCRBY key field increment
void hincrby(Context& c) {
  const auto increment = ae::parse_int64(c.arg(3));
  if (!increment) return c.fail(errors::kNotInteger);
  Entry* entry = c.write(1, Type::kHash);
  if (c.failed()) return;
  int64_t value = 0;
  Buffer buffer;
  const auto text = entry ? entry->hash().get(c.arg(2), buffer) : std::nullopt;
  if (text) {
    const auto stored = ae::parse_int64(*text);
    if (!stored) return c.fail("ERR hash value is not an integer");
    value = *stored;
  }
  if (__builtin_add_overflow(value, *increment, &value)) return c.fail(errors::kOverflow);
  Buffer sum;
  hash_of(c, entry).set(c.arg(2), {sum, ae::format_int64(value, sum)}, hash_limits(c));
  c.modified(c.key(1), kHash, "hincrby");
  c.reply().integer(value);
}

// HINCRBYFLOAT key field increment
void hincrbyfloat(Context& c) {
  const auto increment = ae::parse_long_double(c.arg(3));
  if (!increment) return c.fail(errors::kNotFloat);
  if (!std::isfinite(*increment)) return c.fail("ERR value is NaN or Infinity");
  Entry* entry = c.write(1, Type::kHash);
  if (c.failed()) return;
  long double value = 0;
  Buffer buffer;
  const auto text = entry ? entry->hash().get(c.arg(2), buffer) : std::nullopt;
  if (text) {
    const auto stored = ae::parse_long_double(*text);
    if (!stored) return c.fail("ERR hash value is not a float");
    value = *stored;
  }
  value += *increment;
  if (!std::isfinite(value)) return c.fail(errors::kNanOrInfinity);
  char sum[ae::kMaxLongDoubleChars];
  const std::string_view shown(sum, ae::format_long_double_human(value, sum));
  hash_of(c, entry).set(c.arg(2), shown, hash_limits(c));
  c.modified(c.key(1), kHash, "hincrbyfloat");
  c.feed_instead({"HSET", c.arg(1), c.arg(2), shown});
  c.reply().bulk(shown);
}

// --- reading

void reply_field(Context& c, const Entry* entry, std::string_view field) {
  Buffer buffer;
  const auto value = entry ? entry->hash().get(field, buffer) : std::nullopt;
  value ? c.reply().bulk(*value) : c.reply().null();
}

// HGET key field
void hget(Context& c) {
  const Entry* entry = c.read(1, Type::kHash);
  if (c.failed()) return;
  reply_field(c, entry, c.arg(2));
}

// HMGET key field [field ...]
void hmget(Context& c) {
  const Entry* entry = c.read(1, Type::kHash);
  if (c.failed()) return;
  c.reply().array(c.arg_count() - 2);
  for (size_t i = 2; i < c.arg_count(); ++i) reply_field(c, entry, c.arg(i));
}

// HLEN key
void hlen(Context& c) {
  const Entry* entry = c.read(1, Type::kHash);
  if (c.failed()) return;
  c.reply().integer(entry ? int64_t(entry->hash().size()) : 0);
}

// HEXISTS key field
void hexists(Context& c) {
  const Entry* entry = c.read(1, Type::kHash);
  if (c.failed()) return;
  c.reply().integer(entry && entry->hash().contains(c.arg(2)));
}

// HSTRLEN key field
void hstrlen(Context& c) {
  const Entry* entry = c.read(1, Type::kHash);
  if (c.failed()) return;
  const auto length = entry ? entry->hash().value_length(c.arg(2)) : std::nullopt;
  c.reply().integer(int64_t(length.value_or(0)));
}

constexpr Group kGroup = Group::kHash;

constexpr CommandSpec kTable[] = {
    {.name = "hset",
     .handler = hset,
     .arity = -4,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .member = 2,
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Stores values in fields of a hash.",
     .complexity = "O(N) for N fields",
     .syntax = "key field value [field value ...]"},
    {.name = "hmset",
     .handler = hmset,
     .arity = -4,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .member = 2,
     .since = "2.0.0",
     .group = kGroup,
     .summary = "The old form of HSET, which answers OK.",
     .complexity = "O(N) for N fields",
     .syntax = "key field value [field value ...]"},
    {.name = "hsetnx",
     .handler = hsetnx,
     .arity = 4,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .member = 2,
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Stores a value in a field of a hash that has no such field.",
     .complexity = "O(1)",
     .syntax = "key field value"},
    {.name = "hdel",
     .handler = hdel,
     .arity = -3,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .member = 2,
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Deletes fields of a hash.",
     .complexity = "O(N) for N fields",
     .syntax = "key field [field ...]"},
    {.name = "hincrby",
     .handler = hincrby,
     .arity = 4,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .member = 2,
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Adds a number to the integer in a field of a hash.",
     .complexity = "O(1)",
     .syntax = "key field increment"},
    {.name = "hincrbyfloat",
     .handler = hincrbyfloat,
     .arity = 4,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .member = 2,
     .since = "2.6.0",
     .group = kGroup,
     .summary = "Adds a number to the floating point number in a field of a hash.",
     .complexity = "O(1)",
     .syntax = "key field increment"},
    {.name = "hget",
     .handler = hget,
     .arity = 3,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .member = 2,
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Returns the value of a field of a hash.",
     .complexity = "O(1)",
     .syntax = "key field"},
    {.name = "hmget",
     .handler = hmget,
     .arity = -3,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .member = 2,
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Returns the values of several fields of a hash.",
     .complexity = "O(N) for N fields",
     .syntax = "key field [field ...]"},
    {.name = "hlen",
     .handler = hlen,
     .arity = 2,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Returns how many fields a hash has.",
     .complexity = "O(1)",
     .syntax = "key"},
    {.name = "hexists",
     .handler = hexists,
     .arity = 3,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .member = 2,
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Tells whether a hash has a field.",
     .complexity = "O(1)",
     .syntax = "key field"},
    {.name = "hstrlen",
     .handler = hstrlen,
     .arity = 3,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .member = 2,
     .since = "3.2.0",
     .group = kGroup,
     .summary = "Returns the length of the value of a field of a hash.",
     .complexity = "O(1)",
     .syntax = "key field"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> hash_commands() {
  return kTable;
}

}  // namespace millrace
