// Lists at their ends: pushing, popping, moving from one list to another. What is in between is in
// list_position.cc.
#include <string>

#include "server/command/key_batch.h"
#include "server/commands/collection.h"
#include "server/commands/families.h"

namespace millrace {
namespace {

constexpr auto kList = KeyEventClass::kList;
using ds::End;

std::string_view push_event(End end) {
  return end == End::kFront ? "lpush" : "rpush";
}
std::string_view pop_event(End end) {
  return end == End::kFront ? "lpop" : "rpop";
}

void reply_element(Context& c, const ds::Element& element) {
  if (element.is_integer()) return c.reply().bulk_integer(element.integer());
  c.reply().bulk(element.string());
}

// What follows once elements are gone: the event, and the end of the key or perhaps its small
// encoding.
void after_removal(Context& c, Key key, Entry* entry, std::string_view event) {
  c.modified(key, kList, event);
  if (entry->list().empty()) return c.remove(key);
  entry->list().settle_after_removal(list_limit(c));
}

// --- pushing

enum class Missing : uint8_t { kMade, kRefused };

void push(Context& c, End end, Missing missing) {
  Entry* entry = c.write(1, Type::kList);
  if (c.failed()) return;
  if (!entry && missing == Missing::kRefused) return c.reply().integer(0);
  const Key key = c.key(1);
  if (!entry) entry = c.db().add(key, ds::QuickList());
  ds::QuickList& list = entry->list();
  list.push(end, c.args().subspan(2), list_limit(c));
  c.modified(key, kList, push_event(end));
  c.reply().integer(int64_t(list.size()));
}

// LPUSH key element [element ...]
void lpush(Context& c) {
  push(c, End::kFront, Missing::kMade);
}

// RPUSH key element [element ...]
void rpush(Context& c) {
  push(c, End::kBack, Missing::kMade);
}

// LPUSHX key element [element ...]
void lpushx(Context& c) {
  push(c, End::kFront, Missing::kRefused);
}

// RPUSHX key element [element ...]
void rpushx(Context& c) {
  push(c, End::kBack, Missing::kRefused);
}

// --- popping

// Replies `count` elements from an end, in the order they leave, and removes them.
void pop_several(Context& c, Key key, Entry* entry, End end, uint64_t count) {
  ds::QuickList& list = entry->list();
  count = std::min<uint64_t>(count, list.size());
  c.reply().array(count);
  for (uint64_t i = 0; i < count; ++i)
    list.pop(end, [&c](const ds::Element& element) { reply_element(c, element); });
  after_removal(c, key, entry, pop_event(end));
}

void pop_counted(Context& c, End end) {
  ArgReader args(c, 2);
  const int64_t count = number_from(args, 0, errors::kNotPositive);
  if (!args.finish()) return;
  Entry* entry = c.write(1, Type::kList);
  if (c.failed()) return;
  if (!entry) return c.reply().null_array();
  if (count == 0) return c.reply().empty_array();
  pop_several(c, c.key(1), entry, end, uint64_t(count));
}

void pop(Context& c, End end) {
  if (c.arg_count() > 3) return c.fail(errors::wrong_arity(c.command_name()));
  if (c.arg_count() == 3) return pop_counted(c, end);
  Entry* entry = c.write(1, Type::kList);
  if (c.failed()) return;
  if (!entry) return c.reply().null();
  entry->list().pop(end, [&c](const ds::Element& element) { reply_element(c, element); });
  after_removal(c, c.key(1), entry, pop_event(end));
}

// LPOP key [count]
void lpop(Context& c) {
  pop(c, End::kFront);
}

// RPOP key [count]
void rpop(Context& c) {
  pop(c, End::kBack);
}

// --- moving

// LEFT | RIGHT
End read_end(ArgReader& args) {
  if (args.take("LEFT")) return End::kFront;
  if (!args.take("RIGHT")) args.syntax_error();
  return End::kBack;
}

void push_moved(Context& c, Key key, Entry* entry, End end, std::string_view value) {
  if (!entry) entry = c.db().add(key, ds::QuickList());
  entry->list().push(end, value, list_limit(c));
  c.modified(key, kList, push_event(end));
}

// Onto itself: the element must leave its list before it can come back, so it is copied.
void rotate(Context& c, Key key, Entry* entry, End from, End to) {
  ds::QuickList& list = entry->list();
  std::string value;
  list.pop(from, [&](const ds::Element& element) {
    ds::Element::TextBuffer buffer;
    value = element.text(buffer);
  });
  c.reply().bulk(value);
  push_moved(c, key, entry, to, value);
  after_removal(c, key, entry, pop_event(from));
}

void move(Context& c, End from, End to) {
  Entry* source = c.write(1, Type::kList);
  if (c.failed()) return;
  if (!source) return c.reply().null();
  Entry* target = c.write(2, Type::kList);
  if (c.failed()) return;
  const Key source_key = c.key(1);
  if (target == source) return rotate(c, source_key, source, from, to);
  const Key target_key = c.key(2);
  source->list().pop(from, [&](const ds::Element& element) {
    ds::Element::TextBuffer buffer;
    const std::string_view value = element.text(buffer);
    c.reply().bulk(value);
    push_moved(c, target_key, target, to, value);
  });
  after_removal(c, source_key, source, pop_event(from));
}

// LMOVE source destination LEFT | RIGHT LEFT | RIGHT
void lmove(Context& c) {
  ArgReader args(c, 3);
  const End from = read_end(args);
  const End to = read_end(args);
  if (!args.finish()) return;
  move(c, from, to);
}

// RPOPLPUSH source destination
void rpoplpush(Context& c) {
  move(c, End::kBack, End::kFront);
}

// LMPOP numkeys key [key ...] LEFT | RIGHT [COUNT count]
void lmpop(Context& c) {
  ArgReader args(c);
  const auto keys = uint64_t(number_from(args, 1, "ERR numkeys should be greater than 0"));
  if (keys >= args.left()) args.syntax_error();
  args.skip(keys);
  const End end = read_end(args);
  int64_t count = 1;
  if (args.take("COUNT", 1)) count = number_from(args, 1, "ERR count should be greater than 0");
  if (!args.finish()) return;

  KeyBatch batch(c, 2, 1 + keys, 1);
  for (size_t i = 0; i < batch.size(); ++i) {
    const Key key = batch[i];
    Entry* entry = c.expect(c.write(key), Type::kList);
    if (c.failed()) return;
    if (!entry) continue;
    c.reply().array(2);
    c.reply().bulk(key.name);
    return pop_several(c, key, entry, end, uint64_t(count));
  }
  c.reply().null_array();
}

constexpr Group kGroup = Group::kList;

constexpr CommandSpec kTable[] = {
    {.name = "lpush",
     .handler = lpush,
     .arity = -3,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Adds elements to the front of a list, the last one foremost.",
     .complexity = "O(1) for each element",
     .syntax = "key element [element ...]"},
    {.name = "rpush",
     .handler = rpush,
     .arity = -3,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Adds elements to the end of a list.",
     .complexity = "O(1) for each element",
     .syntax = "key element [element ...]"},
    {.name = "lpushx",
     .handler = lpushx,
     .arity = -3,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .since = "2.2.0",
     .group = kGroup,
     .summary = "Adds elements to the front of a list that exists.",
     .complexity = "O(1) for each element",
     .syntax = "key element [element ...]"},
    {.name = "rpushx",
     .handler = rpushx,
     .arity = -3,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .since = "2.2.0",
     .group = kGroup,
     .summary = "Adds elements to the end of a list that exists.",
     .complexity = "O(1) for each element",
     .syntax = "key element [element ...]"},
    {.name = "lpop",
     .handler = lpop,
     .arity = -2,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Removes elements from the front of a list and returns them.",
     .complexity = "O(N) for N elements returned",
     .syntax = "key [count]"},
    {.name = "rpop",
     .handler = rpop,
     .arity = -2,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Removes elements from the end of a list and returns them.",
     .complexity = "O(N) for N elements returned",
     .syntax = "key [count]"},
    {.name = "lmove",
     .handler = lmove,
     .arity = 5,
     .flags = kWrite | kDenyOom,
     .keys = key_at(1),
     .more_keys = key_at(2),
     .since = "6.2.0",
     .group = kGroup,
     .summary = "Moves an element from an end of one list to an end of another, and returns it.",
     .complexity = "O(1)",
     .syntax = "source destination LEFT | RIGHT LEFT | RIGHT"},
    {.name = "rpoplpush",
     .handler = rpoplpush,
     .arity = 3,
     .flags = kWrite | kDenyOom,
     .keys = key_at(1),
     .more_keys = key_at(2),
     .since = "1.2.0",
     .group = kGroup,
     .summary = "Moves the last element of a list to the front of another, and returns it.",
     .complexity = "O(1)",
     .syntax = "source destination"},
    {.name = "lmpop",
     .handler = lmpop,
     .arity = -4,
     .flags = kWrite | kMovableKeys,
     .keys = keys_counted_at(1),
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Removes elements from an end of the first of several lists that has any.",
     .complexity = "O(N+M) for N keys and M elements returned",
     .syntax = "numkeys key [key ...] LEFT | RIGHT [COUNT count]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> list_commands() {
  return kTable;
}

}  // namespace millrace
