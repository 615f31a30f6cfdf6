#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "server/ds/geo_shape.h"
#include "server/ds/geohash.h"

namespace millrace::ds {
namespace {

constexpr GeoPoint kPalermo{13.361389, 38.115556};
constexpr GeoPoint kCatania{15.087269, 37.502669};

std::mt19937_64 seeded() {
  const uint64_t seed = std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  return std::mt19937_64(seed);
}

GeoPoint random_point(std::mt19937_64& random) {
  return {std::uniform_real_distribution(-180.0, 180.0)(random),
          std::uniform_real_distribution(-kMaxLatitude, kMaxLatitude)(random)};
}

std::string text(GeoPoint point) {
  const GeoText characters = geo_text(point);
  return {characters.data(), characters.size()};
}

// The figures of Redis' own documentation.
TEST(Geohash, KnownPlaces) {
  EXPECT_EQ(geo_score(kPalermo), 3479099956230698.0);
  EXPECT_EQ(geo_score(kCatania), 3479447370796909.0);
  EXPECT_EQ(text(point_of_score(3479099956230698.0)), "sqc8b49rny0");
  EXPECT_EQ(text(point_of_score(3479447370796909.0)), "sqdtr74hyu0");
}

TEST(Geohash, MiddleOfTheCellIsNear) {
  auto random = seeded();
  for (int i = 0; i < 10000; ++i) {
    const GeoPoint point = random_point(random);
    const GeoPoint again = point_of_score(geo_score(point));
    ASSERT_NEAR(again.longitude, point.longitude, 180.0 / (1 << 26));
    ASSERT_NEAR(again.latitude, point.latitude, kMaxLatitude / (1 << 26));
    ASSERT_EQ(geo_score(again), geo_score(point));
  }
}

TEST(Geohash, CellsAreNested) {
  auto random = seeded();
  for (int i = 0; i < 1000; ++i) {
    const GeoPoint point = random_point(random);
    const auto score = static_cast<uint64_t>(geo_score(point));
    for (unsigned step = 1; step <= kMaxGeoStep; ++step) {
      const GeoCell cell = GeoCell::of(point, step);
      ASSERT_TRUE(cell.begin() <= score && score < cell.end());
      const GeoBounds bounds = cell.bounds();
      ASSERT_TRUE(bounds.west <= point.longitude && point.longitude <= bounds.east);
      ASSERT_TRUE(bounds.south <= point.latitude && point.latitude <= bounds.north);
    }
  }
}

TEST(Geohash, NeighboursGoAroundTheMap) {
  const GeoCell corner = GeoCell::of({-179, -85}, 3);
  EXPECT_EQ(corner.bits, 0u);
  EXPECT_EQ(corner.moved(-1, -1).bits, 63u);
  EXPECT_EQ(corner.moved(-1, -1).moved(1, 1), corner);
  EXPECT_EQ(corner.moved(1, 0).bits, 2u);
  EXPECT_EQ(corner.moved(0, 1).bits, 1u);
}

TEST(Geohash, AnyScoreIsOnTheMap) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double score : {-1.0, 0.5, 1e15, 1e16, 1e19, 1e300, -1e300, kInfinity, -kInfinity})
    EXPECT_TRUE(point_of_score(score).on_map()) << score;
  EXPECT_TRUE(point_of_score(geo_score({180, kMaxLatitude})).on_map());
}

TEST(GeoShape, Distances) {
  EXPECT_NEAR(
      geo_distance(point_of_score(geo_score(kPalermo)), point_of_score(geo_score(kCatania))),
      166274.1516, 0.0001);
  EXPECT_EQ(geo_distance(kPalermo, kPalermo), 0);
  // Around half of the globe, where a rounding could leave the arc sine's range.
  auto random = seeded();
  for (int i = 0; i < 10000; ++i) {
    const GeoPoint point = random_point(random);
    const GeoPoint antipode{point.longitude > 0 ? point.longitude - 180 : point.longitude + 180,
                            -point.latitude};
    ASSERT_NEAR(geo_distance(point, antipode), 20020741, 10);
  }
}

bool is_covered(const GeoCover& cover, GeoPoint point) {
  const auto score = static_cast<uint64_t>(geo_score(point));
  for (const GeoCell& cell : cover)
    if (cell.begin() <= score && score < cell.end()) return true;
  return false;
}

// Near the centre, and now and then anywhere.
GeoPoint point_around(std::mt19937_64& random, GeoPoint centre, double reach_m) {
  const double degrees = std::min(reach_m / 60000, 40.0);
  GeoPoint point{centre.longitude + std::uniform_real_distribution(-degrees, degrees)(random),
                 centre.latitude + std::uniform_real_distribution(-degrees, degrees)(random)};
  return point.on_map() ? point : random_point(random);
}

// The cover holds all that is inside, and the quick rejections reject nothing that is. Away from
// the poles: there a circle of degrees is no box, which the cover, as Redis', does not look into.
TEST(GeoShape, FindsWhatASlowSearchFinds) {
  auto random = seeded();
  for (int round = 0; round < 300; ++round) {
    GeoPoint centre = random_point(random);
    centre.longitude /= 2;
    centre.latitude /= 2;
    const double radius = std::pow(10.0, std::uniform_real_distribution(0.0, 6.0)(random));
    const GeoShape circle = GeoShape::circle(centre, radius, 1);
    const GeoShape box = GeoShape::box(centre, 2 * radius, radius, 1);
    const GeoCover cover = circle.cover(), box_cover = box.cover();
    ASSERT_GE(cover.size(), 1u);
    for (int i = 0; i < 200; ++i) {
      const GeoPoint point = point_around(random, centre, radius);
      const double distance = geo_distance(centre, point);
      const auto found = circle.distance_inside(point);
      ASSERT_EQ(found.has_value(), distance <= radius);
      if (found) {
        ASSERT_EQ(*found, distance);
        ASSERT_TRUE(is_covered(cover, point)) << radius;
      }
      const auto in_box = box.distance_inside(point);
      const double abreast = geo_distance(point, {centre.longitude, point.latitude});
      const double up = geo_distance({point.longitude, centre.latitude}, point);
      if (std::abs(up - radius / 2) > 1e-6) {
        ASSERT_EQ(in_box.has_value(), abreast <= radius && up <= radius / 2);
      }
      if (in_box) {
        ASSERT_TRUE(is_covered(box_cover, point)) << radius;
      }
    }
  }
}

TEST(GeoShape, CoverHasNoCellTwice) {
  for (const double radius : {0.0, 1.0, 1e3, 1e6, 5e6, 1e7, 3e7, 1e300}) {
    for (const GeoPoint centre : {GeoPoint{0, 0}, GeoPoint{179.99, 84}, GeoPoint{-180, -85}}) {
      const GeoCover cover = GeoShape::circle(centre, radius, 1).cover();
      for (const GeoCell* a = cover.begin(); a != cover.end(); ++a)
        for (const GeoCell* b = cover.begin(); b != a; ++b) EXPECT_FALSE(*a == *b) << radius;
    }
  }
}

}  // namespace
}  // namespace millrace::ds
