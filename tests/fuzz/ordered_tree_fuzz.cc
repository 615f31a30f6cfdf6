// The bytes are a program of insertions, removals and changes of score, run on an OrderedTree and
// on a std::set beside it. Few members and fewer scores, so that ties, twins and emptied nodes are
// common.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "ae/base/assert.h"
#include "server/ds/ordered_tree.h"

namespace {

using millrace::ds::BoundKind;
using millrace::ds::Direction;
using millrace::ds::OrderedTree;
using millrace::ds::RankRange;
using millrace::ds::ScoredMember;
using millrace::ds::ScoreRange;
using Key = std::pair<double, std::string>;

class Program {
 public:
  Program(const uint8_t* bytes, size_t size) : at_(bytes), end_(bytes + size) {}
  ~Program() { erase_range({0, tree_.size()}, Direction::kForward); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void run() {
    while (at_ != end_) {
      step();
      if (++steps_ % 32 == 0) tree_.check();
    }
    tree_.check();
    compare();
  }

 private:
  uint8_t byte() { return at_ != end_ ? *at_++ : 0; }
  double score() { return static_cast<double>(byte() % 16) - 8; }
  uint64_t rank() { return (byte() << 8 | byte()) % tree_.size(); }

  void step() {
    const uint8_t operation = byte() % 8;
    if (operation < 3) return insert_run(byte());
    if (tree_.empty()) return;
    switch (operation) {
      case 3:
        return erase(rank());
      case 4:
        return update(rank(), score());
      case 5:
        return erase_some(Direction::kForward);
      case 6:
        return erase_some(Direction::kBackward);
      default:
        return look();
    }
  }

  // So many elements of one score that a short program fills nodes.
  void insert_run(uint8_t count) {
    const double at = score();
    const uint32_t base = byte();
    for (uint32_t i = 0; i < count; ++i) {
      const Key key{at, std::to_string(base + 7 * i)};
      if (model_.insert(key).second) tree_.insert(ScoredMember::create(key.second, key.first));
    }
  }

  void erase(uint64_t rank) {
    ScoredMember* member = tree_.at(rank).member();
    AE_ASSERT(tree_.rank(member) == rank);
    AE_ASSERT(model_.erase({member->score(), std::string(member->text())}) == 1);
    tree_.erase(member);
    ScoredMember::destroy(member);
  }

  void update(uint64_t rank, double score) {
    ScoredMember* member = tree_.at(rank).member();
    const Key key{score, std::string(member->text())};
    if (model_.contains(key)) return;
    model_.erase({member->score(), key.second});
    model_.insert(key);
    tree_.update_score(member, score);
  }

  void erase_some(Direction direction) {
    const uint64_t begin = rank();
    erase_range({begin, std::min<uint64_t>(begin + byte(), tree_.size())}, direction);
  }

  void erase_range(RankRange range, Direction direction) {
    tree_.erase_range(range, direction, [&](ScoredMember* member) {
      AE_ASSERT(model_.erase({member->score(), std::string(member->text())}) == 1);
      ScoredMember::destroy(member);
    });
  }

  void look() {
    const ScoreRange range{{score(), static_cast<BoundKind>(byte() % 2)},
                           {score(), static_cast<BoundKind>(byte() % 2)}};
    const auto count = std::count_if(model_.begin(), model_.end(),
                                     [&](const Key& key) { return range.contains(key.first); });
    AE_ASSERT(tree_.ranks(range).size() == static_cast<uint64_t>(count));
  }

  void compare() {
    AE_ASSERT(tree_.size() == model_.size());
    if (tree_.empty()) return;
    auto it = tree_.at(0);
    for (const Key& key : model_) {
      AE_ASSERT(it && it.score() == key.first && it.member()->text() == key.second);
      ++it;
    }
    AE_ASSERT(!it);
  }

  const uint8_t* at_;
  const uint8_t* end_;
  OrderedTree tree_;
  std::set<Key> model_;
  uint64_t steps_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kLongestProgram = 4096;
  Program(data, std::min(size, kLongestProgram)).run();
  return 0;
}
