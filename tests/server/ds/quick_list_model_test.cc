// QuickList against a std::deque: random operations, under limits that make nodes of one element
// and of many.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "server/ds/quick_list.h"

namespace millrace::ds {
namespace {

using Model = std::deque<std::string>;

std::string text_of(const Element& element) {
  Element::TextBuffer buffer;
  return std::string(element.text(buffer));
}

Model contents(const QuickList& list) {
  Model all;
  list.for_range(0, SIZE_MAX, [&all](const Element& element) { all.push_back(text_of(element)); });
  return all;
}

std::string pop(QuickList& list, End end) {
  std::string popped = "(none)";
  list.pop(end, [&popped](const Element& element) { popped = text_of(element); });
  return popped;
}

class ModelRun {
 public:
  ModelRun(std::uint64_t seed, int fill) : random_(seed), limit_(fill) {}

  void step() {
    switch (below(12)) {
      case 0:
        return push(End::kFront);
      case 1:
        return push(End::kBack);
      case 2:
        return pop_one(End::kFront);
      case 3:
        return pop_one(End::kBack);
      case 4:
      case 5:
        return insert();
      case 6:
        return replace();
      case 7:
        return erase();
      case 8:
        return erase_range();
      case 9:
        return remove_matching();
      case 10:
        return settle();
      default:
        return replace_list();
    }
  }

  void compare() {
    ASSERT_TRUE(list_.check());
    ASSERT_EQ(list_.size(), model_.size());
    ASSERT_EQ(contents(list_), model_);
    if (model_.empty()) return;
    const std::size_t start = below(model_.size());
    const std::size_t count = below(50);
    Model range;
    list_.for_range(start, count,
                    [&](const Element& element) { range.push_back(text_of(element)); });
    const std::size_t end = std::min(start + count, model_.size());
    ASSERT_EQ(range, Model(iterator(start), iterator(end)));
  }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }
  Model::iterator iterator(std::size_t index) {
    return model_.begin() + static_cast<std::ptrdiff_t>(index);
  }

  std::string value() {
    switch (below(40)) {
      case 0:
        return std::string(below(20000), 'L');
      case 1:
        return std::string(below(3000), 'm');
      default:
        break;
    }
    if (below(2) == 0) return std::to_string(below(20));
    return std::string(below(200), static_cast<char>('a' + below(3)));
  }

  void push(End end) {
    std::vector<std::string> values(1 + below(6));
    for (std::string& each : values) each = value();
    const std::vector<std::string_view> views(values.begin(), values.end());
    list_.push(end, views, limit_);
    for (const std::string& each : values) {
      if (end == End::kFront) {
        model_.push_front(each);
      } else {
        model_.push_back(each);
      }
    }
  }

  void pop_one(End end) {
    const std::string popped = pop(list_, end);
    if (model_.empty()) {
      ASSERT_EQ(popped, "(none)");
    } else if (end == End::kFront) {
      ASSERT_EQ(popped, model_.front());
      model_.pop_front();
    } else {
      ASSERT_EQ(popped, model_.back());
      model_.pop_back();
    }
  }

  void insert() {
    if (model_.empty()) return;
    const std::size_t index = below(model_.size());
    const std::string inserted = value();
    const Side side = below(2) == 0 ? Side::kBefore : Side::kAfter;
    list_.insert(list_.seek(static_cast<std::int64_t>(index)), side, inserted, limit_);
    model_.insert(iterator(side == Side::kBefore ? index : index + 1), inserted);
  }

  void replace() {
    if (model_.empty()) return;
    const std::size_t index = below(model_.size());
    model_[index] = value();
    list_.replace(list_.seek(static_cast<std::int64_t>(index)), model_[index], limit_);
  }

  void erase() {
    if (model_.empty()) return;
    std::size_t index = below(model_.size());
    const bool forward = below(2) == 0;
    const auto at = list_.seek(static_cast<std::int64_t>(index));
    const auto next = list_.erase(at, forward ? Direction::kForward : Direction::kBackward);
    model_.erase(iterator(index));
    if (!forward) index -= 1;  // wraps below zero: none
    ASSERT_EQ(static_cast<bool>(next), index < model_.size());
    ASSERT_TRUE(!next || list_.get(next) == model_[index]);
  }

  void erase_range() {
    if (model_.empty() || below(3) != 0) return;
    const std::size_t start = below(model_.size());
    const std::size_t count = below(model_.size());
    const std::size_t end = std::min(start + count, model_.size());
    ASSERT_EQ(list_.erase_range(start, count), end - start);
    model_.erase(iterator(start), iterator(end));
  }

  void remove_matching() {
    const std::string wanted = value();
    const std::int64_t count = static_cast<std::int64_t>(below(5)) - 2;
    std::size_t removed = 0;
    const std::size_t most = count == 0 ? SIZE_MAX : static_cast<std::size_t>(std::abs(count));
    if (count < 0) std::reverse(model_.begin(), model_.end());
    for (auto at = model_.begin(); at != model_.end() && removed < most;) {
      if (*at == wanted) {
        at = model_.erase(at);
        ++removed;
      } else {
        ++at;
      }
    }
    if (count < 0) std::reverse(model_.begin(), model_.end());
    ASSERT_EQ(list_.remove_matching(wanted, count), removed);
  }

  void settle() { list_.settle_after_removal(limit_); }

  void replace_list() {
    if (below(4) != 0) return;
    QuickList copy = list_.copy();
    ASSERT_EQ(copy.is_single_listpack(), list_.is_single_listpack());
    list_ = std::move(copy);
  }

  std::mt19937_64 random_;
  ListLimit limit_;
  Model model_;
  QuickList list_;
};

TEST(QuickListModel, BehavesLikeADeque) {
  for (const int fill : {1, 2, 5, 128, -1, -2, -5}) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
      SCOPED_TRACE("fill " + std::to_string(fill) + " seed " + std::to_string(seed));
      ModelRun model(seed, fill);
      for (int step = 0; step < 600; ++step) {
        ASSERT_NO_FATAL_FAILURE(model.step()) << "step " << step;
        if (step % 4 != 0) continue;
        ASSERT_NO_FATAL_FAILURE(model.compare()) << "step " << step;
      }
    }
  }
}

}  // namespace
}  // namespace millrace::ds
