// Lists: popping, at once or when there is something.
#include "server/command/key_batch.h"
#include "server/command/number_text.h"
#include "server/commands/deadline.h"
#include "server/commands/families.h"
#include "server/commands/list_ends.h"

namespace millrace {
namespace {

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

// --- popping from the first of several lists that has any

// False: all are empty, and nothing was replied.
bool pop_first(Context& c, const MultiPop<End>& wanted) {
  KeyBatch batch(c, wanted.first_key, wanted.first_key + wanted.keys - 1, 1);
  for (size_t i = 0; i < batch.size(); ++i) {
    const Key key = batch[i];
    Entry* entry = c.expect(c.write(key), Type::kList);
    if (c.failed()) return true;
    if (!entry) continue;
    c.reply().array(2);
    c.reply().bulk(key.name);
    const uint64_t popped = std::min<uint64_t>(wanted.count, entry->list().size());
    c.feed_instead({pop_verb(wanted.side), key.name, NumberText(popped)});
    pop_several(c, key, entry, wanted.side, popped);
    return true;
  }
  return false;
}

// LMPOP numkeys key [key ...] LEFT | RIGHT [COUNT count]
void lmpop(Context& c) {
  ArgReader args(c);
  const MultiPop<End> wanted = read_multi_pop(args, read_end);
  if (!args.finish()) return;
  if (!pop_first(c, wanted)) c.reply().null_array();
}

// BLMPOP timeout numkeys key [key ...] LEFT | RIGHT [COUNT count]
void blmpop(Context& c) {
  ArgReader args(c);
  const int64_t deadline_ms = read_deadline(args, c.now_ms());
  const MultiPop<End> wanted = read_multi_pop(args, read_end);
  if (!args.finish()) return;
  if (!pop_first(c, wanted)) wait_for(c, Type::kList, wanted.first_key, wanted.keys, deadline_ms);
}

// --- popping one, or waiting for it

void pop_or_wait(Context& c, End end) {
  const size_t keys = c.arg_count() - 2;
  ArgReader args(c, c.arg_count() - 1);
  const int64_t deadline_ms = read_deadline(args, c.now_ms());
  if (!args.finish()) return;
  KeyBatch batch(c, 1, keys, 1);
  for (size_t i = 0; i < batch.size(); ++i) {
    const Key key = batch[i];
    Entry* entry = c.expect(c.write(key), Type::kList);
    if (c.failed()) return;
    if (!entry) continue;
    c.reply().array(2);
    c.reply().bulk(key.name);
    entry->list().pop(end, [&c](const ds::Element& element) { reply_element(c, element); });
    c.feed_instead({pop_verb(end), key.name});
    return after_removal(c, key, entry, pop_event(end));
  }
  wait_for(c, Type::kList, 1, keys, deadline_ms);
}

// BLPOP key [key ...] timeout
void blpop(Context& c) {
  pop_or_wait(c, End::kFront);
}

// BRPOP key [key ...] timeout
void brpop(Context& c) {
  pop_or_wait(c, End::kBack);
}

constexpr Group kGroup = Group::kList;

constexpr CommandSpec kTable[] = {
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
    {.name = "blmpop",
     .handler = blmpop,
     .arity = -5,
     .flags = kWrite | kBlocking | kMovableKeys,
     .keys = keys_counted_at(2),
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Pops elements as LMPOP does; waits until there are any.",
     .complexity = "O(N+M) for N keys and M elements returned",
     .syntax = "timeout numkeys key [key ...] LEFT | RIGHT [COUNT count]"},
    {.name = "blpop",
     .handler = blpop,
     .arity = -3,
     .flags = kWrite | kBlocking,
     .keys = keys_between(1, -2),
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Pops from the front of the first list that has elements; waits until one has.",
     .complexity = "O(N) for N keys",
     .syntax = "key [key ...] timeout"},
    {.name = "brpop",
     .handler = brpop,
     .arity = -3,
     .flags = kWrite | kBlocking,
     .keys = keys_between(1, -2),
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Pops from the end of the first list that has elements; waits until one has.",
     .complexity = "O(N) for N keys",
     .syntax = "key [key ...] timeout"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> list_pop_commands() {
  return kTable;
}

}  // namespace millrace
