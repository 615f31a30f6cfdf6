// Sorted sets by ranges: ZRANGE in all its forms, counting, and removing.
#include "server/commands/collection.h"
#include "server/commands/families.h"
#include "server/commands/sorted_set_bounds.h"

namespace millrace {
namespace {

using ds::Direction;

// --- counting, removing

void count(Context& c, RangeKind kind) {
  ArgReader args(c, 4);
  MemberRange range(kind, Direction::kForward);
  range.read(args, c.arg(2), c.arg(3));
  if (!args.finish()) return;
  const Entry* entry = c.read(1, Type::kZSet);
  if (c.failed()) return;
  c.reply().integer(entry ? int64_t(range.in(entry->sorted_set()).size()) : 0);
}

// ZCOUNT key min max
void zcount(Context& c) {
  count(c, RangeKind::kScore);
}

// ZLEXCOUNT key min max
void zlexcount(Context& c) {
  count(c, RangeKind::kLex);
}

void remove(Context& c, RangeKind kind, std::string_view event) {
  ArgReader args(c, 4);
  MemberRange range(kind, Direction::kForward);
  range.read(args, c.arg(2), c.arg(3));
  if (!args.finish()) return;
  Entry* entry = c.write(1, Type::kZSet);
  if (c.failed()) return;
  if (!entry) return c.reply().integer(0);
  ds::SortedSet& set = entry->sorted_set();
  const uint64_t removed = set.erase_range(range.in(set));
  c.reply().integer(int64_t(removed));
  if (removed == 0) return;
  c.modified(c.key(1), KeyEventClass::kSortedSet, event);
  c.remove_if_empty(c.key(1), entry);
}

// ZREMRANGEBYRANK key start stop
void zremrangebyrank(Context& c) {
  remove(c, RangeKind::kRank, "zremrangebyrank");
}

// ZREMRANGEBYSCORE key min max
void zremrangebyscore(Context& c) {
  remove(c, RangeKind::kScore, "zremrangebyscore");
}

// ZREMRANGEBYLEX key min max
void zremrangebylex(Context& c) {
  remove(c, RangeKind::kLex, "zremrangebylex");
}

// --- ZRANGE

// Which words a form of ZRANGE understands. The old forms have kind and direction in their names.
struct Form {
  size_t source = 1;  // position of the key; the two ends follow it
  std::optional<RangeKind> kind = {};
  std::optional<Direction> direction = {};
  bool scores = true;  // WITHSCORES
};

struct Query {
  MemberRange range{RangeKind::kRank, Direction::kForward};
  bool with_scores = false;
};

struct RangeOptions {
  std::optional<RangeKind> kind;
  std::optional<Direction> direction;
  bool with_scores = false;
  int64_t offset = 0;
  int64_t count = -1;

  bool take(ArgReader& args, const Form& form) {
    if (form.scores && args.take("WITHSCORES")) return with_scores = true;
    if (!direction && args.take("REV")) return direction = Direction::kBackward, true;
    if (!kind && args.take("BYLEX")) return kind = RangeKind::kLex, true;
    if (!kind && args.take("BYSCORE")) return kind = RangeKind::kScore, true;
    if (!args.take("LIMIT", 2)) return false;
    offset = args.integer();
    count = args.integer();
    return true;
  }
};

// Nothing: answered an error.
std::optional<Query> read_query(Context& c, const Form& form) {
  ArgReader args(c, form.source + 3);
  RangeOptions options{.kind = form.kind, .direction = form.direction};
  while (args.more())
    if (!options.take(args, form)) args.syntax_error();
  const RangeKind kind = options.kind.value_or(RangeKind::kRank);
  if (options.count != -1 && kind == RangeKind::kRank)
    args.error(
        "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
  if (options.with_scores && kind == RangeKind::kLex)
    args.error("ERR syntax error, WITHSCORES not supported in combination with BYLEX");

  Query query{{kind, options.direction.value_or(Direction::kForward)}, options.with_scores};
  query.range.read(args, c.arg(form.source + 1), c.arg(form.source + 2));
  // By rank the count is -1 here, and Redis does not look at the offset.
  if (kind != RangeKind::kRank) query.range.limit(options.offset, options.count);
  if (!args.finish()) return std::nullopt;
  return query;
}

void reply_range(Context& c, const ds::SortedSet& set, const Query& query) {
  const ds::RankRange ranks = query.range.in(set);
  proto::ReplyWriter& reply = c.reply();
  if (!query.with_scores) {
    reply.array(ranks.size());
    return set.for_range(ranks, query.range.direction(),
                         [&reply](std::string_view member, double) { reply.bulk(member); });
  }
  open_pairs(reply, ranks.size());
  set.for_range(ranks, query.range.direction(), [&reply](std::string_view member, double score) {
    open_pair(reply);
    reply.bulk(member);
    reply.real(score);
  });
}

void reply_form(Context& c, const Form& form) {
  const auto query = read_query(c, form);
  if (!query) return;
  const Entry* entry = c.read(1, Type::kZSet);
  if (c.failed()) return;
  entry ? reply_range(c, entry->sorted_set(), *query) : c.reply().empty_array();
}

// ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]
void zrange(Context& c) {
  reply_form(c, {});
}

// ZREVRANGE key start stop [WITHSCORES]
void zrevrange(Context& c) {
  reply_form(c, {.kind = RangeKind::kRank, .direction = Direction::kBackward});
}

// ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]
void zrangebyscore(Context& c) {
  reply_form(c, {.kind = RangeKind::kScore, .direction = Direction::kForward});
}

// ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]
void zrevrangebyscore(Context& c) {
  reply_form(c, {.kind = RangeKind::kScore, .direction = Direction::kBackward});
}

// ZRANGEBYLEX key min max [LIMIT offset count]
void zrangebylex(Context& c) {
  reply_form(c, {.kind = RangeKind::kLex, .direction = Direction::kForward});
}

// ZREVRANGEBYLEX key max min [LIMIT offset count]
void zrevrangebylex(Context& c) {
  reply_form(c, {.kind = RangeKind::kLex, .direction = Direction::kBackward});
}

// ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]
void zrangestore(Context& c) {
  const auto query = read_query(c, {.source = 2, .scores = false});
  if (!query) return;
  const Entry* entry = c.read(2, Type::kZSet);
  if (c.failed()) return;
  ds::SortedSet result;
  if (entry) {
    const ds::SortedSet& source = entry->sorted_set();
    const ds::RankRange ranks = query->range.in(source);
    const ds::ListpackLimits limits = sorted_set_limits(c);
    result = ds::SortedSet::sized_for(ranks.size(), 0, limits);
    // Forward whatever REV says: to append in order is the cheapest.
    source.for_range(ranks, Direction::kForward, [&](std::string_view member, double score) {
      result.add(member, score, {}, limits);
    });
  }
  store_result(c, c.key(1), std::move(result), KeyEventClass::kSortedSet, "zrangestore");
}

constexpr Group kGroup = Group::kSortedSet;
constexpr std::string_view kRangeCost = "O(log(N)+M) for M members returned of a set of N";
constexpr std::string_view kRemoveCost = "O(log(N)+M) for M members removed of a set of N";
constexpr std::string_view kCountCost = "O(log(N)) for a set of N members";

constexpr CommandSpec kTable[] = {
    {.name = "zcount",
     .handler = zcount,
     .arity = 4,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Returns how many members of a sorted set have a score in a range.",
     .complexity = kCountCost,
     .syntax = "key min max"},
    {.name = "zlexcount",
     .handler = zlexcount,
     .arity = 4,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .since = "2.8.9",
     .group = kGroup,
     .summary = "Returns how many members of a sorted set are in a lexicographical range.",
     .complexity = kCountCost,
     .syntax = "key min max"},
    {.name = "zremrangebyrank",
     .handler = zremrangebyrank,
     .arity = 4,
     .flags = kWrite,
     .keys = key_at(1),
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Removes members of a sorted set between two ranks.",
     .complexity = kRemoveCost,
     .syntax = "key start stop"},
    {.name = "zremrangebyscore",
     .handler = zremrangebyscore,
     .arity = 4,
     .flags = kWrite,
     .keys = key_at(1),
     .since = "1.2.0",
     .group = kGroup,
     .summary = "Removes members of a sorted set whose scores are in a range.",
     .complexity = kRemoveCost,
     .syntax = "key min max"},
    {.name = "zremrangebylex",
     .handler = zremrangebylex,
     .arity = 4,
     .flags = kWrite,
     .keys = key_at(1),
     .since = "2.8.9",
     .group = kGroup,
     .summary = "Removes members of a sorted set that are in a lexicographical range.",
     .complexity = kRemoveCost,
     .syntax = "key min max"},
    {.name = "zrange",
     .handler = zrange,
     .arity = -4,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "1.2.0",
     .group = kGroup,
     .summary = "Returns members of a sorted set in a range.",
     .complexity = kRangeCost,
     .syntax = "key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]"},
    {.name = "zrangestore",
     .handler = zrangestore,
     .arity = -5,
     .flags = kWrite | kDenyOom,
     .keys = key_at(1),
     .more_keys = key_at(2),
     .since = "6.2.0",
     .group = kGroup,
     .summary = "Stores members of a sorted set in a range.",
     .complexity = "O(log(N)+M) for M members stored of a set of N",
     .syntax = "dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]"},
    {.name = "zrevrange",
     .handler = zrevrange,
     .arity = -4,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "1.2.0",
     .group = kGroup,
     .summary = "Returns members of a sorted set between two ranks counted from the highest.",
     .complexity = kRangeCost,
     .syntax = "key start stop [WITHSCORES]"},
    {.name = "zrangebyscore",
     .handler = zrangebyscore,
     .arity = -4,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "1.0.5",
     .group = kGroup,
     .summary = "Returns members of a sorted set whose scores are in a range.",
     .complexity = kRangeCost,
     .syntax = "key min max [WITHSCORES] [LIMIT offset count]"},
    {.name = "zrevrangebyscore",
     .handler = zrevrangebyscore,
     .arity = -4,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "2.2.0",
     .group = kGroup,
     .summary = "Returns members whose scores are in a range, from the highest down.",
     .complexity = kRangeCost,
     .syntax = "key max min [WITHSCORES] [LIMIT offset count]"},
    {.name = "zrangebylex",
     .handler = zrangebylex,
     .arity = -4,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "2.8.9",
     .group = kGroup,
     .summary = "Returns members of a sorted set in a lexicographical range.",
     .complexity = kRangeCost,
     .syntax = "key min max [LIMIT offset count]"},
    {.name = "zrevrangebylex",
     .handler = zrevrangebylex,
     .arity = -4,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "2.8.9",
     .group = kGroup,
     .summary = "Returns members in a lexicographical range, from the highest down.",
     .complexity = kRangeCost,
     .syntax = "key max min [LIMIT offset count]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> sorted_set_range_commands() {
  return kTable;
}

}  // namespace millrace
