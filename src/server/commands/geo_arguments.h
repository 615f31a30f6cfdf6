// Places, units and distances, as the commands on them read and write them.
#pragma once

#include <optional>
#include <string_view>

#include "server/command/arg_reader.h"
#include "server/ds/geohash.h"
#include "server/ds/sorted_set.h"

namespace millrace {

// longitude latitude. One that is not on the map is an error.
ds::GeoPoint read_point(ArgReader& args);

// m | km | ft | mi, in metres.
double read_unit(ArgReader& args);

// Where a member is; nothing: there is no such member.
std::optional<ds::GeoPoint> place_of(const ds::SortedSet& set, std::string_view member);

// Answers with four decimals.
void reply_distance(Context& c, double distance);
// Answers longitude and latitude.
void reply_point(Context& c, ds::GeoPoint point);

}  // namespace millrace
