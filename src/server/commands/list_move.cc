// Lists: moving an element from an end of one list to an end of another, at once or when there is
// one.
#include <string>

#include "server/commands/deadline.h"
#include "server/commands/families.h"
#include "server/commands/list_ends.h"

namespace millrace {
namespace {

void push_moved(Context& c, Key key, Entry* entry, End end, std::string_view value) {
  if (!entry) entry = c.db().add(key, ds::QuickList());
  entry->list().push(end, value, list_limit(c));
  c.modified(key, KeyEventClass::kList, push_event(end));
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

// Whoever waited for it, it is a move at once. RPOPLPUSH and BRPOPLPUSH name no ends.
void feed_move(Context& c, End from, End to) {
  constexpr size_t kMostWordsWithoutEnds = 4;
  if (c.arg_count() <= kMostWordsWithoutEnds)
    return c.feed_instead({"RPOPLPUSH", c.arg(1), c.arg(2)});
  const auto word = [](End end) { return end == End::kFront ? "LEFT" : "RIGHT"; };
  c.feed_instead({"LMOVE", c.arg(1), c.arg(2), word(from), word(to)});
}

// False: there is nothing to move, and nothing was replied.
bool move(Context& c, End from, End to) {
  Entry* source = c.write(1, Type::kList);
  if (c.failed()) return true;
  if (!source) return false;
  Entry* target = c.write(2, Type::kList);
  if (c.failed()) return true;
  feed_move(c, from, to);
  const Key source_key = c.key(1);
  if (target == source) {
    rotate(c, source_key, source, from, to);
    return true;
  }
  const Key target_key = c.key(2);
  source->list().pop(from, [&](const ds::Element& element) {
    ds::Element::TextBuffer buffer;
    const std::string_view value = element.text(buffer);
    c.reply().bulk(value);
    push_moved(c, target_key, target, to, value);
  });
  after_removal(c, source_key, source, pop_event(from));
  return true;
}

void move_or_null(Context& c, End from, End to) {
  if (!move(c, from, to)) c.reply().null();
}

void move_or_wait(Context& c, End from, End to, int64_t deadline_ms) {
  if (move(c, from, to)) return;
  if (!c.may_block()) return c.reply().null();
  c.block({.keys = c.args().subspan(1, 1), .type = Type::kList, .deadline_ms = deadline_ms});
}

// LMOVE source destination LEFT | RIGHT LEFT | RIGHT
void lmove(Context& c) {
  ArgReader args(c, 3);
  const End from = read_end(args);
  const End to = read_end(args);
  if (!args.finish()) return;
  move_or_null(c, from, to);
}

// RPOPLPUSH source destination
void rpoplpush(Context& c) {
  move_or_null(c, End::kBack, End::kFront);
}

// BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout
void blmove(Context& c) {
  ArgReader args(c, 3);
  const End from = read_end(args);
  const End to = read_end(args);
  const int64_t deadline_ms = read_deadline(args, c.now_ms());
  if (!args.finish()) return;
  move_or_wait(c, from, to, deadline_ms);
}

// BRPOPLPUSH source destination timeout
void brpoplpush(Context& c) {
  ArgReader args(c, 3);
  const int64_t deadline_ms = read_deadline(args, c.now_ms());
  if (!args.finish()) return;
  move_or_wait(c, End::kBack, End::kFront, deadline_ms);
}

constexpr Group kGroup = Group::kList;

constexpr CommandSpec kTable[] = {
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
    {.name = "blmove",
     .handler = blmove,
     .arity = 6,
     .flags = kWrite | kDenyOom | kBlocking,
     .keys = key_at(1),
     .more_keys = key_at(2),
     .since = "6.2.0",
     .group = kGroup,
     .summary = "Moves an element from list to list as LMOVE does; waits until there is one.",
     .complexity = "O(1)",
     .syntax = "source destination LEFT | RIGHT LEFT | RIGHT timeout"},
    {.name = "brpoplpush",
     .handler = brpoplpush,
     .arity = 4,
     .flags = kWrite | kDenyOom | kBlocking,
     .keys = key_at(1),
     .more_keys = key_at(2),
     .since = "2.2.0",
     .group = kGroup,
     .summary =
         "Moves the last element of a list to the front of another; waits until there is one.",
     .complexity = "O(1)",
     .syntax = "source destination timeout"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> list_move_commands() {
  return kTable;
}

}  // namespace millrace
