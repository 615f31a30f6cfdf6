// Sets: their members one by one, at random, and step by step. Intersections, unions and
// differences are in set_algebra.cc.
#include "server/commands/collection.h"
#include "server/commands/families.h"

namespace millrace {
namespace {

constexpr auto kSet = KeyEventClass::kSet;

// --- adding and removing

// The set under argument 1 ready for `members` more, or a new one in the encoding that suits them.
ds::StringSet& set_for(Context& c, Entry* entry, size_t members,
                       const ds::StringSetLimits& limits) {
  if (!entry)
    return c.db().add(c.key(1), ds::StringSet::sized_for(c.arg(2), members, limits))->set();
  entry->set().expect(members, limits);
  return entry->set();
}

// SADD key member [member ...]
void sadd(Context& c) {
  Entry* entry = c.write(1, Type::kSet);
  if (c.failed()) return;
  const ds::StringSetLimits limits = string_set_limits(c);
  ds::StringSet& set = set_for(c, entry, c.arg_count() - 2, limits);
  int64_t added = 0;
  for (size_t i = 2; i < c.arg_count(); ++i) added += set.add(c.arg(i), limits);
  if (added > 0) c.modified(c.key(1), kSet, "sadd");
  c.reply().integer(added);
}

// SREM key member [member ...]
void srem(Context& c) {
  Entry* entry = c.write(1, Type::kSet);
  if (c.failed()) return;
  if (!entry) return c.reply().integer(0);
  int64_t removed = 0;
  for (size_t i = 2; i < c.arg_count(); ++i) removed += entry->set().erase(c.arg(i));
  c.reply().integer(removed);
  if (removed == 0) return;
  c.modified(c.key(1), kSet, "srem");
  c.remove_if_empty(c.key(1), entry);
}

// SMOVE source destination member
void smove(Context& c) {
  const std::string_view member = c.arg(3);
  const Key from = c.key(1), to = c.key(2);
  Entry* source = c.write(from);
  Entry* target = c.write(to);
  if (!source) return c.reply().integer(0);
  c.expect(source, Type::kSet);
  c.expect(target, Type::kSet);
  if (c.failed()) return;
  if (source == target) return c.reply().integer(source->set().contains(member));
  if (!source->set().erase(member)) return c.reply().integer(0);
  c.modified(from, kSet, "srem");
  c.remove_if_empty(from, source);

  const ds::StringSetLimits limits = string_set_limits(c);
  if (!target) target = c.db().add(to, ds::StringSet::sized_for(member, 1, limits));
  if (target->set().add(member, limits)) c.modified(to, kSet, "sadd");
  c.reply().integer(1);
}

// --- asking

// SISMEMBER key member
void sismember(Context& c) {
  const Entry* entry = c.read(1, Type::kSet);
  if (c.failed()) return;
  c.reply().integer(entry && entry->set().contains(c.arg(2)));
}

// SMISMEMBER key member [member ...]
void smismember(Context& c) {
  const Entry* entry = c.read(1, Type::kSet);
  if (c.failed()) return;
  c.reply().array(c.arg_count() - 2);
  for (size_t i = 2; i < c.arg_count(); ++i)
    c.reply().integer(entry && entry->set().contains(c.arg(i)));
}

// SCARD key
void scard(Context& c) {
  const Entry* entry = c.read(1, Type::kSet);
  if (c.failed()) return;
  c.reply().integer(entry ? int64_t(entry->set().size()) : 0);
}

// SMEMBERS key
void smembers(Context& c) {
  const Entry* entry = c.read(1, Type::kSet);
  if (c.failed()) return;
  proto::ReplyWriter& reply = c.reply();
  reply.set(entry ? entry->set().size() : 0);
  if (entry) entry->set().for_each([&reply](std::string_view member) { reply.bulk(member); });
}

// --- at random

// What was drawn, as what it comes to: SREM of the members, or DEL where a count took them all.
class DrawnMembers {
 public:
  explicit DrawnMembers(Context& c) : context_(c), kept_(c.feeds()) {}

  void add(std::string_view member) {
    if (kept_) members_.emplace_back(member);
  }
  void feed_removal() const {
    if (!kept_) return;
    std::vector<std::string_view> words = {"SREM", context_.arg(1)};
    words.insert(words.end(), members_.begin(), members_.end());
    context_.feed_instead(words);
  }
  void feed_end_of_key() const {
    if (kept_) context_.feed_instead({"DEL", context_.arg(1)});
  }

 private:
  Context& context_;
  bool kept_;
  std::vector<std::string> members_;
};

void after_pop(Context& c, Entry* entry) {
  c.modified(c.key(1), kSet, "spop");
  c.remove_if_empty(c.key(1), entry);
}

void pop_counted(Context& c) {
  ArgReader args(c, 2);
  const int64_t wanted = number_from(args, 0, errors::kNotPositive);
  if (!args.finish()) return;
  Entry* entry = c.write(1, Type::kSet);
  if (c.failed()) return;
  if (!entry || wanted == 0) return c.reply().set(0);
  const uint64_t count = std::min(uint64_t(wanted), entry->set().size());
  c.reply().set(count);
  DrawnMembers drawn(c);
  entry->set().pop_random(count, c.services().prng, [&](std::string_view member) {
    c.reply().bulk(member);
    drawn.add(member);
  });
  entry->set().size() == 0 ? drawn.feed_end_of_key() : drawn.feed_removal();
  after_pop(c, entry);
}

// SPOP key [count]
void spop(Context& c) {
  if (c.arg_count() > 3) return c.fail(errors::kSyntax);
  if (c.arg_count() == 3) return pop_counted(c);
  Entry* entry = c.write(1, Type::kSet);
  if (c.failed()) return;
  if (!entry) return c.reply().null();
  DrawnMembers drawn(c);
  entry->set().pop_random(c.services().prng, [&](std::string_view member) {
    c.reply().bulk(member);
    drawn.add(member);
  });
  drawn.feed_removal();
  after_pop(c, entry);
}

// SRANDMEMBER key [count]
void srandmember(Context& c) {
  Draw draw;
  if (c.arg_count() > 3) return c.fail(errors::kSyntax);
  if (!read_draw(c, "", draw)) return;
  const Entry* entry = c.read(1, Type::kSet);
  if (c.failed()) return;
  if (!entry) return draw.single ? c.reply().null() : c.reply().empty_array();
  if (!draw.single) c.reply().array(draw.from(entry->set().size()));
  entry->set().random(draw.count, draw.repetition, c.services().prng,
                      [&c](std::string_view member) { c.reply().bulk(member); });
}

// SSCAN key cursor [MATCH pattern] [COUNT count]
void sscan(Context& c) {
  ScanArgs scan;
  const Entry* entry = read_scan(c, Type::kSet, scan);
  if (!entry) return;
  ScanReply found(c);
  found.send(scan_some(scan, [&](uint64_t cursor, int64_t& seen) {
    return entry->set().scan(cursor, [&](std::string_view member) {
      ++seen;
      if (scan.matches(member)) found.add(1).bulk(member);
    });
  }));
}

constexpr Group kGroup = Group::kSet;

constexpr CommandSpec kTable[] = {
    {.name = "sadd",
     .handler = sadd,
     .arity = -3,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .member = 2,
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Adds members to a set.",
     .complexity = "O(N) for N members",
     .syntax = "key member [member ...]"},
    {.name = "srem",
     .handler = srem,
     .arity = -3,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .member = 2,
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Removes members from a set.",
     .complexity = "O(N) for N members",
     .syntax = "key member [member ...]"},
    {.name = "smove",
     .handler = smove,
     .arity = 4,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .more_keys = key_at(2),
     .member = 3,
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Moves a member from one set to another.",
     .complexity = "O(1)",
     .syntax = "source destination member"},
    {.name = "sismember",
     .handler = sismember,
     .arity = 3,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .member = 2,
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Tells whether a set has a member.",
     .complexity = "O(1)",
     .syntax = "key member"},
    {.name = "smismember",
     .handler = smismember,
     .arity = -3,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .member = 2,
     .since = "6.2.0",
     .group = kGroup,
     .summary = "Tells for several members whether a set has them.",
     .complexity = "O(N) for N members",
     .syntax = "key member [member ...]"},
    {.name = "scard",
     .handler = scard,
     .arity = 2,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Returns how many members a set has.",
     .complexity = "O(1)",
     .syntax = "key"},
    {.name = "smembers",
     .handler = smembers,
     .arity = 2,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Returns all members of a set.",
     .complexity = "O(N) for N members",
     .syntax = "key"},
    {.name = "spop",
     .handler = spop,
     .arity = -2,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Removes members of a set, chosen at random, and returns them.",
     .complexity = "O(N) for N members returned",
     .syntax = "key [count]"},
    {.name = "srandmember",
     .handler = srandmember,
     .arity = -2,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Returns members of a set, chosen at random.",
     .complexity = "O(N) for N members returned",
     .syntax = "key [count]"},
    {.name = "sscan",
     .handler = sscan,
     .arity = -3,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "2.8.0",
     .group = kGroup,
     .summary = "Walks over the members of a set, some at each call.",
     .complexity = "O(1) for each call, O(N) for a whole walk over N members",
     .syntax = "key cursor [MATCH pattern] [COUNT count]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> set_commands() {
  return kTable;
}

}  // namespace millrace
