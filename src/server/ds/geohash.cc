#include "server/ds/geohash.h"

#include <algorithm>

namespace millrace::ds {
namespace {

constexpr double kPoleLatitude = 90;
constexpr std::string_view kAlphabet = "0123456789bcdefghjkmnpqrstuvwxyz";
constexpr int kBitsPerCharacter = 5;

// Puts a zero in front of each bit, and takes it away again: half of the bits are moved by half of
// the distance, then quarters by a quarter ("Interleave bits by Binary Magic Numbers", S. E.
// Anderson, Bit Twiddling Hacks).
constexpr struct {
  int shift;
  uint64_t mask;
} kStages[] = {{16, 0x0000ffff0000ffff},
               {8, 0x00ff00ff00ff00ff},
               {4, 0x0f0f0f0f0f0f0f0f},
               {2, 0x3333333333333333},
               {1, 0x5555555555555555}};

constexpr uint64_t spread(uint32_t coordinate) {
  uint64_t bits = coordinate;
  for (const auto& stage : kStages) bits = (bits | bits << stage.shift) & stage.mask;
  return bits;
}

constexpr uint32_t gathered(uint64_t bits) {
  bits &= kStages[4].mask;
  for (int i = 3; i >= 0; --i) bits = (bits | bits >> kStages[i + 1].shift) & kStages[i].mask;
  return static_cast<uint32_t>(bits | bits >> kStages[0].shift);
}
static_assert(spread(7) == 21 && gathered(spread(0x89abcdef)) == 0x89abcdef);

struct Coordinates {
  uint32_t x;  // from the west
  uint32_t y;  // from the south

  static Coordinates of(uint64_t bits) { return {gathered(bits >> 1), gathered(bits)}; }
  uint64_t bits() const { return spread(x) << 1 | spread(y); }
};

// Which of 2^step equal parts of [-limit, limit]; 2^step at the upper end.
uint32_t part_of(double degrees, double limit, unsigned step) {
  return static_cast<uint32_t>((degrees + limit) / (limit + limit) *
                               static_cast<double>(uint64_t{1} << step));
}
double begin_of_part(uint32_t part, double limit, unsigned step) {
  return -limit + part * 1.0 / static_cast<double>(uint64_t{1} << step) * (limit + limit);
}

// What a processor makes of a score that is no hash, said in words: a negative one wraps around.
uint64_t bits_of_score(double score) {
  constexpr double kTwoTo63 = 0x1p63;
  if (score >= 0 && score < 2 * kTwoTo63) return static_cast<uint64_t>(score);
  if (score < 0 && score >= -kTwoTo63) return static_cast<uint64_t>(static_cast<int64_t>(score));
  return score > 0 ? 0 : uint64_t{1} << 63;
}

}  // namespace

GeoCell GeoCell::of(GeoPoint point, unsigned step) {
  const Coordinates at{part_of(point.longitude, kMaxLongitude, step),
                       part_of(point.latitude, kMaxLatitude, step)};
  return {at.bits(), step};
}

GeoBounds GeoCell::bounds() const {
  const Coordinates at = Coordinates::of(bits);
  return {begin_of_part(at.x, kMaxLongitude, step), begin_of_part(at.y, kMaxLatitude, step),
          begin_of_part(at.x + 1, kMaxLongitude, step),
          begin_of_part(at.y + 1, kMaxLatitude, step)};
}

GeoCell GeoCell::moved(int east, int north) const {
  const uint32_t mask = (uint32_t{1} << step) - 1;
  Coordinates at = Coordinates::of(bits);
  if (east != 0) at.x = (at.x + static_cast<uint32_t>(east)) & mask;
  if (north != 0) at.y = (at.y + static_cast<uint32_t>(north)) & mask;
  return {at.bits(), step};
}

double geo_score(GeoPoint point) {
  return static_cast<double>(GeoCell::of(point, kMaxGeoStep).bits);
}

GeoPoint point_of_score(double score) {
  const GeoBounds cell = GeoCell{bits_of_score(score), kMaxGeoStep}.bounds();
  return {std::clamp((cell.west + cell.east) / 2, -kMaxLongitude, kMaxLongitude),
          std::clamp((cell.south + cell.north) / 2, -kMaxLatitude, kMaxLatitude)};
}

GeoText geo_text(GeoPoint point) {
  const Coordinates at{part_of(point.longitude, kMaxLongitude, kMaxGeoStep),
                       part_of(point.latitude, kPoleLatitude, kMaxGeoStep)};
  const uint64_t bits = at.bits();
  GeoText text;
  int shift = 2 * kMaxGeoStep;
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    shift -= kBitsPerCharacter;
    text[i] = kAlphabet[bits >> shift & 31];
  }
  text.back() = kAlphabet[0];
  return text;
}

}  // namespace millrace::ds
