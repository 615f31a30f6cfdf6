// Lists: pushing. Popping is in list_pop.cc, moving in list_move.cc, what is between the ends in
// list_position.cc.
#include "server/commands/families.h"
#include "server/commands/list_ends.h"

namespace millrace {
namespace {

enum class Missing : uint8_t { kMade, kRefused };

void push(Context& c, End end, Missing missing) {
  Entry* entry = c.write(1, Type::kList);
  if (c.failed()) return;
  if (!entry && missing == Missing::kRefused) return c.reply().integer(0);
  const Key key = c.key(1);
  if (!entry) entry = c.db().add(key, ds::QuickList());
  ds::QuickList& list = entry->list();
  list.push(end, c.args().subspan(2), list_limit(c));
  c.modified(key, KeyEventClass::kList, push_event(end));
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
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> list_commands() {
  return kTable;
}

}  // namespace millrace
