// Sorted sets: members with their scores, one by one. Ranges are in sorted_set_range.cc, what takes
// members away from the ends or draws them in sorted_set_pop.cc, unions and the like in
// sorted_set_algebra.cc.
#include <vector>

#include "server/commands/collection.h"
#include "server/commands/families.h"

namespace millrace {
namespace {

constexpr auto kSortedSet = KeyEventClass::kSortedSet;
using ds::SortedSet;
using AddResult = SortedSet::AddResult;

// --- ZADD

struct AddFlags {
  bool only_new = false;       // NX
  bool only_existing = false;  // XX
  bool greater = false;        // GT
  bool less = false;           // LT
  bool changed = false;        // CH
  bool increment = false;      // INCR

  SortedSet::AddOptions options() const {
    SortedSet::AddOptions options;
    if (only_new) options.presence = SortedSet::Presence::kOnlyNew;
    if (only_existing) options.presence = SortedSet::Presence::kOnlyExisting;
    if (greater) options.change = SortedSet::Change::kOnlyGreater;
    if (less) options.change = SortedSet::Change::kOnlyLess;
    if (increment) options.operand = SortedSet::Operand::kIncrement;
    return options;
  }
};

bool take_flag(ArgReader& args, AddFlags& flags) {
  if (args.take("NX")) return flags.only_new = true;
  if (args.take("XX")) return flags.only_existing = true;
  if (args.take("GT")) return flags.greater = true;
  if (args.take("LT")) return flags.less = true;
  if (args.take("CH")) return flags.changed = true;
  if (args.take("INCR")) return flags.increment = true;
  return false;
}

// Takes the flags; what is left are pairs then, at least one.
void read_flags(ArgReader& args, AddFlags& flags) {
  while (take_flag(args, flags)) {
  }
  if (args.left() == 0 || args.left() % 2 != 0) args.syntax_error();
  if (flags.only_new && flags.only_existing)
    args.error("ERR XX and NX options at the same time are not compatible");
  const int rules = flags.only_new + flags.greater + flags.less;
  if (rules > 1) args.error("ERR GT, LT, and/or NX options at the same time are not compatible");
  if (flags.increment && args.left() > 2)
    args.error("ERR INCR option supports a single increment-element pair");
}

// The pairs of score and member at the end of the arguments. All scores are read before anything is
// changed; the usual single one needs no memory.
class ScoredArguments {
 public:
  ScoredArguments(Context& c, ArgReader& args) : context_(c), first_(args.position()) {
    const size_t pairs = args.left() / 2;
    if (pairs > 1) scores_.reserve(pairs - 1);
    for (size_t i = 0; i < pairs && args.ok(); ++i) {
      const double score = args.real();
      args.skip();
      i == 0 ? void(first_score_ = score) : scores_.push_back(score);
    }
  }
  size_t size() const { return 1 + scores_.size(); }
  double score(size_t i) const { return i == 0 ? first_score_ : scores_[i - 1]; }
  std::string_view member(size_t i) const { return context_.arg(first_ + 2 * i + 1); }

 private:
  Context& context_;
  size_t first_;
  double first_score_ = 0;
  std::vector<double> scores_;
};

SortedSet& sorted_set_for(Context& c, Entry* entry, const ScoredArguments& pairs,
                          const ds::ListpackLimits& limits) {
  if (entry) {
    entry->sorted_set().expect(pairs.size(), limits);
    return entry->sorted_set();
  }
  auto set = SortedSet::sized_for(pairs.size(), pairs.member(0).size(), limits);
  return c.db().add(c.key(1), std::move(set))->sorted_set();
}

struct AddTotals {
  int64_t added = 0;
  int64_t updated = 0;
  SortedSet::AddOutcome last = {AddResult::kSkipped, 0};
};

AddTotals add_pairs(SortedSet& set, const ScoredArguments& pairs, SortedSet::AddOptions options,
                    const ds::ListpackLimits& limits) {
  AddTotals totals;
  for (size_t i = 0; i < pairs.size(); ++i) {
    totals.last = set.add(pairs.member(i), pairs.score(i), options, limits);
    if (totals.last.result == AddResult::kAdded) ++totals.added;
    if (totals.last.result == AddResult::kUpdated) ++totals.updated;
  }
  return totals;
}

void reply_totals(Context& c, const AddFlags& flags, const AddTotals& totals) {
  if (!flags.increment)
    return c.reply().integer(totals.added + (flags.changed ? totals.updated : 0));
  if (totals.last.result == AddResult::kSkipped) return c.reply().null();
  c.reply().real(totals.last.score);
}

void add(Context& c, AddFlags flags) {
  ArgReader args(c, 2);
  read_flags(args, flags);
  const ScoredArguments pairs(c, args);
  if (!args.finish()) return;
  Entry* entry = c.write(1, Type::kZSet);
  if (c.failed()) return;
  if (!entry && flags.only_existing) return reply_totals(c, flags, {});
  const ds::ListpackLimits limits = sorted_set_limits(c);
  SortedSet& set = sorted_set_for(c, entry, pairs, limits);
  const AddTotals totals = add_pairs(set, pairs, flags.options(), limits);
  // Only an increment can do this, and it is alone, so nothing has changed.
  if (totals.last.result == AddResult::kNotANumber)
    return c.fail("ERR resulting score is not a number (NaN)");
  if (totals.added + totals.updated > 0)
    c.modified(c.key(1), kSortedSet, flags.increment ? "zincr" : "zadd");
  reply_totals(c, flags, totals);
}

// ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]
void zadd(Context& c) {
  add(c, {});
}

// ZINCRBY key increment member
void zincrby(Context& c) {
  add(c, {.increment = true});
}

// ZREM key member [member ...]
void zrem(Context& c) {
  Entry* entry = c.write(1, Type::kZSet);
  if (c.failed()) return;
  if (!entry) return c.reply().integer(0);
  int64_t removed = 0;
  for (size_t i = 2; i < c.arg_count(); ++i) removed += entry->sorted_set().erase(c.arg(i));
  c.reply().integer(removed);
  if (removed == 0) return;
  c.modified(c.key(1), kSortedSet, "zrem");
  c.remove_if_empty(c.key(1), entry);
}

// --- asking

void reply_score(Context& c, const Entry* entry, std::string_view member) {
  const auto score = entry ? entry->sorted_set().score(member) : std::nullopt;
  score ? c.reply().real(*score) : c.reply().null();
}

// ZSCORE key member
void zscore(Context& c) {
  const Entry* entry = c.read(1, Type::kZSet);
  if (c.failed()) return;
  reply_score(c, entry, c.arg(2));
}

// ZMSCORE key member [member ...]
void zmscore(Context& c) {
  const Entry* entry = c.read(1, Type::kZSet);
  if (c.failed()) return;
  c.reply().array(c.arg_count() - 2);
  for (size_t i = 2; i < c.arg_count(); ++i) reply_score(c, entry, c.arg(i));
}

// ZCARD key
void zcard(Context& c) {
  const Entry* entry = c.read(1, Type::kZSet);
  if (c.failed()) return;
  c.reply().integer(entry ? int64_t(entry->sorted_set().size()) : 0);
}

void reply_rank(Context& c, ds::Direction counted) {
  if (c.arg_count() > 4) return c.fail(errors::wrong_arity(c.command_name()));
  ArgReader args(c, 3);
  const bool with_score = args.take("WITHSCORE");
  if (!args.finish()) return;
  const Entry* entry = c.read(1, Type::kZSet);
  if (c.failed()) return;
  const auto found = entry ? entry->sorted_set().rank(c.arg(2)) : std::nullopt;
  if (!found) return with_score ? c.reply().null_array() : c.reply().null();
  uint64_t rank = found->rank;
  if (counted == ds::Direction::kBackward) rank = entry->sorted_set().size() - 1 - rank;
  if (with_score) c.reply().array(2);
  c.reply().integer(int64_t(rank));
  if (with_score) c.reply().real(found->score);
}

// ZRANK key member [WITHSCORE]
void zrank(Context& c) {
  reply_rank(c, ds::Direction::kForward);
}

// ZREVRANK key member [WITHSCORE]
void zrevrank(Context& c) {
  reply_rank(c, ds::Direction::kBackward);
}

// ZSCAN key cursor [MATCH pattern] [COUNT count]
void zscan(Context& c) {
  ScanArgs scan;
  const Entry* entry = read_scan(c, Type::kZSet, scan);
  if (!entry) return;
  ScanReply found(c);
  found.send(scan_some(scan, [&](uint64_t cursor, int64_t& seen) {
    return entry->sorted_set().scan(cursor, [&](std::string_view member, double score) {
      ++seen;
      if (!scan.matches(member)) return;
      proto::ReplyWriter& pair = found.add(2);
      pair.bulk(member);
      pair.bulk_double(score);
    });
  }));
}

constexpr Group kGroup = Group::kSortedSet;

constexpr CommandSpec kTable[] = {
    {.name = "zadd",
     .handler = zadd,
     .arity = -4,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .member = 3,
     .since = "1.2.0",
     .group = kGroup,
     .summary = "Adds members to a sorted set, or changes their scores.",
     .complexity = "O(log(N)) for each member, N being the size of the set",
     .syntax = "key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]"},
    {.name = "zincrby",
     .handler = zincrby,
     .arity = 4,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .member = 3,
     .since = "1.2.0",
     .group = kGroup,
     .summary = "Adds a number to the score of a member of a sorted set.",
     .complexity = "O(log(N)) for a set of N members",
     .syntax = "key increment member"},
    {.name = "zrem",
     .handler = zrem,
     .arity = -3,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .member = 2,
     .since = "1.2.0",
     .group = kGroup,
     .summary = "Removes members from a sorted set.",
     .complexity = "O(M*log(N)) for M members of a set of N",
     .syntax = "key member [member ...]"},
    {.name = "zscore",
     .handler = zscore,
     .arity = 3,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .member = 2,
     .since = "1.2.0",
     .group = kGroup,
     .summary = "Returns the score of a member of a sorted set.",
     .complexity = "O(1)",
     .syntax = "key member"},
    {.name = "zmscore",
     .handler = zmscore,
     .arity = -3,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .member = 2,
     .since = "6.2.0",
     .group = kGroup,
     .summary = "Returns the scores of several members of a sorted set.",
     .complexity = "O(N) for N members",
     .syntax = "key member [member ...]"},
    {.name = "zcard",
     .handler = zcard,
     .arity = 2,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .since = "1.2.0",
     .group = kGroup,
     .summary = "Returns how many members a sorted set has.",
     .complexity = "O(1)",
     .syntax = "key"},
    {.name = "zrank",
     .handler = zrank,
     .arity = -3,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .member = 2,
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Returns how many members of a sorted set stand before a member.",
     .complexity = "O(log(N)) for a set of N members",
     .syntax = "key member [WITHSCORE]"},
    {.name = "zrevrank",
     .handler = zrevrank,
     .arity = -3,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .member = 2,
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Returns how many members of a sorted set stand behind a member.",
     .complexity = "O(log(N)) for a set of N members",
     .syntax = "key member [WITHSCORE]"},
    {.name = "zscan",
     .handler = zscan,
     .arity = -3,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "2.8.0",
     .group = kGroup,
     .summary = "Walks over the members of a sorted set, some at each call.",
     .complexity = "O(1) for each call, O(N) for a whole walk over N members",
     .syntax = "key cursor [MATCH pattern] [COUNT count]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> sorted_set_commands() {
  return kTable;
}

}  // namespace millrace
