// Sorted sets: taking members from the ends, and drawing some at random.
#include "server/command/key_batch.h"
#include "server/command/number_text.h"
#include "server/commands/collection.h"
#include "server/commands/deadline.h"
#include "server/commands/families.h"

namespace millrace {
namespace {

enum class Extreme : uint8_t { kMin, kMax };
enum class Pairs : uint8_t { kFlat, kNested };

// Replies and removes up to `count` members from an end. The header that counts them has been
// written.
void pop(Context& c, Key key, Entry* entry, Extreme extreme, uint64_t count, Pairs pairs) {
  proto::ReplyWriter& reply = c.reply();
  const auto send = [&reply, pairs](std::string_view member, double score) {
    if (pairs == Pairs::kNested) reply.array(2);
    reply.bulk(member);
    reply.real(score);
  };
  ds::SortedSet& set = entry->sorted_set();
  extreme == Extreme::kMin ? set.pop_min(count, send) : set.pop_max(count, send);
  c.modified(key, KeyEventClass::kSortedSet, extreme == Extreme::kMin ? "zpopmin" : "zpopmax");
  c.remove_if_empty(key, entry);
}

// The command that pops from one set without waiting, for the stream of changes.
void feed_pop(Context& c, Key key, Extreme extreme, uint64_t count) {
  const std::string_view verb = extreme == Extreme::kMin ? "ZPOPMIN" : "ZPOPMAX";
  c.feed_instead({verb, key.name, NumberText(count)});
}

// With a count RESP3 gets pairs, without one the two elements of the only pair.
void pop_from_one(Context& c, Extreme extreme) {
  if (c.arg_count() > 3) return c.fail(errors::kSyntax);
  ArgReader args(c, 2);
  const bool counted = args.more();
  uint64_t count = counted ? uint64_t(number_from(args, 0, errors::kNotPositive)) : 1;
  if (!args.finish()) return;
  Entry* entry = c.write(1, Type::kZSet);
  if (c.failed()) return;
  if (!entry || count == 0) return c.reply().empty_array();
  count = std::min(count, entry->sorted_set().size());
  const bool nested = counted && c.reply().resp() == proto::Resp::k3;
  c.reply().array(nested ? count : 2 * count);
  pop(c, c.key(1), entry, extreme, count, nested ? Pairs::kNested : Pairs::kFlat);
}

// ZPOPMIN key [count]
void zpopmin(Context& c) {
  pop_from_one(c, Extreme::kMin);
}

// ZPOPMAX key [count]
void zpopmax(Context& c) {
  pop_from_one(c, Extreme::kMax);
}

// MIN | MAX
Extreme read_extreme(ArgReader& args) {
  if (args.take("MIN")) return Extreme::kMin;
  if (!args.take("MAX")) args.syntax_error();
  return Extreme::kMax;
}

// --- popping from the first of several sets that has any

// False: all are empty, and nothing was replied.
bool pop_first(Context& c, const MultiPop<Extreme>& wanted) {
  KeyBatch batch(c, wanted.first_key, wanted.first_key + wanted.keys - 1, 1);
  for (size_t i = 0; i < batch.size(); ++i) {
    const Key key = batch[i];
    Entry* entry = c.expect(c.write(key), Type::kZSet);
    if (c.failed()) return true;
    if (!entry) continue;
    const uint64_t popped = std::min(wanted.count, entry->sorted_set().size());
    c.reply().array(2);
    c.reply().bulk(key.name);
    c.reply().array(popped);
    feed_pop(c, key, wanted.side, popped);
    pop(c, key, entry, wanted.side, popped, Pairs::kNested);
    return true;
  }
  return false;
}

// ZMPOP numkeys key [key ...] MIN | MAX [COUNT count]
void zmpop(Context& c) {
  ArgReader args(c);
  const MultiPop<Extreme> wanted = read_multi_pop(args, read_extreme);
  if (!args.finish()) return;
  if (!pop_first(c, wanted)) c.reply().null_array();
}

// BZMPOP timeout numkeys key [key ...] MIN | MAX [COUNT count]
void bzmpop(Context& c) {
  ArgReader args(c);
  const int64_t deadline_ms = read_deadline(args, c.now_ms());
  const MultiPop<Extreme> wanted = read_multi_pop(args, read_extreme);
  if (!args.finish()) return;
  if (!pop_first(c, wanted)) wait_for(c, Type::kZSet, wanted.first_key, wanted.keys, deadline_ms);
}

// --- popping one, or waiting for it

void pop_or_wait(Context& c, Extreme extreme) {
  const size_t keys = c.arg_count() - 2;
  ArgReader args(c, c.arg_count() - 1);
  const int64_t deadline_ms = read_deadline(args, c.now_ms());
  if (!args.finish()) return;
  KeyBatch batch(c, 1, keys, 1);
  for (size_t i = 0; i < batch.size(); ++i) {
    const Key key = batch[i];
    Entry* entry = c.expect(c.write(key), Type::kZSet);
    if (c.failed()) return;
    if (!entry) continue;
    c.reply().array(3);
    c.reply().bulk(key.name);
    feed_pop(c, key, extreme, 1);
    return pop(c, key, entry, extreme, 1, Pairs::kFlat);
  }
  wait_for(c, Type::kZSet, 1, keys, deadline_ms);
}

// BZPOPMIN key [key ...] timeout
void bzpopmin(Context& c) {
  pop_or_wait(c, Extreme::kMin);
}

// BZPOPMAX key [key ...] timeout
void bzpopmax(Context& c) {
  pop_or_wait(c, Extreme::kMax);
}

// --- drawing

void reply_draw(Context& c, const ds::SortedSet& set, const Draw& draw) {
  proto::ReplyWriter& reply = c.reply();
  const uint64_t count = draw.from(set.size());
  draw.with_values ? open_pairs(reply, count) : reply.array(count);
  set.random(draw.count, draw.repetition, c.services().prng,
             [&](std::string_view member, double score) {
               if (draw.with_values) open_pair(reply);
               reply.bulk(member);
               if (draw.with_values) reply.real(score);
             });
}

// ZRANDMEMBER key [count [WITHSCORES]]
void zrandmember(Context& c) {
  Draw draw;
  if (!read_draw(c, "WITHSCORES", draw)) return;
  const Entry* entry = c.read(1, Type::kZSet);
  if (c.failed()) return;
  if (!entry) return draw.single ? c.reply().null() : c.reply().empty_array();
  if (!draw.single) return reply_draw(c, entry->sorted_set(), draw);
  entry->sorted_set().random(c.services().prng,
                             [&c](std::string_view member, double) { c.reply().bulk(member); });
}

constexpr Group kGroup = Group::kSortedSet;

constexpr CommandSpec kTable[] = {
    {.name = "zpopmin",
     .handler = zpopmin,
     .arity = -2,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Removes the members with the lowest scores and returns them.",
     .complexity = "O(log(N)+M) for M members of a set of N",
     .syntax = "key [count]"},
    {.name = "zpopmax",
     .handler = zpopmax,
     .arity = -2,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Removes the members with the highest scores and returns them.",
     .complexity = "O(log(N)+M) for M members of a set of N",
     .syntax = "key [count]"},
    {.name = "zmpop",
     .handler = zmpop,
     .arity = -4,
     .flags = kWrite | kMovableKeys,
     .keys = keys_counted_at(1),
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Removes members from an end of the first of several sorted sets that has any.",
     .complexity = "O(K+log(N)+M) for K keys and M members of a set of N",
     .syntax = "numkeys key [key ...] MIN | MAX [COUNT count]"},
    {.name = "bzmpop",
     .handler = bzmpop,
     .arity = -5,
     .flags = kWrite | kBlocking | kMovableKeys,
     .keys = keys_counted_at(2),
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Pops members as ZMPOP does; waits until there are any.",
     .complexity = "O(K+log(N)+M) for K keys and M members of a set of N",
     .syntax = "timeout numkeys key [key ...] MIN | MAX [COUNT count]"},
    {.name = "bzpopmin",
     .handler = bzpopmin,
     .arity = -3,
     .flags = kWrite | kBlocking | kFast,
     .keys = keys_between(1, -2),
     .since = "5.0.0",
     .group = kGroup,
     .summary =
         "Pops the member with the lowest score of the first set that has any; waits for it.",
     .complexity = "O(log(N)) for a set of N",
     .syntax = "key [key ...] timeout"},
    {.name = "bzpopmax",
     .handler = bzpopmax,
     .arity = -3,
     .flags = kWrite | kBlocking | kFast,
     .keys = keys_between(1, -2),
     .since = "5.0.0",
     .group = kGroup,
     .summary =
         "Pops the member with the highest score of the first set that has any; waits for it.",
     .complexity = "O(log(N)) for a set of N",
     .syntax = "key [key ...] timeout"},
    {.name = "zrandmember",
     .handler = zrandmember,
     .arity = -2,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "6.2.0",
     .group = kGroup,
     .summary = "Returns members of a sorted set, chosen at random.",
     .complexity = "O(N) for N members returned",
     .syntax = "key [count [WITHSCORES]]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> sorted_set_pop_commands() {
  return kTable;
}

}  // namespace millrace
