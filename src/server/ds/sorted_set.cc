#include "server/ds/sorted_set.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "ae/base/assert.h"
#include "server/ds/hash.h"
#include "server/ds/listpack_word.h"
#include "server/ds/sampling.h"
#include "server/ds/sorted_pack.h"
#include "server/ds/sorted_table.h"

namespace millrace::ds {

namespace {

using AddOutcome = SortedSet::AddOutcome;
using AddOptions = SortedSet::AddOptions;
using AddResult = SortedSet::AddResult;

// What ZADD's options make of a member that has a score already.
AddOutcome decide_for_existing(double current, double operand, AddOptions options) {
  if (options.presence == SortedSet::Presence::kOnlyNew) return {AddResult::kSkipped, current};
  const bool increments = options.operand == SortedSet::Operand::kIncrement;
  const double score = increments ? current + operand : operand;
  if (std::isnan(score)) return {AddResult::kNotANumber, current};
  const bool too_low = options.change == SortedSet::Change::kOnlyGreater && score <= current;
  const bool too_high = options.change == SortedSet::Change::kOnlyLess && score >= current;
  if (too_low || too_high) return {AddResult::kSkipped, current};
  return {score == current ? AddResult::kUnchanged : AddResult::kUpdated, score};
}

AddOutcome decide_for_new(double score, AddOptions options) {
  if (options.presence == SortedSet::Presence::kOnlyExisting) return {AddResult::kSkipped, 0};
  return {AddResult::kAdded, score};
}

}  // namespace

uintptr_t SortedSet::empty_word() {
  return listpack_word(Listpack(), kListpackTag);
}

SortedSet::~SortedSet() {
  if (is_table()) {
    delete &table();
  } else {
    ListpackInWord(&word_, kListpackTag)->clear();
  }
}

SortedSet& SortedSet::operator=(SortedSet&& other) noexcept {
  std::swap(word_, other.word_);
  return *this;
}

std::optional<std::string_view> SortedSet::raw() const {
  return is_table() ? std::nullopt : std::optional(pack().raw());
}

SortedSet SortedSet::from_pack(Listpack pack) {
  return SortedSet(listpack_word(std::move(pack), kListpackTag));
}

ListpackView SortedSet::pack() const {
  return view_listpack(word_, kListpackTag);
}

SortedSet SortedSet::sized_for(size_t members, size_t longest_member_bytes,
                               const ListpackLimits& limits) {
  SortedSet set;
  const bool small =
      members <= limits.max_entries && longest_member_bytes <= limits.max_value_bytes;
  if (!small) set.convert_to_table();
  return set;
}

void SortedSet::expect(size_t members, const ListpackLimits& limits) {
  if (!is_table() && members > limits.max_entries) convert_to_table();
}

void SortedSet::convert_to_table() {
  auto table = std::make_unique<SortedTable>();
  for_each([&](std::string_view member, double score) {
    table->insert(member, hash_bytes(member), score);
  });
  ListpackInWord(&word_, kListpackTag)->clear();
  word_ = reinterpret_cast<uintptr_t>(table.release()) | kTableTag;
}

SortedSet SortedSet::copy() const {
  if (!is_table()) {
    return SortedSet(listpack_word(Listpack::copy_of(pack()), kListpackTag));
  }
  SortedSet copied;
  copied.convert_to_table();
  for_each([&](std::string_view member, double score) {
    copied.table().insert(member, hash_bytes(member), score);
  });
  return copied;
}

AddOutcome SortedSet::add(std::string_view member, double score, AddOptions options,
                          const ListpackLimits& limits) {
  if (std::isnan(score)) return {AddResult::kNotANumber, 0};
  if (is_table()) return add_to_table(member, score, options);
  if (sorted_pack::find(pack(), member)) return update_in_pack(member, score, options);
  const AddOutcome outcome = decide_for_new(score, options);
  if (outcome.result != AddResult::kAdded) return outcome;
  if (!fits_pack(member, limits)) {
    convert_to_table();
    table().insert(member, hash_bytes(member), score);
  } else {
    sorted_pack::insert(&*ListpackInWord(&word_, kListpackTag), member, score);
  }
  return outcome;
}

AddOutcome SortedSet::update_in_pack(std::string_view member, double score, AddOptions options) {
  ListpackInWord pack(&word_, kListpackTag);
  const auto found = sorted_pack::find(*pack, member);
  const AddOutcome outcome = decide_for_existing(found->score, score, options);
  if (outcome.result == AddResult::kUpdated) {
    sorted_pack::erase(&*pack, found->at);
    sorted_pack::insert(&*pack, member, outcome.score);
  }
  return outcome;
}

AddOutcome SortedSet::add_to_table(std::string_view member, double score, AddOptions options) {
  const uint64_t hash = hash_bytes(member);
  table().prefetch(hash, score);
  if (ScoredMember* existing = table().find(member, hash)) {
    const AddOutcome outcome = decide_for_existing(existing->score(), score, options);
    if (outcome.result == AddResult::kUpdated) table().update(existing, outcome.score);
    return outcome;
  }
  const AddOutcome outcome = decide_for_new(score, options);
  if (outcome.result == AddResult::kAdded) table().insert(member, hash, score);
  return outcome;
}

bool SortedSet::fits_pack(std::string_view member, const ListpackLimits& limits) {
  return size() < limits.max_entries && member.size() <= limits.max_value_bytes &&
         sorted_pack::fits(*ListpackInWord(&word_, kListpackTag), member.size());
}

bool SortedSet::erase(std::string_view member) {
  if (is_table()) return table().erase(member);
  ListpackInWord pack(&word_, kListpackTag);
  const auto found = sorted_pack::find(*pack, member);
  if (found) sorted_pack::erase(&*pack, found->at);
  return found.has_value();
}

uint64_t SortedSet::size() const {
  return is_table() ? table().size() : sorted_pack::size(pack());
}

void SortedSet::prefetch_place(uint64_t hash) const {
  is_table() ? table().prefetch_bucket(hash) : prefetch_listpack(word_, kListpackTag);
}

void SortedSet::prefetch_member(uint64_t hash) const {
  if (is_table()) table().prefetch_element(hash);
}

std::optional<double> SortedSet::score(std::string_view member) const {
  if (is_table()) {
    const ScoredMember* found = table().find(member, hash_bytes(member));
    return found != nullptr ? std::optional(found->score()) : std::nullopt;
  }
  const auto found = sorted_pack::find(pack(), member);
  return found ? std::optional(found->score) : std::nullopt;
}

std::optional<SortedSet::Rank> SortedSet::rank(std::string_view member) const {
  if (is_table()) {
    const ScoredMember* found = table().find(member, hash_bytes(member));
    if (found == nullptr) return std::nullopt;
    return Rank{table().by_score().rank(found), found->score()};
  }
  const auto found = sorted_pack::find(pack(), member);
  if (!found) return std::nullopt;
  return Rank{sorted_pack::rank_of(pack(), found->at), found->score};
}

RankRange SortedSet::ranks(const ScoreRange& range) const {
  return is_table() ? table().by_score().ranks(range) : sorted_pack::ranks(pack(), range);
}

RankRange SortedSet::ranks(const LexRange& range) const {
  return is_table() ? table().by_score().ranks(range) : sorted_pack::ranks(pack(), range);
}

void SortedSet::for_range(RankRange range, Direction direction, Visit visit) const {
  range.end = std::min(range.end, size());
  if (is_table()) return table().for_range(range, direction, visit);
  sorted_pack::for_range(pack(), range, direction, visit);
}

void SortedSet::for_range(const ScoreRange& range, Direction direction, Page page,
                          Visit visit) const {
  for_range(page_of(ranks(range), direction, page), direction, visit);
}

void SortedSet::for_range(const LexRange& range, Direction direction, Page page,
                          Visit visit) const {
  for_range(page_of(ranks(range), direction, page), direction, visit);
}

uint64_t SortedSet::pop(RankRange range, Direction direction, Visit visit) {
  if (is_table()) {
    table().erase_range(range, direction, visit);
  } else {
    ListpackInWord pack(&word_, kListpackTag);
    sorted_pack::for_range(*pack, range, direction, visit);
    sorted_pack::erase_range(&*pack, range);
  }
  return range.size();
}

uint64_t SortedSet::pop_min(uint64_t count, Visit visit) {
  return pop({0, std::min(count, size())}, Direction::kForward, visit);
}

uint64_t SortedSet::pop_max(uint64_t count, Visit visit) {
  const uint64_t members = size();
  return pop({members - std::min(count, members), members}, Direction::kBackward, visit);
}

uint64_t SortedSet::erase_range(RankRange range) {
  range.end = std::min(range.end, size());
  if (range.size() == 0) return 0;
  return pop(range, Direction::kForward, [](std::string_view, double) {});
}

void SortedSet::random(ae::Prng& prng, Visit visit) const {
  AE_ASSERT(!empty());
  const uint64_t rank = prng.below(size());
  for_range({rank, rank + 1}, Direction::kForward, visit);
}

void SortedSet::random(uint64_t count, Repetition repetition, ae::Prng& prng, Visit visit) const {
  if (!is_table()) return sorted_pack::sample(pack(), count, repetition, prng, visit);
  sample_indices(size(), count, repetition, prng, [&](uint64_t rank) {
    table().for_range({rank, rank + 1}, Direction::kForward, visit);
  });
}

uint64_t SortedSet::scan(uint64_t cursor, Visit visit) const {
  if (is_table()) return table().scan(cursor, visit);
  for_each(visit);
  return 0;
}

size_t SortedSet::memory_bytes() const {
  if (is_table()) return sizeof(SortedTable) + table().memory_bytes();
  return listpack_bytes(word_, kListpackTag);
}

size_t SortedSet::free_some(size_t budget) {
  const size_t freed = is_table() ? table().free_some(budget) : std::min<size_t>(size(), budget);
  if (!is_table() || freed < budget) *this = SortedSet();
  return freed;
}

void SortedSet::check(const ListpackLimits& limits) const {
  if (is_table()) return table().check();
  sorted_pack::check(pack());
  AE_ASSERT(size() <= limits.max_entries);
  for_each(
      [&](std::string_view member, double) { AE_ASSERT(member.size() <= limits.max_value_bytes); });
}

}  // namespace millrace::ds
