#include "server/commands/geo_arguments.h"

#include <cmath>
#include <cstdio>
#include <string>

#include "ae/base/decimal.h"

namespace millrace {
namespace {

constexpr size_t kMostDistanceChars = 400;  // any double with four decimals

void reply_coordinate(Context& c, double degrees) {
  char text[ae::kMaxLongDoubleChars];
  const std::string_view shown(text, ae::format_long_double_human(degrees, text));
  if (c.reply().resp() == proto::Resp::k2) return c.reply().bulk(shown);
  c.reply().raw(',' + std::string(shown) + "\r\n");
}

}  // namespace

ds::GeoPoint read_point(ArgReader& args) {
  ds::GeoPoint point;
  point.longitude = args.real();
  point.latitude = args.real();
  if (!args.ok() || point.on_map()) return point;
  char text[2 * kMostDistanceChars];
  std::snprintf(text, sizeof text, "ERR invalid longitude,latitude pair %f,%f", point.longitude,
                point.latitude);
  args.error(text);
  return {};
}

double read_unit(ArgReader& args) {
  constexpr struct {
    std::string_view name;
    double metres;
  } kUnits[] = {{"m", 1}, {"km", 1000}, {"ft", 0.3048}, {"mi", 1609.34}};
  for (const auto& unit : kUnits)
    if (args.take(unit.name)) return unit.metres;
  args.error("ERR unsupported unit provided. please use M, KM, FT, MI");
  return 1;
}

std::optional<ds::GeoPoint> place_of(const ds::SortedSet& set, std::string_view member) {
  const auto score = set.score(member);
  return score ? std::optional(ds::point_of_score(*score)) : std::nullopt;
}

void reply_distance(Context& c, double distance) {
  char text[kMostDistanceChars];
  // As a whole number of ten-thousandths, which all distances on this globe are small enough for.
  constexpr double kScale = 10'000, kMost = 1e11;
  if (distance >= 0 && distance < kMost) {
    const auto scaled = static_cast<uint64_t>(std::llrint(distance * kScale));
    size_t length = ae::format_uint64(scaled / 10'000, text);
    text[length++] = '.';
    for (uint64_t power = 1'000; power != 0; power /= 10)
      text[length++] = static_cast<char>('0' + scaled / power % 10);
    return c.reply().bulk({text, length});
  }
  const int length = std::snprintf(text, sizeof text, "%.4f", distance);
  c.reply().bulk({text, static_cast<size_t>(length)});
}

void reply_point(Context& c, ds::GeoPoint point) {
  c.reply().array(2);
  reply_coordinate(c, point.longitude);
  reply_coordinate(c, point.latitude);
}

}  // namespace millrace
