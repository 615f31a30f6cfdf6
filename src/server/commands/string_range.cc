// Strings by position: parts of a value, and appending to it.
#include <algorithm>
#include <cstring>

#include "server/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/config/config.h"

namespace millrace {
namespace {

bool too_long(Context& c, uint64_t length) {
  if (length <= c.config().proto_max_bulk_len_bytes) return false;
  c.fail(errors::kStringTooLong);
  return true;
}

// APPEND key value
void append(Context& c) {
  Entry* entry = c.write(1, Type::kString);
  if (c.failed()) return;
  const Key key = c.key(1);
  const std::string_view tail = c.arg(2);
  if (!entry) {
    c.db().set_string(key, tail, kNoExpiry, nullptr);
    c.modified(key, KeyEventClass::kString, "append");
    return c.reply().integer(int64_t(tail.size()));
  }
  const size_t old_length = entry->text_length();
  const size_t length = old_length + tail.size();
  if (too_long(c, length)) return;
  ae::MutableBytes bytes = c.db().edit_string(key, entry, length);
  std::memcpy(bytes.data() + old_length, tail.data(), tail.size());
  c.modified(key, KeyEventClass::kString, "append");
  c.reply().integer(int64_t(length));
}

// STRLEN key
void strlen(Context& c) {
  const Entry* entry = c.read(1, Type::kString);
  if (c.failed()) return;
  c.reply().integer(entry ? int64_t(entry->text_length()) : 0);
}

// GETRANGE key start end
void getrange(Context& c) {
  ArgReader args(c, 2);
  int64_t start = args.integer(), end = args.integer();
  if (!args.finish()) return;
  const Entry* entry = c.read(1, Type::kString);
  if (c.failed()) return;
  if (!entry) return c.reply().bulk("");
  TextBuffer buffer;
  const std::string_view text = entry->text(buffer);
  const auto length = int64_t(text.size());
  if (start < 0 && end < 0 && start > end) return c.reply().bulk("");
  if (start < 0) start = std::max<int64_t>(start + length, 0);
  if (end < 0) end = std::max<int64_t>(end + length, 0);
  end = std::min(end, length - 1);
  if (start > end || length == 0) return c.reply().bulk("");
  c.reply().bulk(text.substr(size_t(start), size_t(end - start + 1)));
}

// SETRANGE key offset value
void setrange(Context& c) {
  auto offset = ae::parse_int64(c.arg(2));
  if (!offset) return c.fail(errors::kNotInteger);
  if (*offset < 0) return c.fail("ERR offset is out of range");
  const std::string_view patch = c.arg(3);
  Entry* entry = c.write(1, Type::kString);
  if (c.failed()) return;
  const size_t old_length = entry ? entry->text_length() : 0;
  if (patch.empty()) return c.reply().integer(int64_t(old_length));
  uint64_t end;
  if (__builtin_add_overflow(uint64_t(*offset), patch.size(), &end)) end = UINT64_MAX;
  if (too_long(c, end)) return;

  const Key key = c.key(1);
  if (!entry) entry = c.db().set_string(key, "", kNoExpiry, nullptr);
  const size_t length = std::max<size_t>(old_length, end);
  ae::MutableBytes bytes = c.db().edit_string(key, entry, length);
  if (size_t(*offset) > old_length)
    std::memset(bytes.data() + old_length, 0, size_t(*offset) - old_length);
  std::memcpy(bytes.data() + *offset, patch.data(), patch.size());
  c.modified(key, KeyEventClass::kString, "setrange");
  c.reply().integer(int64_t(length));
}

constexpr CommandSpec kTable[] = {
    {.name = "append",
     .handler = append,
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .since = "2.0.0",
     .group = Group::kString,
     .summary = "Adds bytes to the end of the string under a key.",
     .complexity = "O(1), amortized for repeated appends",
     .syntax = "key value"},
    {.name = "strlen",
     .handler = strlen,
     .arity = 2,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .since = "2.2.0",
     .group = Group::kString,
     .summary = "Returns the length of the string under a key.",
     .complexity = "O(1)",
     .syntax = "key"},
    {.name = "getrange",
     .handler = getrange,
     .arity = 4,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "2.4.0",
     .group = Group::kString,
     .summary = "Returns the part of a string between two positions.",
     .complexity = "O(N) for N bytes returned",
     .syntax = "key start end"},
    {.name = "substr",
     .handler = getrange,
     .arity = 4,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = Group::kString,
     .summary = "The old name of GETRANGE.",
     .complexity = "O(N) for N bytes returned",
     .syntax = "key start end"},
    {.name = "setrange",
     .handler = setrange,
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .keys = key_at(1),
     .since = "2.2.0",
     .group = Group::kString,
     .summary = "Overwrites part of a string, with zero bytes where it was too short.",
     .complexity = "O(N) for N bytes written or padded",
     .syntax = "key offset value"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> string_range_commands() {
  return kTable;
}

}  // namespace millrace
