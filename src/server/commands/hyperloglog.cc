// HyperLogLogs: adding, counting, merging.
#include "server/commands/families.h"
#include "server/commands/hyperloglog_value.h"

namespace millrace {

using Change = ds::HyperLogLog::Change;

bool is_hyperloglog(Context& c, const Entry& entry) {
  TextBuffer buffer;
  if (entry.type() != Type::kString) {
    c.fail(errors::kWrongType);
  } else if (!ds::HyperLogLogView::fits(entry.text(buffer))) {
    c.fail("WRONGTYPE Key is not a valid HyperLogLog string value.");
  }
  return !c.failed();
}

Entry* add_hyperloglog(Context& c, Key key) {
  Entry* entry = c.db().set_string(key, "", kNoExpiry, nullptr);
  ds::HyperLogLog::write_empty(c.db().edit_string(key, entry, ds::HyperLogLog::kEmptyBytes));
  return entry;
}

namespace {

// --- PFADD

Change add_elements(Context& c, ds::HyperLogLog& value) {
  Change change = Change::kNone;
  for (const std::string_view element : c.args().subspan(2)) {
    const Change one = value.add(element);
    if (one == Change::kCorrupt) return one;
    if (one == Change::kMade) change = one;
  }
  return change;
}

// PFADD key [element [element ...]]
void pfadd(Context& c) {
  const Key key = c.key(1);
  Entry* entry = c.write(key);
  if (entry && !is_hyperloglog(c, *entry)) return;
  const bool is_new = entry == nullptr;
  if (is_new) entry = add_hyperloglog(c, key);
  const Change change = edit_hyperloglog(c, key, entry, [&](ds::HyperLogLog& value) {
    if (is_new) value.forget_count();  // as Redis does, though it is known to be 0
    return add_elements(c, value);
  });
  if (change == Change::kCorrupt) {
    c.modified(key, kNoEvent, {});  // the elements before may have been added
    return c.fail(kCorruptHyperLogLog);
  }
  const bool updated = is_new || change == Change::kMade;
  if (updated) c.modified(key, KeyEventClass::kString, "pfadd");
  c.reply().integer(updated);
}

// --- PFCOUNT

// Several are counted as one that has been given the elements of all.
void count_union(Context& c) {
  ds::RegisterArray registers;
  for (size_t i = 1; i < c.arg_count(); ++i) {
    const Entry* entry = c.read(c.key(i));
    if (!entry) continue;
    if (!is_hyperloglog(c, *entry)) return;
    TextBuffer buffer;
    if (!ds::HyperLogLogView(entry->text(buffer)).merge_into(registers))
      return c.fail(kCorruptHyperLogLog);
  }
  c.reply().integer(int64_t(ds::estimate_count(registers.histogram())));
}

// PFCOUNT key [key ...]
void pfcount(Context& c) {
  if (c.arg_count() > 2) return count_union(c);
  const Key key = c.key(1);
  Entry* entry = c.read(key);
  if (!entry) return c.reply().integer(0);
  if (!is_hyperloglog(c, *entry)) return;
  TextBuffer buffer;
  const ds::HyperLogLogView view(entry->text(buffer));
  if (const auto cached = view.cached_count()) return c.reply().integer(int64_t(*cached));
  const auto count = view.count();
  if (!count) return c.fail(kCorruptHyperLogLog);
  edit_hyperloglog(c, key, entry, [&](ds::HyperLogLog& value) { value.cache_count(*count); });
  c.modified(key, kNoEvent, {});
  c.reply().integer(int64_t(*count));
}

// --- PFMERGE

// The highest of each register over all keys, the destination among them; false: answered an error.
bool merge_all(Context& c, ds::RegisterArray& registers, bool& any_dense) {
  for (size_t i = 1; i < c.arg_count(); ++i) {
    const Entry* entry = c.read(c.key(i));
    if (!entry) continue;
    if (!is_hyperloglog(c, *entry)) return false;
    TextBuffer buffer;
    const ds::HyperLogLogView view(entry->text(buffer));
    any_dense |= !view.is_sparse();
    if (view.merge_into(registers)) continue;
    c.fail(kCorruptHyperLogLog);
    return false;
  }
  return true;
}

// PFMERGE destkey [sourcekey [sourcekey ...]]
void pfmerge(Context& c) {
  ds::RegisterArray registers;
  bool any_dense = false;
  if (!merge_all(c, registers, any_dense)) return;
  const Key key = c.key(1);
  Entry* entry = c.write(key);
  if (!entry) entry = add_hyperloglog(c, key);
  edit_hyperloglog(c, key, entry, [&](ds::HyperLogLog& value) {
    if (any_dense) value.make_dense();
    value.take_all(registers);
  });
  c.modified(key, KeyEventClass::kString, "pfadd");
  c.reply().ok();
}

constexpr Group kGroup = Group::kHyperLogLog;

constexpr CommandSpec kTable[] = {
    {.name = "pfadd",
     .handler = pfadd,
     .arity = -2,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .since = "2.8.9",
     .group = kGroup,
     .summary = "Adds elements to a HyperLogLog, and makes it if the key does not exist.",
     .complexity = "O(1) for each element",
     .syntax = "key [element [element ...]]"},
    {.name = "pfcount",
     .handler = pfcount,
     .arity = -2,
     .flags = kReadOnly | kMayReplicate,
     .keys = keys_between(1, -1),
     .since = "2.8.9",
     .group = kGroup,
     .summary = "Estimates how many different elements were added to one or several HyperLogLogs.",
     .complexity = "O(1) with a small constant for one key that has not changed; else O(N) for N "
                   "keys, with a large one",
     .syntax = "key [key ...]"},
    {.name = "pfmerge",
     .handler = pfmerge,
     .arity = -2,
     .flags = kWrite | kDenyOom,
     .keys = key_at(1),
     .more_keys = keys_between(2, -1),
     .since = "2.8.9",
     .group = kGroup,
     .summary = "Merges HyperLogLogs into one.",
     .complexity = "O(N) for N keys, with a large constant",
     .syntax = "destkey [sourcekey [sourcekey ...]]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> hyperloglog_commands() {
  return kTable;
}

}  // namespace millrace
