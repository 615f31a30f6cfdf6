// The large encoding of a sorted set: a hash table by member and a tree by (score, member) over the
// same ScoredMembers, which this object owns. SortedSet decides when to use it and documents it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/ds/function_ref.h"
#include "server/ds/hash_table.h"
#include "server/ds/ordered_range.h"
#include "server/ds/ordered_tree.h"
#include "server/ds/scored_member.h"

namespace millrace::ds {

class SortedTable {
 public:
  using Visit = FunctionRef<void(std::string_view member, double score)>;

  SortedTable() = default;
  ~SortedTable();
  SortedTable(const SortedTable&) = delete;
  SortedTable& operator=(const SortedTable&) = delete;

  uint64_t size() const { return by_score_.size(); }
  const OrderedTree& by_score() const { return by_score_; }

  ScoredMember* find(std::string_view member, uint64_t hash) const {
    return by_member_.find(member, hash);
  }
  void prefetch_bucket(uint64_t hash) const { by_member_.prefetch_bucket(hash); }
  void prefetch_element(uint64_t hash) const { by_member_.prefetch_element(hash); }
  // Before find() and insert() or update(): overlaps the cache misses of the two structures.
  void prefetch(uint64_t hash, double score) const {
    by_member_.prefetch_bucket(hash);
    by_score_.prefetch_place(score);
  }
  // The member must not be there.
  void insert(std::string_view member, uint64_t hash, double score);
  void update(ScoredMember* member, double score) { by_score_.update_score(member, score); }
  bool erase(std::string_view member);
  // Visits, in this order, and erases. The range must be within the set.
  void erase_range(RankRange range, Direction direction, Visit visit);

  // The range must be within the set.
  void for_range(RankRange range, Direction direction, Visit visit) const;
  uint64_t scan(uint64_t cursor, Visit visit) const;

  size_t memory_bytes() const {
    return by_member_.memory_bytes() + by_score_.memory_bytes() + member_bytes_;
  }
  // Does up to `budget` members' worth of freeing. Less was done than asked for: nothing is left.
  // In between only this and the destructor may be called.
  size_t free_some(size_t budget);

  void check() const;

 private:
  struct MemberPolicy {
    using Element = ScoredMember;
    static std::string_view key(const ScoredMember& member) { return member.text(); }
  };

  void destroy(ScoredMember* member);

  HashTable<MemberPolicy> by_member_;
  OrderedTree by_score_;
  size_t member_bytes_ = 0;
};

}  // namespace millrace::ds
