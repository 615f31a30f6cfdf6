#include "server/ds/sorted_pack.h"

#include <cmath>

#include "ae/base/assert.h"
#include "ae/base/decimal.h"
#include "server/ds/sampling.h"

namespace millrace::ds::sorted_pack {

namespace {

double score_from(const Element& element) {
  if (element.is_integer()) return static_cast<double>(element.integer());
  const std::optional<double> score = ae::parse_double(element.string());
  AE_ASSERT(score.has_value());
  return *score;
}

// The text that becomes the score's element, which is an integer where the text is one.
std::string_view score_text(double score, char (&buffer)[ae::kMaxDoubleChars]) {
  if (score == 0) return "0";
  return {buffer, ae::format_double(score, buffer)};
}

// Stands on one member and its score, in either direction.
class PairCursor {
 public:
  PairCursor(const ListpackView& pack, Cursor member) : pack_(&pack), member_(member) {}
  static PairCursor at_rank(const ListpackView& pack, uint64_t rank) {
    return {pack, pack.seek(static_cast<int64_t>(2 * rank))};
  }

  explicit operator bool() const { return static_cast<bool>(member_); }
  Cursor member() const { return member_; }
  std::string_view text() { return pack_->get(member_).text(buffer_); }
  double score() const { return score_from(pack_->get(pack_->next(member_))); }

  void step(Direction direction) {
    if (direction == Direction::kForward) {
      member_ = pack_->next(pack_->next(member_));
    } else {
      const Cursor score_before = pack_->previous(member_);
      member_ = score_before ? pack_->previous(score_before) : Cursor{};
    }
  }

 private:
  const ListpackView* pack_;
  Cursor member_;
  Element::TextBuffer buffer_;
};

// Walks on while a predicate of the pair holds; returns how many pairs that were.
template <typename Predicate>
uint64_t walk_while(PairCursor* at, Predicate predicate) {
  uint64_t count = 0;
  for (; *at && predicate(*at); at->step(Direction::kForward)) ++count;
  return count;
}

// The pairs behind those that are `below` the range, as far as they are `within` its upper bound.
template <typename Below, typename Within>
RankRange ranks_where(const ListpackView& pack, Below below, Within within) {
  PairCursor at(pack, pack.first());
  const uint64_t begin = walk_while(&at, below);
  return {begin, begin + walk_while(&at, within)};
}

}  // namespace

std::optional<Found> find(const ListpackView& pack, std::string_view member) {
  const Cursor at = pack.find(member, pack.first(), 1);
  if (!at) return std::nullopt;
  return Found{at, score_from(pack.get(pack.next(at)))};
}

uint64_t rank_of(const ListpackView& pack, Cursor member) {
  PairCursor at(pack, pack.first());
  return walk_while(&at, [&](const PairCursor& pair) { return !(pair.member() == member); });
}

void insert(Listpack* pack, std::string_view member, double score) {
  PairCursor at(*pack, pack->first());
  for (; at; at.step(Direction::kForward)) {
    const double other = at.score();
    if (other > score || (other == score && at.text() > member)) break;
  }
  char buffer[ae::kMaxDoubleChars];
  pack->insert_pair_before(at.member(), member, score_text(score, buffer));
}

bool fits(const Listpack& pack, size_t member_bytes) {
  constexpr size_t kMostOverheadOfPair = 2 * 16;  // encoding and backlen are at most 10 bytes each
  return pack.fits(member_bytes + ae::kMaxDoubleChars + kMostOverheadOfPair);
}

RankRange ranks(const ListpackView& pack, const ScoreRange& range) {
  return ranks_where(
      pack, [&](PairCursor& at) { return !range.above_min(at.score()); },
      [&](PairCursor& at) { return range.below_max(at.score()); });
}

RankRange ranks(const ListpackView& pack, const LexRange& range) {
  return ranks_where(
      pack, [&](PairCursor& at) { return !range.above_min(at.text()); },
      [&](PairCursor& at) { return range.below_max(at.text()); });
}

void for_range(const ListpackView& pack, RankRange range, Direction direction, Visit visit) {
  uint64_t left = range.size();
  if (left == 0) return;
  const uint64_t begin = direction == Direction::kForward ? range.begin : range.end - 1;
  PairCursor at = PairCursor::at_rank(pack, begin);
  for (; left != 0; --left, at.step(direction)) visit(at.text(), at.score());
}

void sample(const ListpackView& pack, uint64_t count, Repetition repetition, ae::Prng& prng,
            Visit visit) {
  sample_listpack(pack, 2, count, repetition, prng, [&](Cursor member) {
    PairCursor at(pack, member);
    visit(at.text(), at.score());
  });
}

void check(const ListpackView& pack) {
  AE_ASSERT(pack.check() && pack.size() % 2 == 0);
  PairCursor at(pack, pack.first());
  if (!at) return;
  for (PairCursor next = at;; at = next) {
    AE_ASSERT(!std::isnan(at.score()));
    next.step(Direction::kForward);
    if (!next) return;
    const bool ascends =
        at.score() < next.score() || (at.score() == next.score() && at.text() < next.text());
    AE_ASSERT(ascends);
  }
}

}  // namespace millrace::ds::sorted_pack
