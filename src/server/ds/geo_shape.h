// A circle or a box on the globe, and which cells have to be searched for what is inside.
//
//   const GeoShape shape = GeoShape::circle({13.36, 38.12}, 200, kKilometre);
//   for (const GeoCell& cell : shape.cover()) … members with scores in [cell.begin(), cell.end())
//     if (const auto metres = shape.distance_inside(point_of_score(score))) …
//
// The cover is the cell around the centre and those of its eight neighbours that the shape reaches
// into. Its step is the finest whose neighbours are sure to hold all of the shape: at first the one
// whose cells are about as wide as the shape's radius (wider towards the poles, where degrees of
// longitude get short), and one less if the shape still sticks out.
//
// Distances are by the haversine formula on a sphere; its error against the ellipsoid is up to
// 0.5 %. Orders of operations are Redis', since distances are told to a tenth of a millimetre.
//
// Most of what a cover holds is outside (a circle fills a third of its cells, often less). So a
// place is rejected by its latitude, which costs a multiplication, or, of a circle, by the
// haversine, before the arc sine is taken.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "server/ds/geohash.h"

namespace millrace::ds {

// In metres.
double geo_distance(GeoPoint a, GeoPoint b);

class GeoCover {
 public:
  const GeoCell* begin() const { return cells_.data(); }
  const GeoCell* end() const { return cells_.data() + size_; }
  size_t size() const { return size_; }
  void add(GeoCell cell) { cells_[size_++] = cell; }

 private:
  std::array<GeoCell, 9> cells_;
  size_t size_ = 0;
};

class GeoShape {
 public:
  // Lengths are in units of so many metres.
  static GeoShape circle(GeoPoint centre, double radius, double unit_m);
  static GeoShape box(GeoPoint centre, double width, double height, double unit_m);

  // In no particular order of nearness, none twice in a row.
  GeoCover cover() const;
  // How far from the centre; nothing: outside.
  std::optional<double> distance_inside(GeoPoint point) const;

 private:
  GeoShape(GeoPoint centre, double half_width_m, double half_height_m, double reach_m, bool is_box);

  GeoBounds bounds() const;
  unsigned first_step() const;
  std::optional<double> distance_in_circle(GeoPoint point) const;
  std::optional<double> distance_in_box(GeoPoint point) const;

  GeoPoint centre_;
  double half_width_m_;
  double half_height_m_;
  double reach_m_;  // to the farthest point
  bool is_box_;
  double centre_cosine_;
  double most_haversine_;  // of a place in the circle
};

}  // namespace millrace::ds
