// Ranges over a sorted set, as ZRANGE and its relatives speak of them: by score, by the bytes of
// the member ("lex"), by rank. A range may be empty or inverted; it then holds nothing.
//
// Views inside a LexRange belong to the caller and must outlive the call they are passed to.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "server/ds/direction.h"

namespace millrace::ds {

enum class BoundKind { kInclusive, kExclusive };

// "5" or "(5"; "-inf" and "+inf" are the infinities of double.
struct ScoreBound {
  double score = 0;
  BoundKind kind = BoundKind::kInclusive;
};

struct ScoreRange {
  ScoreBound min{-std::numeric_limits<double>::infinity()};
  ScoreBound max{std::numeric_limits<double>::infinity()};

  bool above_min(double score) const {
    return min.kind == BoundKind::kInclusive ? score >= min.score : score > min.score;
  }
  bool below_max(double score) const {
    return max.kind == BoundKind::kInclusive ? score <= max.score : score < max.score;
  }
  bool contains(double score) const { return above_min(score) && below_max(score); }
};

// "[text", "(text", "-" and "+". Bytes compare as unsigned, a prefix before what it begins.
struct LexBound {
  enum class Kind { kInclusive, kExclusive, kLowest, kHighest };
  Kind kind = Kind::kLowest;
  std::string_view text = {};
};

struct LexRange {
  LexBound min{LexBound::Kind::kLowest};
  LexBound max{LexBound::Kind::kHighest};

  bool above_min(std::string_view member) const {
    switch (min.kind) {
      case LexBound::Kind::kLowest:
        return true;
      case LexBound::Kind::kHighest:
        return false;
      case LexBound::Kind::kInclusive:
        return member >= min.text;
      case LexBound::Kind::kExclusive:
        return member > min.text;
    }
    return false;
  }
  bool below_max(std::string_view member) const {
    switch (max.kind) {
      case LexBound::Kind::kLowest:
        return false;
      case LexBound::Kind::kHighest:
        return true;
      case LexBound::Kind::kInclusive:
        return member <= max.text;
      case LexBound::Kind::kExclusive:
        return member < max.text;
    }
    return false;
  }
  bool contains(std::string_view member) const { return above_min(member) && below_max(member); }
};

// Positions begin, begin + 1, … end - 1 in ascending order, whatever direction they are walked in.
struct RankRange {
  uint64_t begin = 0;
  uint64_t end = 0;

  uint64_t size() const { return end > begin ? end - begin : 0; }
};

// ZREVRANGE counts from the highest member: the same range said both ways.
inline RankRange counted_from_highest(RankRange range, uint64_t set_size) {
  return {set_size - range.end, set_size - range.begin};
}

// LIMIT offset count, within a range and in the direction of the walk.
inline constexpr uint64_t kNoLimit = UINT64_MAX;
struct Page {
  uint64_t offset = 0;
  uint64_t count = kNoLimit;
};

inline RankRange page_of(RankRange range, Direction direction, Page page) {
  const uint64_t size = range.size();
  const uint64_t offset = std::min(page.offset, size);
  const uint64_t count = std::min(page.count, size - offset);
  if (direction == Direction::kForward) {
    return {range.begin + offset, range.begin + offset + count};
  }
  return {range.end - offset - count, range.end - offset};
}

}  // namespace millrace::ds
