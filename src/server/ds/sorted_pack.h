// The small encoding of a sorted set: member, score, member, score … in one listpack, in order.
// Here are the operations that this order makes possible; SortedSet decides when to use them.
//
// Everything walks, as a listpack is read front to back. A score is an integer element where it can
// be, else its shortest decimal text; zero of either sign is the integer 0. All of this is Redis',
// as RDB files carry these bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ae/base/prng.h"
#include "server/ds/collection_limits.h"
#include "server/ds/function_ref.h"
#include "server/ds/listpack.h"
#include "server/ds/ordered_range.h"

namespace millrace::ds::sorted_pack {

using Visit = FunctionRef<void(std::string_view member, double score)>;

struct Found {
  Cursor at;  // of the member; its score is the next element
  double score;
};

inline uint64_t size(const ListpackView& pack) {
  return pack.size() / 2;
}

std::optional<Found> find(const ListpackView& pack, std::string_view member);
uint64_t rank_of(const ListpackView& pack, Cursor member);

// Inserts a member that is not there.
void insert(Listpack* pack, std::string_view member, double score);
// Removes the member at the cursor and its score.
inline void erase(Listpack* pack, Cursor member) {
  pack->erase(member, 2);
}
inline void erase_range(Listpack* pack, RankRange range) {
  pack->erase_range(static_cast<int64_t>(2 * range.begin), 2 * range.size());
}
// Whether insert() may be called for a member of so many bytes.
bool fits(const Listpack& pack, size_t member_bytes);

RankRange ranks(const ListpackView& pack, const ScoreRange& range);
RankRange ranks(const ListpackView& pack, const LexRange& range);

// The range must be within the pack.
void for_range(const ListpackView& pack, RankRange range, Direction direction, Visit visit);

void sample(const ListpackView& pack, uint64_t count, Repetition repetition, ae::Prng& prng,
            Visit visit);

// Aborts unless pairs ascend strictly and no score is a NaN.
void check(const ListpackView& pack);

}  // namespace millrace::ds::sorted_pack
