// Places on the map, kept as the scores of a sorted set (ds/geohash.h). Searching them is in
// geo_search.cc.
#include <vector>

#include "server/commands/collection.h"
#include "server/commands/families.h"
#include "server/commands/geo_arguments.h"
#include "server/ds/geo_shape.h"

namespace millrace {
namespace {

using AddResult = ds::SortedSet::AddResult;

// --- GEOADD

struct AddFlags {
  bool only_new = false;       // NX
  bool only_existing = false;  // XX
  bool changed = false;        // CH

  bool take(ArgReader& args) {
    if (args.take("NX")) return only_new = true;
    if (args.take("XX")) return only_existing = true;
    return args.take("CH") && (changed = true);
  }
  ds::SortedSet::AddOptions options() const {
    ds::SortedSet::AddOptions options;
    if (only_new) options.presence = ds::SortedSet::Presence::kOnlyNew;
    if (only_existing) options.presence = ds::SortedSet::Presence::kOnlyExisting;
    return options;
  }
};

struct Place {
  double score;
  std::string_view member;
};

// All of them are read before anything is changed.
std::vector<Place> read_places(ArgReader& args) {
  std::vector<Place> places;
  if (args.left() == 0 || args.left() % 3 != 0) args.syntax_error();
  places.reserve(args.left() / 3);
  while (args.more()) {
    const ds::GeoPoint point = read_point(args);
    const std::string_view member = args.word();
    if (args.ok()) places.push_back({ds::geo_score(point), member});
  }
  return places;
}

// GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]
void geoadd(Context& c) {
  ArgReader args(c, 2);
  AddFlags flags;
  while (args.more() && flags.take(args)) {
  }
  if (flags.only_new && flags.only_existing) args.syntax_error();
  const std::vector<Place> places = read_places(args);
  if (!args.finish()) return;
  Entry* entry = c.write(1, Type::kZSet);
  if (c.failed()) return;
  if (!entry && flags.only_existing) return c.reply().integer(0);

  const ds::ListpackLimits limits = sorted_set_limits(c);
  if (entry) {
    entry->sorted_set().expect(places.size(), limits);
  } else {
    const size_t first_length = places[0].member.size();
    entry = c.db().add(c.key(1), ds::SortedSet::sized_for(places.size(), first_length, limits));
  }
  ds::SortedSet& set = entry->sorted_set();
  int64_t added = 0, updated = 0;
  for (const Place& place : places) {
    const AddResult result = set.add(place.member, place.score, flags.options(), limits).result;
    added += result == AddResult::kAdded;
    updated += result == AddResult::kUpdated;
  }
  if (added + updated > 0) c.modified(c.key(1), KeyEventClass::kSortedSet, "zadd");
  c.reply().integer(flags.changed ? added + updated : added);
}

// --- asking

// GEODIST key member1 member2 [M | KM | FT | MI]
void geodist(Context& c) {
  ArgReader args(c, 4);
  if (args.left() > 1) args.syntax_error();
  const double unit_m = args.more() ? read_unit(args) : 1;
  if (!args.finish()) return;
  const Entry* entry = c.read(1, Type::kZSet);
  if (c.failed()) return;
  if (!entry) return c.reply().null();
  const auto from = place_of(entry->sorted_set(), c.arg(2));
  const auto to = place_of(entry->sorted_set(), c.arg(3));
  if (!from || !to) return c.reply().null();
  reply_distance(c, ds::geo_distance(*from, *to) / unit_m);
}

// f(place) for each member among the arguments, which answers one element.
template <typename F>
void reply_places(Context& c, F&& f) {
  const Entry* entry = c.read(1, Type::kZSet);
  if (c.failed()) return;
  c.reply().array(c.arg_count() - 2);
  for (const std::string_view member : c.args().subspan(2))
    f(entry ? place_of(entry->sorted_set(), member) : std::nullopt);
}

// GEOHASH key [member [member ...]]
void geohash(Context& c) {
  reply_places(c, [&c](std::optional<ds::GeoPoint> place) {
    if (!place) return c.reply().null();
    const ds::GeoText text = ds::geo_text(*place);
    c.reply().bulk({text.data(), text.size()});
  });
}

// GEOPOS key [member [member ...]]
void geopos(Context& c) {
  reply_places(c, [&c](std::optional<ds::GeoPoint> place) {
    place ? reply_point(c, *place) : c.reply().null_array();
  });
}

constexpr Group kGroup = Group::kGeo;

constexpr CommandSpec kTable[] = {
    {.name = "geoadd",
     .handler = geoadd,
     .arity = -5,
     .flags = kWrite | kDenyOom,
     .keys = key_at(1),
     .member = 4,
     .since = "3.2.0",
     .group = kGroup,
     .summary = "Adds places to a sorted set, or moves them.",
     .complexity = "O(log(N)) for each place, N being the size of the set",
     .syntax = "key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]"},
    {.name = "geodist",
     .handler = geodist,
     .arity = -4,
     .flags = kReadOnly,
     .keys = key_at(1),
     .member = 2,
     .since = "3.2.0",
     .group = kGroup,
     .summary = "Returns the distance between two places of a sorted set.",
     .complexity = "O(1)",
     .syntax = "key member1 member2 [M | KM | FT | MI]"},
    {.name = "geohash",
     .handler = geohash,
     .arity = -2,
     .flags = kReadOnly,
     .keys = key_at(1),
     .member = 2,
     .since = "3.2.0",
     .group = kGroup,
     .summary = "Returns places of a sorted set as geohashes of eleven characters.",
     .complexity = "O(1) for each place",
     .syntax = "key [member [member ...]]"},
    {.name = "geopos",
     .handler = geopos,
     .arity = -2,
     .flags = kReadOnly,
     .keys = key_at(1),
     .member = 2,
     .since = "3.2.0",
     .group = kGroup,
     .summary = "Returns longitude and latitude of places of a sorted set.",
     .complexity = "O(1) for each place",
     .syntax = "key [member [member ...]]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> geo_commands() {
  return kTable;
}

}  // namespace millrace
