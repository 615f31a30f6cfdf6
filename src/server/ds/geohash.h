// Geohashes: places on the map as numbers that sort by neighbourhood (G. Niemeyer, 2008; the same
// as G. Morton's Z-order, 1966).
//
// The map is halved again and again, east from west, north from south, and each halving gives a bit
// of either coordinate, 1 for east and north. Interleaved, longitude first, they are the hash:
//
//     step 1:   01 | 11        step 2:  0101 | 0111 | 1101 | 1111
//               ---+---                 0100 | 0110 | 1100 | 1110
//               00 | 10                 -----+------+------+-----
//                                       0001 | 0011 | 1001 | 1011
//                                       0000 | 0010 | 1000 | 1010
//
// A cell of step s is all places whose hashes begin with its 2 s bits; so in the order of hashes it
// is one range, and a search for what is near is a search in a few ranges. With 26 steps there are
// 52 bits, which a double holds exactly: a sorted set's score. Such a cell is 0.6 m by 0.3 m.
//
// The map ends at 85.05 degrees north and south, where that of web maps does. The text that GEOHASH
// gives is of the whole globe instead, as everybody's is.
//
// A place on the very north or east edge has a coordinate of 2^s, one bit more than the others. It
// is kept: values are Redis' bit by bit.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace millrace::ds {

inline constexpr double kMaxLongitude = 180;
inline constexpr double kMaxLatitude = 85.05112878;
inline constexpr unsigned kMaxGeoStep = 26;

struct GeoPoint {
  double longitude = 0;
  double latitude = 0;

  bool on_map() const {
    return longitude >= -kMaxLongitude && longitude <= kMaxLongitude && latitude >= -kMaxLatitude &&
           latitude <= kMaxLatitude;
  }
};

struct GeoBounds {
  double west, south, east, north;
};

struct GeoCell {
  uint64_t bits = 0;
  unsigned step = kMaxGeoStep;

  bool operator==(const GeoCell&) const = default;

  // The cell of this step that a place on the map is in.
  static GeoCell of(GeoPoint point, unsigned step);
  GeoBounds bounds() const;
  // So many cells to the east and to the north (or west and south); around the map's edges.
  GeoCell moved(int east, int north) const;

  // The hashes of 52 bits that are in the cell: begin, … end - 1.
  uint64_t begin() const { return bits << 2 * (kMaxGeoStep - step); }
  uint64_t end() const { return (bits + 1) << 2 * (kMaxGeoStep - step); }
};

// A place as a score, and back: the middle of the cell. Any score gives a place on the map.
double geo_score(GeoPoint point);
GeoPoint point_of_score(double score);

// "u4pruydqqv0": 11 characters, the last one always 0, for want of three bits.
using GeoText = std::array<char, 11>;
GeoText geo_text(GeoPoint point);

}  // namespace millrace::ds
