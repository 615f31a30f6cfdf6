// Sets against sets: intersections, unions and differences, returned, counted or stored. How they
// are found is told in ds/set_algebra.h.
#include <vector>

#include "server/command/key_batch.h"
#include "server/commands/collection.h"
#include "server/commands/families.h"
#include "server/ds/set_algebra.h"

namespace millrace {
namespace {

constexpr auto kSet = KeyEventClass::kSet;
using Sources = std::vector<const ds::StringSet*>;
using Algorithm = void (*)(ds::StringSets, ds::StringSet::Visit);

// The sets under the keys; null for a missing one. All keys are looked at, so that a wrong type is
// an error even where the result is known to be empty. Nothing: answered an error.
std::optional<Sources> read_sources(Context& c, KeyBatch keys) {
  Sources sources;
  sources.reserve(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    const Entry* entry = c.expect(c.read(keys[i]), Type::kSet);
    if (c.failed()) return std::nullopt;
    sources.push_back(entry ? &entry->set() : nullptr);
  }
  return sources;
}

void intersect(ds::StringSets sets, ds::StringSet::Visit visit) {
  ds::for_each_in_all(sets, UINT64_MAX, visit);
}

void reply_result(Context& c, Algorithm algorithm) {
  const auto sources = read_sources(c, KeyBatch(c, 1));
  if (!sources) return;
  size_t members = 0;
  proto::DeferredLength set = c.reply().defer_set();
  algorithm(*sources, [&](std::string_view member) {
    c.reply().bulk(member);
    ++members;
  });
  c.reply().finish(set, members);
}

// SINTER key [key ...]
void sinter(Context& c) {
  reply_result(c, intersect);
}

// SUNION key [key ...]
void sunion(Context& c) {
  reply_result(c, ds::for_each_in_any);
}

// SDIFF key [key ...]
void sdiff(Context& c) {
  reply_result(c, ds::for_each_in_first_only);
}

// SINTERCARD numkeys key [key ...] [LIMIT limit]
void sintercard(Context& c) {
  ArgReader args(c);
  const auto keys = uint64_t(number_from(args, 1, "ERR numkeys should be greater than 0"));
  if (keys > args.left()) args.error("ERR Number of keys can't be greater than number of args");
  args.skip(keys);
  uint64_t limit = 0;
  while (args.more()) {
    if (args.take("LIMIT", 1)) {
      limit = uint64_t(number_from(args, 0, "ERR LIMIT can't be negative"));
    } else {
      args.syntax_error();
    }
  }
  if (!args.finish()) return;
  const auto sources = read_sources(c, KeyBatch(c, 2, 1 + keys, 1));
  if (!sources) return;
  const uint64_t most = limit == 0 ? UINT64_MAX : limit;
  c.reply().integer(int64_t(ds::for_each_in_all(*sources, most, [](std::string_view) {})));
}

// --- storing

ds::StringSet collect(Context& c, const Sources& sources, Algorithm algorithm) {
  ds::StringSet result;
  const ds::StringSetLimits limits = string_set_limits(c);
  algorithm(sources, [&](std::string_view member) { result.add(member, limits); });
  return result;
}

// An intersection whose smallest source is a hash table becomes one in Redis, however small it is,
// unless it holds nothing but integers.
void settle_intersection(Context& c, const Sources& sources, ds::StringSet& result) {
  if (result.encoding() != ds::StringSet::Encoding::kListpack) return;
  const ds::StringSet& smallest = **std::min_element(
      sources.begin(), sources.end(), [](auto* a, auto* b) { return a->size() < b->size(); });
  if (smallest.encoding() == ds::StringSet::Encoding::kHashTable)
    result.expect(SIZE_MAX, string_set_limits(c));
}

// SINTERSTORE destination key [key ...]
void sinterstore(Context& c) {
  const auto sources = read_sources(c, KeyBatch(c, 2));
  if (!sources) return;
  ds::StringSet result = collect(c, *sources, intersect);
  if (!result.empty()) settle_intersection(c, *sources, result);
  store_result(c, c.key(1), std::move(result), kSet, "sinterstore");
}

void store(Context& c, Algorithm algorithm, std::string_view event) {
  const auto sources = read_sources(c, KeyBatch(c, 2));
  if (!sources) return;
  store_result(c, c.key(1), collect(c, *sources, algorithm), kSet, event);
}

// SUNIONSTORE destination key [key ...]
void sunionstore(Context& c) {
  store(c, ds::for_each_in_any, "sunionstore");
}

// SDIFFSTORE destination key [key ...]
void sdiffstore(Context& c) {
  store(c, ds::for_each_in_first_only, "sdiffstore");
}

constexpr Group kGroup = Group::kSet;
constexpr std::string_view kIntersectionCost =
    "O(N*M) for N members of the smallest of M sets, at worst";
constexpr std::string_view kUnionCost = "O(N) for N members of all sets";

constexpr CommandSpec kTable[] = {
    {.name = "sinter",
     .handler = sinter,
     .arity = -2,
     .flags = kReadOnly,
     .keys = keys_between(1, -1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Returns what several sets have in common.",
     .complexity = kIntersectionCost,
     .syntax = "key [key ...]"},
    {.name = "sintercard",
     .handler = sintercard,
     .arity = -3,
     .flags = kReadOnly | kMovableKeys,
     .keys = keys_counted_at(1),
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Returns how many members several sets have in common.",
     .complexity = kIntersectionCost,
     .syntax = "numkeys key [key ...] [LIMIT limit]"},
    {.name = "sinterstore",
     .handler = sinterstore,
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .keys = key_at(1),
     .more_keys = keys_between(2, -1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Stores what several sets have in common.",
     .complexity = kIntersectionCost,
     .syntax = "destination key [key ...]"},
    {.name = "sunion",
     .handler = sunion,
     .arity = -2,
     .flags = kReadOnly,
     .keys = keys_between(1, -1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Returns the members of any of several sets.",
     .complexity = kUnionCost,
     .syntax = "key [key ...]"},
    {.name = "sunionstore",
     .handler = sunionstore,
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .keys = key_at(1),
     .more_keys = keys_between(2, -1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Stores the members of any of several sets.",
     .complexity = kUnionCost,
     .syntax = "destination key [key ...]"},
    {.name = "sdiff",
     .handler = sdiff,
     .arity = -2,
     .flags = kReadOnly,
     .keys = keys_between(1, -1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Returns the members of the first set that are in no other.",
     .complexity = kUnionCost,
     .syntax = "key [key ...]"},
    {.name = "sdiffstore",
     .handler = sdiffstore,
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .keys = key_at(1),
     .more_keys = keys_between(2, -1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Stores the members of the first set that are in no other.",
     .complexity = kUnionCost,
     .syntax = "destination key [key ...]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> set_algebra_commands() {
  return kTable;
}

}  // namespace millrace
