// Walks over all keys: KEYS in one go, SCAN in steps.
#include <vector>

#include "server/command/scan_args.h"
#include "server/commands/families.h"

namespace millrace {
namespace {

bool has_expired(const Entry& entry, int64_t now_ms) {
  return entry.has_expiry() && entry.expire_at_ms() <= now_ms;
}

// KEYS pattern
void keys(Context& c) {
  const std::string_view pattern = c.arg(1);
  if (glob_is_literal(pattern)) {
    const bool found = c.peek(c.key(1)) != nullptr;
    c.reply().array(found ? 1 : 0);
    if (found) c.reply().bulk(pattern);
    return;
  }
  const bool all = pattern == "*";
  const int64_t now_ms = c.now_ms();
  size_t count = 0;
  proto::DeferredLength array = c.reply().defer_array();
  c.db().for_each([&](const Entry& entry) {
    if (has_expired(entry, now_ms) || (!all && !glob_matches(pattern, entry.key()))) return;
    c.reply().bulk(entry.key());
    ++count;
  });
  c.reply().finish(array, count);
}

// SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]
//
// Names are collected first: an expired key is deleted on sight, and a walk must not see its table
// change.
void scan(Context& c) {
  auto cursor = read_cursor(c, c.arg(1));
  if (!cursor) return;
  auto scan = read_scan_args(c, 2, ScanType::kTaken);
  if (!scan) return;

  std::vector<Entry*> found;
  std::vector<std::string> expired;
  const int64_t now_ms = c.now_ms();
  int64_t visits = scan->count > INT64_MAX / ScanArgs::kVisitsPerElement
                       ? INT64_MAX
                       : scan->count * ScanArgs::kVisitsPerElement;
  uint64_t position = *cursor;
  int64_t seen = 0;
  do {
    position = c.db().scan(position, [&](Entry& entry) {
      ++seen;
      if (!scan->matches(entry.key())) return;
      if (has_expired(entry, now_ms)) return expired.emplace_back(entry.key()), void();
      if (!scan->type.empty() && !equals_ignoring_case(scan->type, type_name(entry.type()))) return;
      found.push_back(&entry);
    });
  } while (position != 0 && --visits > 0 && seen < scan->count);

  char text[20];
  const auto end = std::to_chars(text, text + sizeof text, position);
  c.reply().array(2);
  c.reply().bulk({text, size_t(end.ptr - text)});
  c.reply().array(found.size());
  for (const Entry* entry : found) c.reply().bulk(entry->key());
  for (const std::string& name : expired) c.peek(c.key(name));
}

constexpr CommandSpec kTable[] = {
    {.name = "keys",
     .handler = keys,
     .arity = 2,
     .flags = kReadOnly,
     .since = "1.0.0",
     .group = Group::kGeneric,
     .summary = "Returns all keys whose names match a pattern.",
     .complexity = "O(N) for N keys in the database",
     .syntax = "pattern"},
    {.name = "scan",
     .handler = scan,
     .arity = -2,
     .flags = kReadOnly | kTouchesArbitraryKeys,
     .since = "2.8.0",
     .group = Group::kGeneric,
     .summary = "Walks over the keys of a database, some at each call.",
     .complexity = "O(1) for each call, O(N) for a whole walk over N keys",
     .syntax = "cursor [MATCH pattern] [COUNT count] [TYPE type]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> scan_commands() {
  return kTable;
}

}  // namespace millrace
