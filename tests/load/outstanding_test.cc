#include "load/outstanding.h"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "ae/base/prng.h"

namespace load {
namespace {

ae::TimePoint at(int64_t ns) {
  return ae::TimePoint(ae::Nanoseconds(ns));
}

TEST(OutstandingTest, TheFrontGoesWhenItIsDone) {
  Outstanding outstanding;
  const uint32_t first = outstanding.push(at(1), 10);
  const uint32_t second = outstanding.push(at(2), 20);
  const uint32_t third = outstanding.push(at(3), 10);
  outstanding.finish(second);
  EXPECT_EQ(outstanding.oldest().due, at(1));
  outstanding.finish(first);
  EXPECT_EQ(outstanding.oldest().due, at(3));
  outstanding.finish(third);
  EXPECT_TRUE(outstanding.empty());
}

// Against a plain list; enough pushes that the ring grows several times and wraps many.
TEST(OutstandingTest, LikeAList) {
  const uint64_t seed = 4711;
  SCOPED_TRACE(seed);
  ae::Prng random(seed);
  Outstanding outstanding;
  struct Waiting {
    uint32_t sequence;
    int64_t due;
  };
  std::vector<Waiting> model;
  for (int64_t step = 0; step < 60'000; ++step) {
    const bool fill = random.below(100) < (step < 30'000 ? 60u : 40u);
    if (fill || model.empty()) {
      model.push_back({outstanding.push(at(step), uint32_t(step)), step});
      continue;
    }
    const size_t victim = random.one_in(2) ? 0 : random.below(model.size());
    ASSERT_EQ(outstanding.at(model[victim].sequence).due, at(model[victim].due));
    outstanding.finish(model[victim].sequence);
    model.erase(model.begin() + ptrdiff_t(victim));
    ASSERT_EQ(outstanding.empty(), model.empty());
    if (model.empty()) continue;
    ASSERT_EQ(outstanding.oldest().due, at(model[0].due));
  }
}

}  // namespace
}  // namespace load
