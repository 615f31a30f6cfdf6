// What GEOSEARCH and GEORADIUS look for: their arguments, read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "server/command/context.h"
#include "server/ds/geo_shape.h"
#include "server/ds/sorted_set.h"

namespace millrace {

// Which words a command understands, and where its arguments are.
struct GeoForm {
  enum class Centre : uint8_t {
    kCoordinates,  // GEORADIUS key longitude latitude radius unit …
    kMember,       // GEORADIUSBYMEMBER key member radius unit …
    kOptions,      // GEOSEARCH key …
  };
  enum class Store : uint8_t {
    kNever,
    kOption,  // STORE key, STOREDIST key
    kAlways,  // the first key; STOREDIST is a word alone
  };
  Centre centre = Centre::kOptions;
  Store store = Store::kNever;

  bool is_search() const { return centre == Centre::kOptions; }
  size_t source() const { return store == Store::kAlways ? 2 : 1; }  // position of the key
};

struct GeoQuery {
  enum class Order : uint8_t { kAny, kNearestFirst, kFarthestFirst };

  std::optional<ds::GeoShape> shape;  // known if there is a set to be searched
  double unit_m = 1;
  Order order = Order::kAny;
  uint64_t count = 0;       // 0: all
  bool first_ones = false;  // ANY: the first `count` that are found, not the nearest
  bool with_distance = false, with_hash = false, with_point = false;
  size_t store_at = 0;  // position of the destination; 0: none
  bool store_distance = false;

  // Answers beside the member.
  size_t details() const { return size_t(with_distance) + size_t(with_hash) + size_t(with_point); }
};

// `set` is null if the key does not exist. Nothing: answered an error.
std::optional<GeoQuery> read_geo_query(Context& c, const GeoForm& form, const ds::SortedSet* set);

}  // namespace millrace
