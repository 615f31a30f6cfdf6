#include "server/commands/sorted_set_bounds.h"

#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>

#include "ae/base/decimal.h"
#include "server/commands/collection.h"

namespace millrace {
namespace {

// Here Redis takes whatever strtod takes: an empty text is 0, and what overflows is infinite.
std::optional<double> parse_score(std::string_view text) {
  if (const auto score = ae::parse_double(text)) return score;
  const std::string terminated(text);
  char* end = nullptr;
  const double score = std::strtod(terminated.c_str(), &end);
  if (*end != '\0' || std::isnan(score)) return std::nullopt;
  return score;
}

// "5", "(5", "-inf"
std::optional<ds::ScoreBound> parse_score_bound(std::string_view text) {
  const bool exclusive = text.starts_with('(');
  const auto score = parse_score(exclusive ? text.substr(1) : text);
  if (!score) return std::nullopt;
  return ds::ScoreBound{*score, exclusive ? ds::BoundKind::kExclusive : ds::BoundKind::kInclusive};
}

// "[text", "(text", "-", "+"
std::optional<ds::LexBound> parse_lex_bound(std::string_view text) {
  using Kind = ds::LexBound::Kind;
  if (text == "-") return ds::LexBound{Kind::kLowest};
  if (text == "+") return ds::LexBound{Kind::kHighest};
  if (text.starts_with('[')) return ds::LexBound{Kind::kInclusive, text.substr(1)};
  if (text.starts_with('(')) return ds::LexBound{Kind::kExclusive, text.substr(1)};
  return std::nullopt;
}

}  // namespace

void MemberRange::read(ArgReader& args, std::string_view first, std::string_view second) {
  if (!args.ok()) return;
  if (kind_ == RangeKind::kRank) return read_ranks(args, first, second);
  if (direction_ == ds::Direction::kBackward) std::swap(first, second);
  if (kind_ == RangeKind::kScore) {
    const auto min = parse_score_bound(first), max = parse_score_bound(second);
    if (!min || !max) return args.error("ERR min or max is not a float");
    scores_ = {*min, *max};
  } else {
    const auto min = parse_lex_bound(first), max = parse_lex_bound(second);
    if (!min || !max) return args.error("ERR min or max not valid string range item");
    members_ = {*min, *max};
  }
}

void MemberRange::read_ranks(ArgReader& args, std::string_view first, std::string_view second) {
  const auto start = ae::parse_int64(first), stop = ae::parse_int64(second);
  if (!start || !stop) return args.error(errors::kNotInteger);
  start_ = *start;
  stop_ = *stop;
}

void MemberRange::limit(int64_t offset, int64_t count) {
  page_.offset = offset < 0 ? ds::kNoLimit : uint64_t(offset);
  page_.count = count < 0 ? ds::kNoLimit : uint64_t(count);
}

ds::RankRange MemberRange::whole(const ds::SortedSet& set) const {
  if (kind_ == RangeKind::kScore) return set.ranks(scores_);
  if (kind_ == RangeKind::kLex) return set.ranks(members_);
  const IndexRange range = index_range(start_, stop_, set.size());
  const ds::RankRange ranks{range.begin, range.end};
  return direction_ == ds::Direction::kForward ? ranks
                                               : ds::counted_from_highest(ranks, set.size());
}

ds::RankRange MemberRange::in(const ds::SortedSet& set) const {
  return ds::page_of(whole(set), direction_, page_);
}

}  // namespace millrace
