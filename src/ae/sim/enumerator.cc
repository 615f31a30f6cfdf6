#include "ae/sim/enumerator.h"

#include <algorithm>
#include <array>

#include "ae/base/assert.h"

namespace ae::sim {
namespace {

uint64_t choose(uint64_t from, uint64_t count) {
  if (count > from) return 0;
  uint64_t result = 1;
  for (uint64_t i = 1; i <= count; ++i) result = result * (from - count + i) / i;
  return result;
}

uint64_t power(uint64_t base, uint64_t exponent) {
  uint64_t result = 1;
  for (; exponent > 0; --exponent) result *= base;
  return result;
}

// The combination of `count` out of [0, from) with this rank, in lexicographic order.
std::vector<size_t> combination(uint64_t rank, size_t from, size_t count) {
  std::vector<size_t> chosen;
  for (size_t candidate = 0; chosen.size() < count; ++candidate) {
    const uint64_t with = choose(from - candidate - 1, count - chosen.size() - 1);
    if (rank < with) {
      chosen.push_back(candidate);
    } else {
      rank -= with;
    }
  }
  return chosen;
}

std::vector<size_t> pieces_of(size_t bytes, const std::vector<size_t>& cuts) {
  std::vector<size_t> pieces;
  size_t start = 0;
  for (const size_t cut : cuts) {
    pieces.push_back(cut + 1 - start);
    start = cut + 1;
  }
  pieces.push_back(bytes - start);
  return pieces;
}

constexpr std::array<std::string_view, 9> kNames = {
    "tick",        "nothing", "time", "interrupted", "read-would-block", "write-would-block",
    "short-write", "fin",     "reset"};

}  // namespace

std::string_view name(Gap gap) {
  return kNames[size_t(gap)];
}

bool Schedule::has(Gap gap) const {
  return std::ranges::find(gaps, gap) != gaps.end();
}

std::string describe(const Schedule& schedule) {
  std::string text = "#";
  text.append(std::to_string(schedule.number)).append(":");
  for (size_t i = 0; i < schedule.gaps.size(); ++i) {
    text.append(" ").append(name(schedule.gaps[i]));
    if (i < schedule.pieces.size()) text.append(" ").append(std::to_string(schedule.pieces[i]));
  }
  return text;
}

Enumerator::Enumerator(ScheduleSpace space) : space_(std::move(space)) {
  AE_ASSERT(space_.bytes >= 1 && space_.bytes <= ScheduleSpace::kMaxBytes);
  space_.max_cuts = std::min(space_.max_cuts, space_.bytes - 1);
  if (space_.variations.empty()) space_.max_variations = 0;
  for (size_t cuts = 0; cuts <= space_.max_cuts; ++cuts) {
    for (size_t varied = 0; varied <= space_.max_variations; ++varied) {
      count_ += block_size(cuts, varied);
    }
  }
}

uint64_t Enumerator::block_size(size_t cuts, size_t varied) const {
  return choose(space_.bytes - 1, cuts) * choose(cuts + 2, varied) *
         power(space_.variations.size(), varied);
}

Schedule Enumerator::at(uint64_t number) const {
  AE_ASSERT(number < count_);
  uint64_t rank = number;
  size_t cuts = 0;
  size_t varied = 0;
  while (rank >= block_size(cuts, varied)) {
    rank -= block_size(cuts, varied);
    if (++varied > space_.max_variations) {
      varied = 0;
      ++cuts;
    }
  }
  const uint64_t kinds = power(space_.variations.size(), varied);
  const uint64_t places = choose(cuts + 2, varied);
  uint64_t kind = rank % kinds;
  const auto cut_at = combination(rank / kinds / places, space_.bytes - 1, cuts);

  Schedule schedule{number, pieces_of(space_.bytes, cut_at), std::vector(cuts + 2, Gap::kTick)};
  for (const size_t place : combination(rank / kinds % places, cuts + 2, varied)) {
    schedule.gaps[place] = space_.variations[kind % space_.variations.size()];
    kind /= space_.variations.size();
  }
  return schedule;
}

}  // namespace ae::sim
