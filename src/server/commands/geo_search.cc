// GEOSEARCH, and GEORADIUS, its older form: what is near, in a circle or a box.
//
// The shape is covered by up to nine cells of the map; each is a range of scores, whose members are
// looked at one by one (ds/geo_shape.h). What is found is copied, sorted if wanted, and answered or
// stored.
#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "server/commands/collection.h"
#include "server/commands/families.h"
#include "server/commands/geo_arguments.h"
#include "server/commands/geo_query.h"

namespace millrace {
namespace {

using Centre = GeoForm::Centre;
using Order = GeoQuery::Order;
using Store = GeoForm::Store;

struct Found {
  double score;
  double distance_m;
  ds::GeoPoint point;
  size_t name_at;
  size_t name_length;
};

// Names stand behind each other in one string: a view of a member does not outlive the visit, and a
// string of its own for each would be an allocation for each.
class Findings {
 public:
  size_t size() const { return found_.size(); }
  const Found& operator[](size_t i) const { return found_[i]; }
  std::string_view name(const Found& found) const {
    return std::string_view(names_).substr(found.name_at, found.name_length);
  }

  void add(std::string_view name, double score, double distance_m, ds::GeoPoint point) {
    found_.push_back({score, distance_m, point, names_.size(), name.size()});
    names_ += name;
  }

  // Brings the first `count` to the front, in order. What is equally far stays as it was found.
  void sort(Order order, size_t count) {
    const bool nearest_first = order == Order::kNearestFirst;
    const auto before = [nearest_first](const Found& a, const Found& b) {
      // A member without a name stands where the next begins.
      if (a.distance_m == b.distance_m)
        return std::tie(a.name_at, a.name_length) < std::tie(b.name_at, b.name_length);
      return (a.distance_m < b.distance_m) == nearest_first;
    };
    if (count < found_.size()) {
      std::partial_sort(found_.begin(), found_.begin() + ptrdiff_t(count), found_.end(), before);
    } else {
      std::sort(found_.begin(), found_.end(), before);
    }
  }

 private:
  std::vector<Found> found_;
  std::string names_;
};

// --- searching

// Members looked at before it is asked again whether there are enough.
constexpr uint64_t kVisitsAtATime = 32;

// The members with these ranks that are inside, but no more than `most` in all.
void search_ranks(const ds::SortedSet& set, ds::RankRange ranks, const ds::GeoShape& shape,
                  size_t most, Findings& findings) {
  const auto visit = [&](std::string_view member, double score) {
    if (findings.size() == most) return;
    const ds::GeoPoint point = ds::point_of_score(score);
    if (const auto distance_m = shape.distance_inside(point))
      findings.add(member, score, *distance_m, point);
  };
  while (ranks.size() != 0 && findings.size() < most) {
    const uint64_t visits = most == SIZE_MAX ? ranks.size() : kVisitsAtATime;
    const uint64_t end = std::min(ranks.begin + visits, ranks.end);
    set.for_range(ds::RankRange{ranks.begin, end}, ds::Direction::kForward, visit);
    ranks.begin = end;
  }
}

Findings search(const ds::SortedSet& set, const GeoQuery& query) {
  Findings findings;
  const size_t most = query.first_ones ? size_t(query.count) : SIZE_MAX;
  for (const ds::GeoCell& cell : query.shape->cover()) {
    const ds::ScoreRange scores{{static_cast<double>(cell.begin())},
                                {static_cast<double>(cell.end()), ds::BoundKind::kExclusive}};
    search_ranks(set, set.ranks(scores), *query.shape, most, findings);
  }
  return findings;
}

// --- answering

void reply_findings(Context& c, const GeoQuery& query, const Findings& findings, size_t count) {
  proto::ReplyWriter& reply = c.reply();
  reply.array(count);
  for (size_t i = 0; i < count; ++i) {
    const Found& found = findings[i];
    if (query.details() != 0) reply.array(1 + query.details());
    reply.bulk(findings.name(found));
    if (query.with_distance) reply_distance(c, found.distance_m / query.unit_m);
    if (query.with_hash) reply.integer(static_cast<int64_t>(found.score));
    if (query.with_point) reply_point(c, found.point);
  }
}

ds::SortedSet set_of(Context& c, const GeoQuery& query, const Findings& findings, size_t count) {
  const ds::ListpackLimits limits = sorted_set_limits(c);
  size_t longest = 0;
  for (size_t i = 0; i < count; ++i) longest = std::max(longest, findings[i].name_length);
  ds::SortedSet set = ds::SortedSet::sized_for(count, longest, limits);
  for (size_t i = 0; i < count; ++i) {
    const Found& found = findings[i];
    const double score = query.store_distance ? found.distance_m / query.unit_m : found.score;
    set.add(findings.name(found), score, {}, limits);
  }
  return set;
}

void search_form(Context& c, const GeoForm& form) {
  const Entry* entry = c.read(form.source(), Type::kZSet);
  if (c.failed()) return;
  const ds::SortedSet* set = entry ? &entry->sorted_set() : nullptr;
  const auto query = read_geo_query(c, form, set);
  if (!query) return;
  Findings findings = set ? search(*set, *query) : Findings();
  const size_t count =
      query->count == 0 ? findings.size() : std::min<size_t>(query->count, findings.size());
  if (query->order != Order::kAny) findings.sort(query->order, count);
  if (query->store_at == 0) return reply_findings(c, *query, findings, count);
  store_result(c, c.key(query->store_at), set_of(c, *query, findings, count),
               KeyEventClass::kSortedSet, form.is_search() ? "geosearchstore" : "georadiusstore");
}

// GEOSEARCH key <FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius <M | KM | FT |
//   MI> | BYBOX width height <M | KM | FT | MI>> [ASC | DESC] [COUNT count [ANY]] [WITHCOORD]
//   [WITHDIST] [WITHHASH]
void geosearch(Context& c) {
  search_form(c, {Centre::kOptions, Store::kNever});
}

// GEOSEARCHSTORE destination source <FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS
//   radius <M | KM | FT | MI> | BYBOX width height <M | KM | FT | MI>> [ASC | DESC]
//   [COUNT count [ANY]] [STOREDIST]
void geosearchstore(Context& c) {
  search_form(c, {Centre::kOptions, Store::kAlways});
}

// GEORADIUS key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH]
//   [COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]
void georadius(Context& c) {
  search_form(c, {Centre::kCoordinates, Store::kOption});
}

// GEORADIUS_RO: the same without STORE and STOREDIST.
void georadius_ro(Context& c) {
  search_form(c, {Centre::kCoordinates, Store::kNever});
}

// GEORADIUSBYMEMBER key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH]
//   [COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]
void georadiusbymember(Context& c) {
  search_form(c, {Centre::kMember, Store::kOption});
}

// GEORADIUSBYMEMBER_RO: the same without STORE and STOREDIST.
void georadiusbymember_ro(Context& c) {
  search_form(c, {Centre::kMember, Store::kNever});
}

constexpr Group kGroup = Group::kGeo;
constexpr std::string_view kCost =
    "O(N+log(M)) for N members in the cells around the shape and M inside of it";

constexpr KeySpec after(std::string_view keyword, uint8_t first) {
  return {KeySpec::Kind::kKeyword, first, 0, 1, keyword};
}

constexpr CommandSpec kTable[] = {
    {.name = "geosearch",
     .handler = geosearch,
     .arity = -7,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "6.2.0",
     .group = kGroup,
     .summary = "Returns the places of a sorted set that are in a circle or a box.",
     .complexity = kCost,
     .syntax = "key <FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius <M | KM | "
               "FT | MI> | BYBOX width height <M | KM | FT | MI>> [ASC | DESC] [COUNT count [ANY]] "
               "[WITHCOORD] [WITHDIST] [WITHHASH]"},
    {.name = "geosearchstore",
     .handler = geosearchstore,
     .arity = -8,
     .flags = kWrite | kDenyOom,
     .keys = key_at(1),
     .more_keys = key_at(2),
     .since = "6.2.0",
     .group = kGroup,
     .summary = "Stores the places of a sorted set that are in a circle or a box.",
     .complexity = kCost,
     .syntax = "destination source <FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS "
               "radius <M | KM | FT | MI> | BYBOX width height <M | KM | FT | MI>> [ASC | DESC] "
               "[COUNT count [ANY]] [STOREDIST]"},
    {.name = "georadius",
     .handler = georadius,
     .arity = -6,
     .flags = kWrite | kDenyOom,
     .keys = key_at(1),
     .more_keys = after("STORE", 6),
     .third_keys = after("STOREDIST", 6),
     .since = "3.2.0",
     .group = kGroup,
     .summary = "Returns or stores the places of a sorted set around a point.",
     .complexity = kCost,
     .syntax = "key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] "
               "[COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]"},
    {.name = "georadius_ro",
     .handler = georadius_ro,
     .arity = -6,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "3.2.10",
     .group = kGroup,
     .summary = "Returns the places of a sorted set around a point.",
     .complexity = kCost,
     .syntax = "key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] "
               "[COUNT count [ANY]] [ASC | DESC]"},
    {.name = "georadiusbymember",
     .handler = georadiusbymember,
     .arity = -5,
     .flags = kWrite | kDenyOom,
     .keys = key_at(1),
     .more_keys = after("STORE", 5),
     .third_keys = after("STOREDIST", 5),
     .since = "3.2.0",
     .group = kGroup,
     .summary = "Returns or stores the places of a sorted set around one of them.",
     .complexity = kCost,
     .syntax =
         "key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count "
         "[ANY]] [ASC | DESC] [STORE key | STOREDIST key]"},
    {.name = "georadiusbymember_ro",
     .handler = georadiusbymember_ro,
     .arity = -5,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "3.2.10",
     .group = kGroup,
     .summary = "Returns the places of a sorted set around one of them.",
     .complexity = kCost,
     .syntax =
         "key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count "
         "[ANY]] [ASC | DESC]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> geo_search_commands() {
  return kTable;
}

}  // namespace millrace
