// Strings that hold numbers: INCR and its kin.
#include <cmath>

#include "server/command/arg_reader.h"
#include "server/commands/families.h"

namespace millrace {
namespace {

std::optional<int64_t> integer_of(const Entry& entry) {
  if (entry.is_integer()) return entry.integer();
  TextBuffer buffer;
  return ae::parse_int64(entry.text(buffer));
}

// Adds to the integer under the key, which counts as 0 where there is none.
void add(Context& c, int64_t increment) {
  Entry* entry = c.write(1, Type::kString);
  if (c.failed()) return;
  int64_t value = 0;
  if (entry) {
    std::optional<int64_t> stored = integer_of(*entry);
    if (!stored) return c.fail(errors::kNotInteger);
    value = *stored;
  }
  if (__builtin_add_overflow(value, increment, &value)) return c.fail(errors::kOverflow);
  const Key key = c.key(1);
  c.db().set_integer(key, value, kKeepExpiry, entry);
  c.modified(key, KeyEventClass::kString, "incrby");
  c.reply().integer(value);
}

// INCR key
void incr(Context& c) {
  add(c, 1);
}

// DECR key
void decr(Context& c) {
  add(c, -1);
}

// INCRBY key increment
void incrby(Context& c) {
  if (auto increment = ae::parse_int64(c.arg(2))) return add(c, *increment);
  c.fail(errors::kNotInteger);
}

// DECRBY key decrement
void decrby(Context& c) {
  auto decrement = ae::parse_int64(c.arg(2));
  if (!decrement) return c.fail(errors::kNotInteger);
  if (*decrement == INT64_MIN) return c.fail("ERR decrement would overflow");
  add(c, -*decrement);
}

// INCRBYFLOAT key increment
void incrbyfloat(Context& c) {
  Entry* entry = c.write(1, Type::kString);
  if (c.failed()) return;
  long double value = 0;
  if (entry) {
    TextBuffer buffer;
    auto stored = ae::parse_long_double(entry->text(buffer));
    if (!stored) return c.fail(errors::kNotFloat);
    value = *stored;
  }
  auto increment = ae::parse_long_double(c.arg(2));
  if (!increment) return c.fail(errors::kNotFloat);
  value += *increment;
  if (!std::isfinite(value)) return c.fail(errors::kNanOrInfinity);

  char text[ae::kMaxLongDoubleChars];
  const std::string_view shown(text, ae::format_long_double_human(value, text));
  const Key key = c.key(1);
  c.db().set_string(key, shown, kKeepExpiry, entry);
  c.modified(key, KeyEventClass::kString, "incrbyfloat");
  c.feed_instead({"SET", key.name, shown, "KEEPTTL"});
  c.reply().bulk(shown);
}

constexpr CommandSpec kTable[] = {
    {.name = "incr",
     .handler = incr,
     .arity = 2,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = Group::kString,
     .summary = "Adds one to the integer under a key.",
     .complexity = "O(1)",
     .syntax = "key"},
    {.name = "decr",
     .handler = decr,
     .arity = 2,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = Group::kString,
     .summary = "Subtracts one from the integer under a key.",
     .complexity = "O(1)",
     .syntax = "key"},
    {.name = "incrby",
     .handler = incrby,
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = Group::kString,
     .summary = "Adds a number to the integer under a key.",
     .complexity = "O(1)",
     .syntax = "key increment"},
    {.name = "decrby",
     .handler = decrby,
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = Group::kString,
     .summary = "Subtracts a number from the integer under a key.",
     .complexity = "O(1)",
     .syntax = "key decrement"},
    {.name = "incrbyfloat",
     .handler = incrbyfloat,
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .since = "2.6.0",
     .group = Group::kString,
     .summary = "Adds a number to the floating point number under a key.",
     .complexity = "O(1)",
     .syntax = "key increment"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> counter_commands() {
  return kTable;
}

}  // namespace millrace
