// Drawing several members at random: SRANDMEMBER, HRANDFIELD, ZRANDMEMBER with a count.
//
// With repetition each draw is independent. Without, each set of `count` members is equally
// probable, and how it is drawn depends on what can be reached:
//
//   by index     sample_indices(): few of many by R. Floyd's method ("A Sample of Brilliance",
//   1987),
//                which draws exactly `count` numbers; many of few by one pass
//   by walking   SequentialSample: one pass, each member is taken or not (D. Knuth, TAOCP 3.4.2,
//                Algorithm S)
//   by drawing   draw again what has been drawn already (SeenSet), as long as that is rare
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ae/base/prng.h"
#include "server/ds/collection_limits.h"
#include "server/ds/function_ref.h"
#include "server/ds/listpack.h"

namespace millrace::ds {

// From this share on one pass over everything beats drawing one by one: a draw costs a cache miss
// or two, and the more is drawn the more is drawn twice.
inline constexpr uint64_t kWalkIfOneIn = 3;

inline bool walks(uint64_t population, uint64_t count) {
  return count > population / kWalkIfOneIn;
}

// Decides, member by member of a walk over the whole population, which `count` are taken.
class SequentialSample {
 public:
  SequentialSample(uint64_t population, uint64_t count)
      : left_(population), wanted_(count < population ? count : population) {}

  bool done() const { return wanted_ == 0; }
  bool takes_next(ae::Prng& prng) {
    const bool taken = prng.below(left_) < wanted_;
    --left_;
    if (taken) --wanted_;
    return taken;
  }

 private:
  uint64_t left_;
  uint64_t wanted_;
};

// Remembers up to `expected` numbers: what has been drawn. Open addressing at most half full; the
// hash needs no secret, for the numbers are not the client's.
class SeenSet {
 public:
  explicit SeenSet(uint64_t expected);
  // False: it was there already. Not UINT64_MAX.
  bool insert(uint64_t number);

 private:
  std::vector<uint64_t> slots_;  // number + 1; 0 is empty
  unsigned shift_;
};

// Visits `count` indices below `population`; unique ones at most `population`. An empty population
// gives none.
void sample_indices(uint64_t population, uint64_t count, Repetition repetition, ae::Prng& prng,
                    FunctionRef<void(uint64_t index)> visit);

// The same among every `stride`th element of a listpack, 2 for pairs.
void sample_listpack(const ListpackView& pack, size_t stride, uint64_t count, Repetition repetition,
                     ae::Prng& prng, FunctionRef<void(Cursor)> visit);

}  // namespace millrace::ds
