#include "ae/core/timer_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ae/base/prng.h"

namespace ae {
namespace {

TimePoint at(int64_t ms) {
  return TimePoint(Milliseconds(ms));
}

class TimerQueueTest : public ::testing::Test {
 protected:
  TimerId add(int64_t ms, int label, int64_t interval_ms = 0) {
    return queue_.add(at(ms), Milliseconds(interval_ms), [this, label] { ran_.push_back(label); });
  }

  TimerQueue queue_;
  std::vector<int> ran_;
};

TEST_F(TimerQueueTest, RunsInOrderOfDeadlines) {
  add(30, 3);
  add(10, 1);
  add(20, 2);
  EXPECT_EQ(queue_.next_deadline(), at(10));
  EXPECT_EQ(queue_.run_due(at(9)), 0u);
  EXPECT_EQ(queue_.run_due(at(20)), 2u);
  EXPECT_EQ(ran_, (std::vector{1, 2}));
  EXPECT_EQ(queue_.next_deadline(), at(30));
}

TEST_F(TimerQueueTest, EqualDeadlinesRunInOrderOfAdding) {
  for (int i = 0; i < 50; ++i) add(5, i);
  queue_.run_due(at(5));
  EXPECT_EQ(ran_.size(), 50u);
  EXPECT_TRUE(std::is_sorted(ran_.begin(), ran_.end()));
}

TEST_F(TimerQueueTest, CancelledOnesDoNotRun) {
  const TimerId one = add(1, 1);
  add(2, 2);
  EXPECT_TRUE(queue_.cancel(one));
  EXPECT_FALSE(queue_.cancel(one));
  EXPECT_EQ(queue_.next_deadline(), at(2));
  queue_.run_due(at(10));
  EXPECT_EQ(ran_, (std::vector{2}));
  EXPECT_EQ(queue_.next_deadline(), std::nullopt);
}

TEST_F(TimerQueueTest, AnIdIsStaleOnceItHasRun) {
  const TimerId id = add(1, 1);
  queue_.run_due(at(1));
  const TimerId next = add(2, 2);
  EXPECT_EQ(id.slot, next.slot);
  EXPECT_FALSE(queue_.cancel(id)) << "must not hit the timer that got its slot";
  EXPECT_EQ(queue_.size(), 1u);
}

TEST_F(TimerQueueTest, PeriodicRunsOnItsGrid) {
  add(10, 1, 10);
  queue_.run_due(at(11));  // late, but the next is not put off
  EXPECT_EQ(queue_.next_deadline(), at(20));
}

TEST_F(TimerQueueTest, PeriodicDoesNotMakeUpForMissedRuns) {
  add(10, 1, 10);
  EXPECT_EQ(queue_.run_due(at(57)), 1u);
  EXPECT_EQ(queue_.next_deadline(), at(67));
}

TEST_F(TimerQueueTest, ACallbackMayCancelItself) {
  TimerId id;
  int runs = 0;
  id = queue_.add(at(1), Milliseconds(1), [&] {
    ++runs;
    EXPECT_TRUE(queue_.cancel(id));
  });
  queue_.run_due(at(1));
  queue_.run_due(at(100));
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(queue_.size(), 0u);
}

TEST_F(TimerQueueTest, ACallbackMayCancelAnotherThatIsDueToo) {
  TimerId victim;
  queue_.add(at(1), Nanoseconds::zero(), [&] { EXPECT_TRUE(queue_.cancel(victim)); });
  victim = add(2, 2);
  queue_.run_due(at(5));
  EXPECT_TRUE(ran_.empty());
}

TEST_F(TimerQueueTest, WhatACallbackAddsWaitsForTheNextRun) {
  int runs = 0;
  std::function<void()> again = [&] {
    ++runs;
    queue_.add(at(1), Nanoseconds::zero(), [&] { again(); });
  };
  again();
  EXPECT_EQ(queue_.run_due(at(1)), 1u);
  EXPECT_EQ(queue_.run_due(at(1)), 1u);
  EXPECT_EQ(runs, 3);
}

TEST_F(TimerQueueTest, RunsPerCallAreBounded) {
  const size_t many = TimerQueue::kMaxRunsPerTick + 10;
  for (size_t i = 0; i < many; ++i) add(1, static_cast<int>(i));
  EXPECT_EQ(queue_.run_due(at(1)), TimerQueue::kMaxRunsPerTick);
  EXPECT_EQ(queue_.run_due(at(1)), 10u);
  EXPECT_TRUE(std::is_sorted(ran_.begin(), ran_.end()));
}

// Random adds, cancels and runs against an ordered map.
TEST_F(TimerQueueTest, AgreesWithAModel) {
  constexpr uint64_t kSeed = 777;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  Prng random(kSeed);
  std::map<std::pair<int64_t, int>, TimerId> model;  // (deadline, label) in order of running
  int64_t now = 0;
  for (int label = 0; label < 20000; ++label) {
    const uint64_t action = random.below(10);
    if (action < 5) {
      const int64_t deadline = now + static_cast<int64_t>(random.below(100));
      model[{deadline, label}] = add(deadline, label);
    } else if (action < 8 && !model.empty()) {
      const auto victim =
          std::next(model.begin(), static_cast<ptrdiff_t>(random.below(model.size())));
      ASSERT_TRUE(queue_.cancel(victim->second));
      model.erase(victim);
    } else {
      now += static_cast<int64_t>(random.below(20));
      std::vector<int> expected;
      while (!model.empty() && model.begin()->first.first <= now) {
        expected.push_back(model.begin()->first.second);
        model.erase(model.begin());
      }
      ran_.clear();
      ASSERT_EQ(queue_.run_due(at(now)), expected.size());
      ASSERT_EQ(ran_, expected);
    }
    ASSERT_EQ(queue_.size(), model.size());
    if (model.empty()) continue;
    ASSERT_EQ(queue_.next_deadline(), at(model.begin()->first.first));
  }
}

}  // namespace
}  // namespace ae
