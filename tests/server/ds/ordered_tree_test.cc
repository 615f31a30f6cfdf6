#include "server/ds/ordered_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "ae/base/prng.h"

namespace millrace::ds {
namespace {

struct Key {
  double score;
  std::string text;
  auto operator<=>(const Key&) const = default;
};

// The tree beside a sorted vector that says what is right.
class TreeBesideModel {
 public:
  ~TreeBesideModel() {
    for (auto it = first(); it; ++it) doomed_.push_back(it.member());
    for (ScoredMember* member : doomed_) ScoredMember::destroy(member);
  }

  OrderedTree& tree() { return tree_; }
  const std::vector<Key>& model() const { return model_; }
  OrderedTree::Iterator first() const {
    return tree_.empty() ? OrderedTree::Iterator() : tree_.at(0);
  }

  void insert(const Key& key) {
    const auto at = std::lower_bound(model_.begin(), model_.end(), key);
    if (at != model_.end() && *at == key) return;
    model_.insert(at, key);
    tree_.insert(ScoredMember::create(key.text, key.score));
  }

  void erase(size_t rank) {
    ScoredMember* member = tree_.at(rank).member();
    tree_.erase(member);
    ScoredMember::destroy(member);
    model_.erase(model_.begin() + static_cast<ptrdiff_t>(rank));
  }

  void update(size_t rank, double score) {
    Key key = model_[rank];
    key.score = score;
    const auto twin = std::lower_bound(model_.begin(), model_.end(), key);
    if (twin != model_.end() && *twin == key) return;
    tree_.update_score(tree_.at(rank).member(), score);
    model_.erase(model_.begin() + static_cast<ptrdiff_t>(rank));
    model_.insert(std::lower_bound(model_.begin(), model_.end(), key), key);
  }

  void erase_range(RankRange range, Direction direction) {
    std::vector<Key> expected(model_.begin() + static_cast<ptrdiff_t>(range.begin),
                              model_.begin() + static_cast<ptrdiff_t>(range.end));
    if (direction == Direction::kBackward) std::reverse(expected.begin(), expected.end());
    std::vector<Key> erased;
    tree_.erase_range(range, direction, [&](ScoredMember* member) {
      erased.push_back({member->score(), std::string(member->text())});
      ScoredMember::destroy(member);
    });
    EXPECT_EQ(erased, expected);
    model_.erase(model_.begin() + static_cast<ptrdiff_t>(range.begin),
                 model_.begin() + static_cast<ptrdiff_t>(range.end));
  }

  void expect_same() {
    tree_.check();
    ASSERT_EQ(tree_.size(), model_.size());
    size_t rank = 0;
    for (auto it = first(); it; ++it, ++rank) expect_key(it, rank);
    ASSERT_EQ(rank, model_.size());
    if (model_.empty()) return;
    for (auto it = tree_.at(rank - 1); it; --it) expect_key(it, --rank);
    ASSERT_EQ(rank, 0U);
  }

  void expect_rank(size_t rank) {
    ASSERT_EQ(tree_.rank(tree_.at(rank).member()), rank);
    expect_key(tree_.at(rank), rank);
  }

  void expect_score_range(const ScoreRange& range) {
    const auto holds = [&](const Key& key) { return range.contains(key.score); };
    const RankRange ranks = tree_.ranks(range);
    ASSERT_EQ(ranks.size(),
              static_cast<size_t>(std::count_if(model_.begin(), model_.end(), holds)));
    if (ranks.size() == 0) return;
    ASSERT_TRUE(holds(model_[ranks.begin]) && holds(model_[ranks.end - 1]));
  }

  void expect_lex_range(const LexRange& range) {
    const auto holds = [&](const Key& key) { return range.contains(key.text); };
    const RankRange ranks = tree_.ranks(range);
    ASSERT_EQ(ranks.size(),
              static_cast<size_t>(std::count_if(model_.begin(), model_.end(), holds)));
    if (ranks.size() == 0) return;
    ASSERT_TRUE(holds(model_[ranks.begin]) && holds(model_[ranks.end - 1]));
  }

 private:
  void expect_key(OrderedTree::Iterator it, size_t rank) {
    ASSERT_EQ(it.score(), model_[rank].score);
    ASSERT_EQ(it.member()->text(), model_[rank].text);
  }

  OrderedTree tree_;
  std::vector<Key> model_;
  std::vector<ScoredMember*> doomed_;
};

enum class Scores { kSpread, kFewDistinct, kAllEqual, kAscending };

class OrderedTreeModel : public testing::TestWithParam<Scores> {
 protected:
  double score() {
    switch (GetParam()) {
      case Scores::kSpread:
        return prng_.fraction() * 1000;
      case Scores::kFewDistinct:
        return static_cast<double>(prng_.below(5)) - 2;
      case Scores::kAllEqual:
        return 0;
      case Scores::kAscending:
        return next_score_++;
    }
    return 0;
  }
  Key key() { return {score(), "member:" + std::to_string(prng_.below(100'000))}; }

  RankRange range_up_to(uint64_t longest) {
    const uint64_t begin = prng_.below(both_.model().size());
    const uint64_t room = both_.model().size() - begin;
    return {begin, begin + std::min(room, prng_.below(longest) + 1)};
  }
  ScoreBound score_bound() {
    // An existing score as often as not, so that bounds fall upon elements.
    const bool existing = prng_.one_in(2) && !both_.model().empty();
    const double at = existing ? both_.model()[prng_.below(both_.model().size())].score : score();
    return {at, prng_.one_in(2) ? BoundKind::kInclusive : BoundKind::kExclusive};
  }

  void change(uint64_t target_size) {
    const uint64_t size = both_.model().size();
    const bool grow = size == 0 || prng_.below(2 * target_size) >= size;
    const uint64_t dice = prng_.below(100);
    if (grow && dice < 80) return both_.insert(key());
    if (size == 0) return;
    if (dice < 90) return both_.erase(prng_.below(size));
    const uint64_t longest = prng_.one_in(50) ? 300 : 4;
    if (dice < 92) return both_.erase_range(range_up_to(longest), Direction::kForward);
    if (dice < 94) return both_.erase_range(range_up_to(longest), Direction::kBackward);
    const uint64_t rank = prng_.below(size);
    const double nudged = both_.model()[rank].score + (prng_.fraction() - 0.5) * 0.1;
    both_.update(rank, prng_.one_in(2) ? nudged : score());
  }

  void look() {
    if (both_.model().empty()) return;
    both_.expect_rank(prng_.below(both_.model().size()));
    both_.expect_score_range({score_bound(), score_bound()});
  }

  const uint64_t seed_ = std::random_device{}();
  ae::Prng prng_{seed_};
  double next_score_ = 0;
  TreeBesideModel both_;
};

TEST_P(OrderedTreeModel, agrees_with_a_sorted_vector) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  for (const uint64_t target_size : {10, 300, 3000, 100, 1}) {
    for (uint64_t i = 0; i < 1000 + 2 * target_size; ++i) {
      change(target_size);
      ASSERT_NO_FATAL_FAILURE(look());
      if (i % 64 != 0) continue;
      ASSERT_NO_FATAL_FAILURE(both_.tree().check());
    }
    ASSERT_NO_FATAL_FAILURE(both_.expect_same());
  }
}

TEST_P(OrderedTreeModel, drains_from_either_end) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  for (int i = 0; i < 5000; ++i) both_.insert(key());
  while (!both_.model().empty()) {
    const uint64_t size = both_.model().size();
    const uint64_t count = std::min<uint64_t>(size, 1 + prng_.below(20));
    if (prng_.one_in(2)) {
      both_.erase_range({0, count}, Direction::kForward);
    } else {
      both_.erase_range({size - count, size}, Direction::kBackward);
    }
    ASSERT_NO_FATAL_FAILURE(both_.tree().check());
    if (prng_.below(20) != 0) continue;
    ASSERT_NO_FATAL_FAILURE(both_.expect_same());
  }
  EXPECT_EQ(both_.tree().memory_bytes(), 0U);
}

INSTANTIATE_TEST_SUITE_P(distributions, OrderedTreeModel,
                         testing::Values(Scores::kSpread, Scores::kFewDistinct, Scores::kAllEqual,
                                         Scores::kAscending));

TEST(OrderedTree, an_empty_tree_has_no_heap_and_no_ranks) {
  OrderedTree tree;
  tree.check();
  EXPECT_EQ(tree.memory_bytes(), 0U);
  EXPECT_EQ(tree.ranks(ScoreRange{}).size(), 0U);
  EXPECT_EQ(tree.ranks(LexRange{}).size(), 0U);
}

TEST(OrderedTree, finds_lex_ranges_among_equal_scores) {
  TreeBesideModel both;
  ae::Prng prng(7);
  const auto text = [&] {
    return std::string(1 + prng.below(3), static_cast<char>(prng.below(256)));
  };
  for (int i = 0; i < 2000; ++i) both.insert({0, text()});
  using Kind = LexBound::Kind;
  for (int i = 0; i < 500; ++i) {
    const std::string min = text();
    const std::string max = text();
    for (const Kind min_kind :
         {Kind::kInclusive, Kind::kExclusive, Kind::kLowest, Kind::kHighest}) {
      for (const Kind max_kind :
           {Kind::kInclusive, Kind::kExclusive, Kind::kLowest, Kind::kHighest}) {
        ASSERT_NO_FATAL_FAILURE(both.expect_lex_range({{min_kind, min}, {max_kind, max}}));
      }
    }
  }
}

TEST(OrderedTree, orders_infinities_and_takes_zeros_of_either_sign_as_one) {
  TreeBesideModel both;
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double score : {0.0, infinity, -infinity, 5e-324, -1.7e308}) both.insert({score, "a"});
  both.insert({-0.0, "b"});
  both.expect_same();
  both.expect_score_range({{-infinity}, {infinity}});
  both.expect_score_range({{-infinity, BoundKind::kExclusive}, {infinity, BoundKind::kExclusive}});
  both.expect_score_range({{-0.0}, {0.0}});
}

TEST(OrderedTree, an_inverted_range_holds_nothing) {
  TreeBesideModel both;
  for (int i = 0; i < 200; ++i) both.insert({static_cast<double>(i), "m"});
  EXPECT_EQ(both.tree().ranks(ScoreRange{{100}, {50}}).size(), 0U);
  EXPECT_EQ(both.tree().ranks(ScoreRange{{7, BoundKind::kExclusive}, {7}}).size(), 0U);
}

// Invariant 5's exception: what arrives in order leaves full leaves behind.
TEST(OrderedTree, ascending_insertions_fill_their_nodes) {
  TreeBesideModel both;
  constexpr size_t kElements = 20'000;
  for (size_t i = 0; i < kElements; ++i) both.insert({static_cast<double>(i), "m"});
  both.tree().check();
  EXPECT_LT(both.tree().memory_bytes(), kElements * 18);
}

// Large enough for two levels of inner nodes that split, merge and even out. The members are all
// "m" with scores 0, 1, 2 …, so that what is left can be said without a model of the tree.
TEST(OrderedTree, many_elements_come_and_go_in_random_order) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  ae::Prng prng(seed);
  constexpr size_t kElements = 60'000;
  std::vector<ScoredMember*> members;
  for (size_t i = 0; i < kElements; ++i) {
    members.push_back(ScoredMember::create("m", static_cast<double>(i)));
  }
  std::shuffle(members.begin(), members.end(), prng);

  OrderedTree tree;
  for (ScoredMember* member : members) tree.insert(member);
  tree.check();
  EXPECT_LT(tree.memory_bytes(), kElements * 27);  // about two thirds full
  while (!members.empty()) {
    for (size_t i = 0; i < kElements / 6; ++i) {
      tree.erase(members.back());
      ScoredMember::destroy(members.back());
      members.pop_back();
    }
    tree.check();
    ASSERT_EQ(tree.size(), members.size());
    std::vector<ScoredMember*> sorted = members;
    std::sort(sorted.begin(), sorted.end(),
              [](const auto* a, const auto* b) { return a->score() < b->score(); });
    for (size_t rank = 0; rank < sorted.size(); rank += 7) {
      ASSERT_EQ(tree.at(rank).member(), sorted[rank]);
      ASSERT_EQ(tree.rank(sorted[rank]), rank);
    }
  }
  EXPECT_EQ(tree.memory_bytes(), 0U);
}

TEST(OrderedTree, a_move_takes_the_elements_along) {
  TreeBesideModel both;
  for (int i = 0; i < 100; ++i) both.insert({static_cast<double>(i), "m"});
  OrderedTree taken = std::move(both.tree());
  EXPECT_TRUE(both.tree().empty());
  both.tree().check();
  taken.check();
  EXPECT_EQ(taken.size(), 100U);
  both.tree() = std::move(taken);
  both.expect_same();
}

}  // namespace
}  // namespace millrace::ds
