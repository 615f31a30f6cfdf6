// Ranges over a sorted set as commands say them, by rank, by score or by the bytes of the member.
// All come down to ranks: a search for each end, and then the size is known before the first member
// is visited.
//
//   MemberRange range(RangeKind::kScore, ds::Direction::kForward);
//   range.read(args, c.arg(2), c.arg(3));     // ZCOUNT key (1 +inf
//   if (!args.finish()) return;
//   set.for_range(range.in(set), range.direction(), visit);
#pragma once

#include <cstdint>
#include <string_view>

#include "server/command/arg_reader.h"
#include "server/ds/ordered_range.h"
#include "server/ds/sorted_set.h"

namespace millrace {

enum class RangeKind : uint8_t { kRank, kScore, kLex };

class MemberRange {
 public:
  MemberRange(RangeKind kind, ds::Direction direction) : kind_(kind), direction_(direction) {}

  RangeKind kind() const { return kind_; }
  ds::Direction direction() const { return direction_; }

  // Reads the two ends as they stand in the command: backward by score or lex the higher one comes
  // first. A bad one is the reader's error. The texts must outlive the range.
  void read(ArgReader& args, std::string_view first, std::string_view second);
  // LIMIT. A negative offset leaves nothing, a negative count everything.
  void limit(int64_t offset, int64_t count);

  // What the range covers of this set, the limit included.
  ds::RankRange in(const ds::SortedSet& set) const;

 private:
  void read_ranks(ArgReader& args, std::string_view first, std::string_view second);
  ds::RankRange whole(const ds::SortedSet& set) const;

  RangeKind kind_;
  ds::Direction direction_;
  int64_t start_ = 0;
  int64_t stop_ = 0;
  ds::ScoreRange scores_;
  ds::LexRange members_;
  ds::Page page_;
};

}  // namespace millrace
