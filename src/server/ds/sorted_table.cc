#include "server/ds/sorted_table.h"

#include <algorithm>

#include "ae/base/assert.h"
#include "server/ds/hash.h"

namespace millrace::ds {

SortedTable::~SortedTable() {
  while (free_some(SIZE_MAX) == SIZE_MAX) {
  }
}

void SortedTable::insert(std::string_view text, uint64_t hash, double score) {
  ScoredMember* member = ScoredMember::create(text, score);
  member_bytes_ += member->memory_bytes();
  by_member_.insert(member, hash);
  by_score_.insert(member);
}

bool SortedTable::erase(std::string_view text) {
  ScoredMember* member = by_member_.remove(text, hash_bytes(text));
  if (member == nullptr) return false;
  by_score_.erase(member);
  destroy(member);
  return true;
}

void SortedTable::destroy(ScoredMember* member) {
  member_bytes_ -= member->memory_bytes();
  ScoredMember::destroy(member);
}

void SortedTable::erase_range(RankRange range, Direction direction, Visit visit) {
  by_score_.erase_range(range, direction, [&](ScoredMember* member) {
    visit(member->text(), member->score());
    const auto slot = by_member_.slot_of(member, hash_bytes(member->text()));
    AE_ASSERT(slot);
    by_member_.remove(slot);
    destroy(member);
  });
}

void SortedTable::for_range(RankRange range, Direction direction, Visit visit) const {
  uint64_t left = range.size();
  if (left == 0) return;
  const bool forward = direction == Direction::kForward;
  auto at = by_score_.at(forward ? range.begin : range.end - 1);
  for (; left != 0; --left) {
    visit(at.member()->text(), at.score());
    forward ? ++at : --at;
  }
}

uint64_t SortedTable::scan(uint64_t cursor, Visit visit) const {
  return by_member_.scan(cursor,
                         [&](const ScoredMember& member) { visit(member.text(), member.score()); });
}

// First the members, from the end of the order, where a leaf goes with its last one; then the hash
// table, whose slots by then point to nothing and are only counted.
size_t SortedTable::free_some(size_t budget) {
  const uint64_t size = by_score_.size();
  const uint64_t count = std::min<uint64_t>(budget, size);
  by_score_.erase_range({size - count, size}, Direction::kBackward,
                        [&](ScoredMember* member) { destroy(member); });
  if (count == budget) return budget;
  const bool done = by_member_.clear_step(budget - count, [](ScoredMember*) {});
  return done ? count : budget;
}

void SortedTable::check() const {
  by_member_.check();
  by_score_.check();
  AE_ASSERT(by_member_.size() == by_score_.size());
  size_t bytes = 0;
  by_member_.for_each([&](const ScoredMember& member) {
    bytes += member.memory_bytes();
    AE_ASSERT(by_score_.at(by_score_.rank(&member)).member() == &member);
  });
  AE_ASSERT(bytes == member_bytes_);
}

}  // namespace millrace::ds
