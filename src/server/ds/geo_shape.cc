#include "server/ds/geo_shape.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace millrace::ds {
namespace {

constexpr double kEarthRadiusM = 6372797.560856;
// Half of the equator's length on the map.
constexpr double kMercatorMaxM = 20037726.37;
constexpr double kRadiansPerDegree = std::numbers::pi / 180;

double radians(double degrees) {
  return degrees * kRadiansPerDegree;
}
double degrees(double radians) {
  return radians / kRadiansPerDegree;
}

double latitude_distance(double a, double b) {
  return kEarthRadiusM * std::fabs(radians(b) - radians(a));
}

// A rejection before the exact computation must not be wrong by a rounding.
constexpr double kSafetyFactor = 1 + 1e-9;

// Of two places: the square of half the chord between them.
struct Haversine {
  double value;
  double longitude_sine;  // of half of the difference
};

Haversine haversine(GeoPoint a, double a_cosine, GeoPoint b) {
  const double v = std::sin((radians(b.longitude) - radians(a.longitude)) / 2);
  const double u = std::sin((radians(b.latitude) - radians(a.latitude)) / 2);
  return {u * u + a_cosine * std::cos(radians(b.latitude)) * v * v, v};
}

double distance_by(Haversine haversine, GeoPoint a, GeoPoint b) {
  if (haversine.longitude_sine == 0) return latitude_distance(a.latitude, b.latitude);
  // Of antipodes it may be rounded beyond 1.
  return 2.0 * kEarthRadiusM * std::asin(std::sqrt(std::min(haversine.value, 1.0)));
}

// Where cells get much narrower than the map shows them.
constexpr double kSubpolarLatitude = 66;
constexpr double kPolarLatitude = 80;

}  // namespace

double geo_distance(GeoPoint a, GeoPoint b) {
  return distance_by(haversine(a, std::cos(radians(a.latitude)), b), a, b);
}

GeoShape::GeoShape(GeoPoint centre, double half_width_m, double half_height_m, double reach_m,
                   bool is_box)
    : centre_(centre),
      half_width_m_(half_width_m),
      half_height_m_(half_height_m),
      reach_m_(reach_m),
      is_box_(is_box),
      centre_cosine_(std::cos(radians(centre.latitude))) {
  const double angle = reach_m / (2 * kEarthRadiusM);
  const double sine = angle < std::numbers::pi / 2 ? std::sin(angle) : 1;
  most_haversine_ = sine * sine * kSafetyFactor;
}

GeoShape GeoShape::circle(GeoPoint centre, double radius, double unit_m) {
  const double radius_m = radius * unit_m;
  return {centre, radius_m, radius_m, radius_m, false};
}

GeoShape GeoShape::box(GeoPoint centre, double width, double height, double unit_m) {
  const double corner = std::sqrt(width / 2 * (width / 2) + height / 2 * (height / 2));
  return {centre, unit_m * (width / 2), unit_m * (height / 2), corner * unit_m, true};
}

// --- the cover

// Towards the pole a length takes more degrees of longitude, so the farther edge decides.
GeoBounds GeoShape::bounds() const {
  const double latitude_delta = degrees(half_height_m_ / kEarthRadiusM);
  const double edge =
      centre_.latitude < 0 ? centre_.latitude - latitude_delta : centre_.latitude + latitude_delta;
  const double longitude_delta = degrees(half_width_m_ / kEarthRadiusM / std::cos(radians(edge)));
  return {centre_.longitude - longitude_delta, centre_.latitude - latitude_delta,
          centre_.longitude + longitude_delta, centre_.latitude + latitude_delta};
}

unsigned GeoShape::first_step() const {
  if (reach_m_ == 0) return kMaxGeoStep;
  int step = -1;  // cells four times as wide as what would fit: neighbours are sure to cover it
  for (double length = reach_m_; length < kMercatorMaxM; length *= 2) ++step;
  if (std::fabs(centre_.latitude) > kSubpolarLatitude) --step;
  if (std::fabs(centre_.latitude) > kPolarLatitude) --step;
  return static_cast<unsigned>(std::clamp(step, 1, int{kMaxGeoStep}));
}

GeoCover GeoShape::cover() const {
  const GeoBounds wanted = bounds();
  GeoCell middle = GeoCell::of(centre_, first_step());
  const bool sticks_out = middle.moved(0, 1).bounds().north < wanted.north ||
                          middle.moved(0, -1).bounds().south > wanted.south ||
                          middle.moved(1, 0).bounds().east < wanted.east ||
                          middle.moved(-1, 0).bounds().west > wanted.west;
  if (middle.step > 1 && sticks_out) middle = GeoCell::of(centre_, middle.step - 1);

  // What the middle cell alone covers, no neighbour on that side needs to.
  const GeoBounds inner = middle.bounds();
  const bool choosy = middle.step >= 2;
  const bool no_south = choosy && inner.south < wanted.south;
  const bool no_north = choosy && inner.north > wanted.north;
  const bool no_west = choosy && inner.west < wanted.west;
  const bool no_east = choosy && inner.east > wanted.east;
  constexpr struct {
    int east, north;
  } kDirections[] = {{0, 1}, {0, -1}, {1, 0}, {-1, 0}, {1, 1}, {-1, 1}, {1, -1}, {-1, -1}};

  GeoCover cover;
  cover.add(middle);
  for (const auto& direction : kDirections) {
    if ((no_south && direction.north < 0) || (no_north && direction.north > 0) ||
        (no_west && direction.east < 0) || (no_east && direction.east > 0))
      continue;
    // On a map of four cells the neighbours on either side are the same one.
    const GeoCell cell = middle.moved(direction.east, direction.north);
    if (cover.size() == 1 || !(*(cover.end() - 1) == cell)) cover.add(cell);
  }
  return cover;
}

// --- inside

std::optional<double> GeoShape::distance_in_circle(GeoPoint point) const {
  const Haversine square = haversine(centre_, centre_cosine_, point);
  if (square.value > most_haversine_) return std::nullopt;
  const double distance = distance_by(square, centre_, point);
  return distance > reach_m_ ? std::nullopt : std::optional(distance);
}

// The box' width is measured along the point's own latitude.
std::optional<double> GeoShape::distance_in_box(GeoPoint point) const {
  if (latitude_distance(point.latitude, centre_.latitude) > half_height_m_) return std::nullopt;
  const GeoPoint abreast{centre_.longitude, point.latitude};
  if (geo_distance(point, abreast) > half_width_m_) return std::nullopt;
  return geo_distance(centre_, point);
}

std::optional<double> GeoShape::distance_inside(GeoPoint point) const {
  const double north_south = latitude_distance(centre_.latitude, point.latitude);
  if (north_south > half_height_m_ * kSafetyFactor) return std::nullopt;
  return is_box_ ? distance_in_box(point) : distance_in_circle(point);
}

}  // namespace millrace::ds
