// Sorted sets against sorted sets: unions, intersections and differences, returned, counted or
// stored. A plain set takes part as a sorted set whose scores are all 1.
#include <cmath>
#include <vector>

#include "server/command/key_batch.h"
#include "server/commands/collection.h"
#include "server/commands/families.h"

namespace millrace {
namespace {

using ds::SortedSet;
using Visit = SortedSet::Visit;

// --- what is combined

// inf - inf, and infinity times a weight of 0, count as 0.
double zero_if_nan(double score) {
  return std::isnan(score) ? 0 : score;
}

// One of the keys: a sorted set, a set, or nothing. Scores come out weighted.
class Source {
 public:
  using StepVisit = ds::FunctionRef<ds::Step(std::string_view member, double score)>;

  explicit Source(const Entry* entry) : entry_(entry) {}

  void set_weight(double weight) { weight_ = weight; }
  uint64_t size() const { return entry_ ? entry_->collection_size() : 0; }

  // May be a NaN, unlike the scores that for_each() gives: a sum with it is 0 whatever the rest is,
  // as in Redis.
  std::optional<double> score(std::string_view member) const {
    if (!entry_) return std::nullopt;
    if (!is_sorted()) return entry_->set().contains(member) ? std::optional(weight_) : std::nullopt;
    const auto score = entry_->sorted_set().score(member);
    return score ? std::optional(weight_ * *score) : std::nullopt;
  }

  void for_each(Visit visit) const {
    if (!entry_) return;
    if (!is_sorted())
      return entry_->set().for_each([&](std::string_view member) { visit(member, weight_); });
    entry_->sorted_set().for_each([&](std::string_view member, double score) {
      visit(member, zero_if_nan(weight_ * score));
    });
  }

  // Until the visitor says stop.
  void for_each_until(StepVisit visit) const {
    if (!entry_) return;
    if (!is_sorted())
      return entry_->set().for_each_until(
          [&](std::string_view member) { return visit(member, weight_); });
    visit_in_pieces(visit);
  }

 private:
  // A walk over a sorted set cannot be stopped, so it is made of short ones.
  static constexpr uint64_t kPiece = 64;

  void visit_in_pieces(StepVisit visit) const {
    const SortedSet& set = entry_->sorted_set();
    ds::Step step = ds::Step::kContinue;
    for (uint64_t at = 0; at < set.size() && step == ds::Step::kContinue; at += kPiece) {
      const ds::RankRange piece{at, std::min(at + kPiece, set.size())};
      set.for_range(piece, ds::Direction::kForward, [&](std::string_view member, double score) {
        if (step == ds::Step::kContinue) step = visit(member, weight_ * score);
      });
    }
  }

  bool is_sorted() const { return entry_->type() == Type::kZSet; }

  const Entry* entry_;
  double weight_ = 1;
};
using Sources = std::vector<Source>;

enum class Operation : uint8_t { kUnion, kIntersection, kDifference };
enum class Aggregate : uint8_t { kSum, kMin, kMax };

double combine(Aggregate aggregate, double a, double b) {
  if (aggregate == Aggregate::kMin) return std::min(a, b);
  if (aggregate == Aggregate::kMax) return std::max(a, b);
  return zero_if_nan(a + b);
}

// --- the arguments

// What the answer is, and so which options there are.
enum class Answer : uint8_t { kMembers, kCount, kStored };

struct Query {
  Operation operation;
  Answer answer;
  Sources sources = {};
  Aggregate aggregate = Aggregate::kSum;
  bool with_scores = false;
  uint64_t limit = UINT64_MAX;  // of the count

  bool weighs() const { return operation != Operation::kDifference && answer != Answer::kCount; }
};

// Sets and sorted sets; another type answers WRONGTYPE.
bool read_sources(Context& c, KeyBatch keys, Sources& sources) {
  sources.reserve(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    Entry* entry = c.read(keys[i]);
    if (entry && entry->type() != Type::kSet) c.expect(entry, Type::kZSet);
    if (c.failed()) return false;
    sources.emplace_back(entry);
  }
  return true;
}

Aggregate read_aggregate(ArgReader& args) {
  if (args.take("SUM")) return Aggregate::kSum;
  if (args.take("MIN")) return Aggregate::kMin;
  if (!args.take("MAX")) args.syntax_error();
  return Aggregate::kMax;
}

void read_option(ArgReader& args, Query& query) {
  if (query.weighs() && args.take("WEIGHTS", query.sources.size())) {
    for (Source& source : query.sources)
      source.set_weight(args.real("ERR weight value is not a float"));
  } else if (query.weighs() && args.take("AGGREGATE", 1)) {
    query.aggregate = read_aggregate(args);
  } else if (query.answer == Answer::kMembers && args.take("WITHSCORES")) {
    query.with_scores = true;
  } else if (query.answer == Answer::kCount && args.take("LIMIT", 1)) {
    const int64_t limit = number_from(args, 0, "ERR LIMIT can't be negative");
    query.limit = limit == 0 ? UINT64_MAX : uint64_t(limit);
  } else {
    args.syntax_error();
  }
}

// numkeys key [key ...] and the options. The types of the keys are looked at before the options, as
// Redis does. False: answered an error.
bool read_query(Context& c, Query& query) {
  const size_t first = query.answer == Answer::kStored ? 2 : 1;
  ArgReader args(c, first);
  const int64_t keys = args.integer();
  if (keys < 1) {
    args.error("ERR at least 1 input key is needed for '" + std::string(c.command_name()) +
               "' command");
  }
  if (uint64_t(keys) > args.left()) args.syntax_error();
  if (!args.ok()) return false;
  const size_t first_key = args.position();
  args.skip(size_t(keys));
  if (!read_sources(c, KeyBatch(c, first_key, first_key + size_t(keys) - 1, 1), query.sources))
    return false;
  while (args.more()) read_option(args, query);
  return args.finish();
}

// --- combining

// An empty sorted set for `members` at least. One that is only replied is never a listpack, which
// would make 0 of -0.
SortedSet result_for(Context& c, const Query& query, uint64_t members) {
  if (query.answer == Answer::kMembers) members = SIZE_MAX;
  return SortedSet::sized_for(members, 0, sorted_set_limits(c));
}

// Smallest first: an intersection then asks least. For a union it is the order in which floating
// point numbers are added up in Redis.
void sort_by_size(Sources& sources) {
  std::stable_sort(sources.begin(), sources.end(),
                   [](const Source& a, const Source& b) { return a.size() < b.size(); });
}

SortedSet unite(Context& c, const Query& query) {
  const ds::ListpackLimits limits = sorted_set_limits(c);
  SortedSet result = result_for(c, query, query.sources.back().size());
  for (const Source& source : query.sources) {
    const bool first = result.empty();
    source.for_each([&](std::string_view member, double score) {
      const auto before = first ? std::nullopt : result.score(member);
      if (before) score = combine(query.aggregate, *before, score);
      result.add(member, score, {}, limits);
    });
  }
  return result;
}

// The combined score of a member of the first source, if all others have it too.
std::optional<double> score_in_all(const Query& query, std::string_view member, double score) {
  for (size_t i = 1; i < query.sources.size(); ++i) {
    const auto other = query.sources[i].score(member);
    if (!other) return std::nullopt;
    score = combine(query.aggregate, score, *other);
  }
  return score;
}

SortedSet intersect(Context& c, const Query& query) {
  const ds::ListpackLimits limits = sorted_set_limits(c);
  SortedSet result = result_for(c, query, 0);
  query.sources.front().for_each([&](std::string_view member, double score) {
    if (const auto all = score_in_all(query, member, score)) result.add(member, *all, {}, limits);
  });
  return result;
}

using SourceSpan = std::span<const Source>;

SortedSet subtract_asking(Context& c, const Source& first, SourceSpan others) {
  const ds::ListpackLimits limits = sorted_set_limits(c);
  SortedSet result;
  first.for_each([&](std::string_view member, double score) {
    const auto has = [member](const Source& source) { return source.score(member).has_value(); };
    if (std::none_of(others.begin(), others.end(), has)) result.add(member, score, {}, limits);
  });
  return result;
}

SortedSet subtract_removing(Context& c, const Source& first, SourceSpan others) {
  const ds::ListpackLimits limits = sorted_set_limits(c);
  SortedSet left;
  first.for_each(
      [&](std::string_view member, double score) { left.add(member, score, {}, limits); });
  for (const Source& source : others)
    source.for_each([&](std::string_view member, double) { left.erase(member); });
  if (left.size() > limits.max_entries) return left;
  SortedSet result;  // in the encoding that fits what is left
  left.for_each(
      [&](std::string_view member, double score) { result.add(member, score, {}, limits); });
  return result;
}

// Two ways, as for plain sets (ds/set_algebra.h): ask the others for each member of the first, or
// remove the members of the others from a copy of the first. The smaller estimate wins.
SortedSet subtract(Context& c, const Query& query) {
  const Source& first = query.sources.front();
  const SourceSpan others = SourceSpan(query.sources).subspan(1);
  uint64_t all_members = first.size();
  for (const Source& source : others) all_members += source.size();
  const bool asking_is_less = first.size() * query.sources.size() / 2 <= all_members;
  return asking_is_less ? subtract_asking(c, first, others) : subtract_removing(c, first, others);
}

SortedSet evaluate(Context& c, Query& query) {
  if (query.operation == Operation::kDifference) return subtract(c, query);
  sort_by_size(query.sources);
  return query.operation == Operation::kUnion ? unite(c, query) : intersect(c, query);
}

// --- ZUNION, ZINTER, ZDIFF

void reply_members(Context& c, Operation operation) {
  Query query{operation, Answer::kMembers};
  if (!read_query(c, query)) return;
  const SortedSet result = evaluate(c, query);
  proto::ReplyWriter& reply = c.reply();
  query.with_scores ? open_pairs(reply, result.size()) : reply.array(result.size());
  result.for_each([&](std::string_view member, double score) {
    if (query.with_scores) open_pair(reply);
    reply.bulk(member);
    if (query.with_scores) reply.real(score);
  });
}

// ZUNION numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX]
// [WITHSCORES]
void zunion(Context& c) {
  reply_members(c, Operation::kUnion);
}

// ZINTER numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX]
// [WITHSCORES]
void zinter(Context& c) {
  reply_members(c, Operation::kIntersection);
}

// ZDIFF numkeys key [key ...] [WITHSCORES]
void zdiff(Context& c) {
  reply_members(c, Operation::kDifference);
}

// ZINTERCARD numkeys key [key ...] [LIMIT limit]
void zintercard(Context& c) {
  Query query{Operation::kIntersection, Answer::kCount};
  if (!read_query(c, query)) return;
  sort_by_size(query.sources);
  uint64_t count = 0;
  query.sources.front().for_each_until([&](std::string_view member, double score) {
    if (score_in_all(query, member, score)) ++count;
    return count < query.limit ? ds::Step::kContinue : ds::Step::kStop;
  });
  c.reply().integer(int64_t(count));
}

void store(Context& c, Operation operation, std::string_view event) {
  Query query{operation, Answer::kStored};
  if (!read_query(c, query)) return;
  store_result(c, c.key(1), evaluate(c, query), KeyEventClass::kSortedSet, event);
}

// ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]]
//   [AGGREGATE SUM | MIN | MAX]
void zunionstore(Context& c) {
  store(c, Operation::kUnion, "zunionstore");
}

// ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]]
//   [AGGREGATE SUM | MIN | MAX]
void zinterstore(Context& c) {
  store(c, Operation::kIntersection, "zinterstore");
}

// ZDIFFSTORE destination numkeys key [key ...]
void zdiffstore(Context& c) {
  store(c, Operation::kDifference, "zdiffstore");
}

constexpr Group kGroup = Group::kSortedSet;
constexpr std::string_view kUnionCost =
    "O(N+M*log(M)) for N members of all sets and M of the result";
constexpr std::string_view kIntersectionCost =
    "O(N*K+M*log(M)) for N members of the smallest of K sets and M of the result, at worst";

constexpr CommandSpec kTable[] = {
    {.name = "zunion",
     .handler = zunion,
     .arity = -3,
     .flags = kReadOnly | kMovableKeys,
     .keys = keys_counted_at(1),
     .since = "6.2.0",
     .group = kGroup,
     .summary = "Returns the members of any of several sorted sets.",
     .complexity = kUnionCost,
     .syntax = "numkeys key [key ...] [WEIGHTS weight [weight ...]] "
               "[AGGREGATE SUM | MIN | MAX] [WITHSCORES]"},
    {.name = "zinter",
     .handler = zinter,
     .arity = -3,
     .flags = kReadOnly | kMovableKeys,
     .keys = keys_counted_at(1),
     .since = "6.2.0",
     .group = kGroup,
     .summary = "Returns what several sorted sets have in common.",
     .complexity = kIntersectionCost,
     .syntax = "numkeys key [key ...] [WEIGHTS weight [weight ...]] "
               "[AGGREGATE SUM | MIN | MAX] [WITHSCORES]"},
    {.name = "zdiff",
     .handler = zdiff,
     .arity = -3,
     .flags = kReadOnly | kMovableKeys,
     .keys = keys_counted_at(1),
     .since = "6.2.0",
     .group = kGroup,
     .summary = "Returns the members of the first sorted set that are in no other.",
     .complexity = kUnionCost,
     .syntax = "numkeys key [key ...] [WITHSCORES]"},
    {.name = "zintercard",
     .handler = zintercard,
     .arity = -3,
     .flags = kReadOnly | kMovableKeys,
     .keys = keys_counted_at(1),
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Returns how many members several sorted sets have in common.",
     .complexity = "O(N*K) for N members of the smallest of K sets, at worst",
     .syntax = "numkeys key [key ...] [LIMIT limit]"},
    {.name = "zunionstore",
     .handler = zunionstore,
     .arity = -4,
     .flags = kWrite | kDenyOom | kMovableKeys,
     .keys = key_at(1),
     .more_keys = keys_counted_at(2),
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Stores the members of any of several sorted sets.",
     .complexity = kUnionCost,
     .syntax = "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] "
               "[AGGREGATE SUM | MIN | MAX]"},
    {.name = "zinterstore",
     .handler = zinterstore,
     .arity = -4,
     .flags = kWrite | kDenyOom | kMovableKeys,
     .keys = key_at(1),
     .more_keys = keys_counted_at(2),
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Stores what several sorted sets have in common.",
     .complexity = kIntersectionCost,
     .syntax = "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] "
               "[AGGREGATE SUM | MIN | MAX]"},
    {.name = "zdiffstore",
     .handler = zdiffstore,
     .arity = -4,
     .flags = kWrite | kDenyOom | kMovableKeys,
     .keys = key_at(1),
     .more_keys = keys_counted_at(2),
     .since = "6.2.0",
     .group = kGroup,
     .summary = "Stores the members of the first sorted set that are in no other.",
     .complexity = kUnionCost,
     .syntax = "destination numkeys key [key ...]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> sorted_set_algebra_commands() {
  return kTable;
}

}  // namespace millrace
