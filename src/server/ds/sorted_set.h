// SortedSet: members with scores, in the order of (score, bytes of the member). The value of a
// Redis sorted set.
//
// Two encodings, one word:
//
//     word_ = block            "listpack": member, score, member, score … in order, one block
//     word_ = SortedTable* | 1 "skiplist" as OBJECT ENCODING calls it:
//
//         SortedTable ─> by_member: HashTable ──┐
//                     └> by_score: OrderedTree ─┴─> ScoredMember { score, bytes }   one slab cell
//                     each
//
// Redis pairs its hash table with a skip list. An order-statistics B+ tree does the same work in a
// fourth of the time (ordered_tree.h says why); the name stays, since clients can see it.
// Both halves point at one allocation per member. The tree's leaves carry the score a second time,
// so that a search by score touches no member.
//
// Invariants
//   1. The listpack holds at most the limits' entries, none longer than the limits' value, in
//   order.
//      A score is stored as Redis stores it: an integer if it is one, else its shortest decimal
//      text.
//   2. by_member and by_score hold the same elements; a leaf's score is its member's.
//   3. The encoding only ever changes from listpack to table.
//   4. No score is a NaN.
//
// Costs for n members. Listpack: everything O(n), with n at most 128 by default and a few hundred
// nanoseconds. Table: score() O(1); add, erase, rank, and the begin of any range O(log n); each
// further member of a range O(1); pop O(1) amortized. LIMIT's offset is a jump, not a walk.
//
// Ranks count from 0 at the lowest member, in either direction of a walk. Views of members that a
// visitor gets are good during the call; a visitor must not change the set. No thread safety.
//
//   SortedSet board;
//   board.add("alice", 12, {}, limits);
//   board.add("bob", 3, {.operand = SortedSet::Operand::kIncrement}, limits);
//   board.for_range({0, 10}, Direction::kBackward, [&](std::string_view member, double score) { …
//   });
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "ae/base/prng.h"
#include "server/ds/collection_limits.h"
#include "server/ds/function_ref.h"
#include "server/ds/ordered_range.h"

namespace millrace::ds {

class Listpack;
class ListpackView;
class SortedTable;

class SortedSet {
 public:
  enum class Encoding { kListpack, kSkipList };

  // ZADD's NX and XX, GT and LT, INCR.
  enum class Presence { kAny, kOnlyNew, kOnlyExisting };
  enum class Change { kAny, kOnlyGreater, kOnlyLess };
  enum class Operand { kScore, kIncrement };
  struct AddOptions {
    Presence presence = Presence::kAny;
    Change change = Change::kAny;  // a new member is added in any case
    Operand operand = Operand::kScore;
  };

  enum class AddResult {
    kAdded,
    kUpdated,
    kUnchanged,   // the member has that score already
    kSkipped,     // the options forbid it
    kNotANumber,  // the score, or the sum of the scores (inf - inf)
  };
  struct AddOutcome {
    AddResult result;
    double score;  // the member's, after the call; 0 if there is no such member
  };

  struct Rank {
    uint64_t rank;
    double score;
  };

  using Visit = FunctionRef<void(std::string_view member, double score)>;

  SortedSet() : SortedSet(empty_word()) {}
  ~SortedSet();
  SortedSet(SortedSet&& other) noexcept : word_(std::exchange(other.word_, empty_word())) {}
  SortedSet& operator=(SortedSet&& other) noexcept;

  // An empty set in the encoding that so many members of up to so many bytes would end in.
  static SortedSet sized_for(size_t members, size_t longest_member_bytes,
                             const ListpackLimits& limits);

  // Converts now if so many members at once would not fit the small encoding (ZADD's own rule).
  void expect(size_t members, const ListpackLimits& limits);

  SortedSet copy() const;

  AddOutcome add(std::string_view member, double score, AddOptions options,
                 const ListpackLimits& limits);
  // False: no such member.
  bool erase(std::string_view member);

  uint64_t size() const;
  bool empty() const { return size() == 0; }

  // Stages of a batch: fetch the line where a member with this hash stands or would (the listpack
  // itself, if it is one); then, when that line is here, the member.
  void prefetch_place(uint64_t hash) const;
  void prefetch_member(uint64_t hash) const;

  std::optional<double> score(std::string_view member) const;
  bool contains(std::string_view member) const { return score(member).has_value(); }
  // Rank from the lowest; from the highest it is size() - 1 - rank.
  std::optional<Rank> rank(std::string_view member) const;

  // Which ranks a range covers; its size() is ZCOUNT's and ZLEXCOUNT's answer. By lex is meaningful
  // only if all scores are equal.
  RankRange ranks(const ScoreRange& range) const;
  RankRange ranks(const LexRange& range) const;

  // Visit members in a range. Ranks beyond the end are cut off.
  void for_range(RankRange range, Direction direction, Visit visit) const;
  void for_range(const ScoreRange& range, Direction direction, Page page, Visit visit) const;
  void for_range(const LexRange& range, Direction direction, Page page, Visit visit) const;
  void for_each(Visit visit) const { for_range({0, size()}, Direction::kForward, visit); }

  // Visits and removes up to `count` members from an end. Returns how many.
  uint64_t pop_min(uint64_t count, Visit visit);
  uint64_t pop_max(uint64_t count, Visit visit);

  // Remove ranges. Return how many members were removed.
  uint64_t erase_range(RankRange range);
  uint64_t erase_range(const ScoreRange& range) { return erase_range(ranks(range)); }
  uint64_t erase_range(const LexRange& range) { return erase_range(ranks(range)); }

  // One member, each with equal probability; the set is not empty.
  void random(ae::Prng& prng, Visit visit) const;
  // `count` of them. Unique: at most all; each set of `count` members with equal probability.
  // An empty set gives none.
  void random(uint64_t count, Repetition repetition, ae::Prng& prng, Visit visit) const;

  // ZSCAN: visits some members, returns the cursor to go on with, 0 at the end. A member present
  // from the first call to the last is visited, even if the set changes in between. Starts at 0.
  uint64_t scan(uint64_t cursor, Visit visit) const;

  Encoding encoding() const { return is_table() ? Encoding::kSkipList : Encoding::kListpack; }
  std::string_view encoding_name() const { return is_table() ? "skiplist" : "listpack"; }

  // The listpack's bytes, which RDB carries as they are; nothing if it is a table.
  std::optional<std::string_view> raw() const;
  // Takes over a listpack of members and scores in order, no member twice.
  static SortedSet from_pack(Listpack pack);

  // Heap behind this object. O(1).
  size_t memory_bytes() const;

  // Does up to `budget` members' worth of freeing and returns how much; budget > 0. Less than asked
  // for: all is freed, the set is empty. Between the first such call and the last only the
  // destructor may be called instead.
  size_t free_some(size_t budget);

  // Aborts unless the invariants hold (1 for the limits given).
  void check(const ListpackLimits& limits = {}) const;

 private:
  static constexpr uintptr_t kListpackTag = 0;
  static constexpr uintptr_t kTableTag = 1;

  explicit SortedSet(uintptr_t word) : word_(word) {}
  static uintptr_t empty_word();

  bool is_table() const { return (word_ & kTableTag) != 0; }
  SortedTable& table() const {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the tag shares the word with the pointer
    return *reinterpret_cast<SortedTable*>(word_ - kTableTag);
  }
  ListpackView pack() const;

  void convert_to_table();
  bool fits_pack(std::string_view member, const ListpackLimits& limits);
  AddOutcome update_in_pack(std::string_view member, double score, AddOptions options);
  AddOutcome add_to_table(std::string_view member, double score, AddOptions options);
  uint64_t pop(RankRange range, Direction direction, Visit visit);

  uintptr_t word_;
};

static_assert(sizeof(SortedSet) == sizeof(void*));

}  // namespace millrace::ds
