#include "server/db/expiry.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "server/db/lazy_free.h"

namespace millrace {
namespace {

constexpr int64_t kNow = 1'700'000'000'000;

class ExpiryTest : public testing::Test {
 protected:
  ExpiryTest() {
    clock_.set_now(kNow);
    for (int i = 0; i < 16; ++i) databases_.push_back(std::make_unique<Keyspace>(clock_));
  }

  void set(size_t db, const std::string& name, int64_t expiry) {
    databases_[db]->set_string(Keyspace::key(name), "value", expiry);
  }
  // Runs one cycle without a limit of time; returns its steps.
  int cycle(int64_t now, ActiveExpiry::Options options = {}) {
    int steps = 1;
    while (expiry_.step(databases_, now, options, [&](size_t db, Entry& entry) {
      expired_.insert({db, std::string(entry.key())});
    }) == ActiveExpiry::Progress::kMore) {
      ++steps;
    }
    return steps;
  }

  AccessClock clock_;
  std::vector<std::unique_ptr<Keyspace>> databases_;
  ActiveExpiry expiry_;
  std::set<std::pair<size_t, std::string>> expired_;
};

TEST_F(ExpiryTest, DeletesWhatIsPastAndNothingElse) {
  for (int i = 0; i < 5'000; ++i) {
    set(static_cast<size_t>(i % 3) * 5, "past" + std::to_string(i), kNow - 1 - i);
    set(static_cast<size_t>(i % 3) * 5, "now" + std::to_string(i), kNow);
    set(static_cast<size_t>(i % 3) * 5, "future" + std::to_string(i), kNow + 1 + i);
    set(static_cast<size_t>(i % 3) * 5, "forever" + std::to_string(i), kNoExpiry);
  }
  for (int i = 0; i < 100; ++i) cycle(kNow);
  EXPECT_EQ(expired_.size(), 10'000u);
  for (const auto& [db, name] : expired_) {
    ASSERT_TRUE(name.starts_with("past") || name.starts_with("now")) << name;
  }
  EXPECT_EQ(expiry_.totals().expired, 10'000u);
  size_t left = 0;
  for (const auto& database : databases_) {
    database->check();
    left += database->size();
  }
  EXPECT_EQ(left, 10'000u);
}

TEST_F(ExpiryTest, OneCycleEmptiesADatabaseInWhichMostIsStale) {
  for (int i = 0; i < 20'000; ++i) set(0, std::to_string(i), kNow - 1);
  EXPECT_GT(cycle(kNow), 100);
  // It stops at the end of a round, at the latest.
  EXPECT_LT(databases_[0]->size(), 400u);
}

TEST_F(ExpiryTest, ADatabaseWithNothingStaleCostsOneStep) {
  for (int i = 0; i < 20'000; ++i) set(3, std::to_string(i), kNow + 1'000);
  EXPECT_EQ(cycle(kNow), 16);
  EXPECT_LT(expiry_.totals().examined, 300u);
}

TEST_F(ExpiryTest, ConcernsItselfWithTheShareThatEffortAccepts) {
  // 6 % stale: at effort 1 acceptable (9), at effort 10 not (0).
  for (int i = 0; i < 30'000; ++i) {
    set(0, std::to_string(i), i % 100 < 6 ? kNow - 1 : kNow + 1'000);
  }
  EXPECT_LT(cycle(kNow, {.effort = 1}), 30);
  cycle(kNow, {.effort = 10});
  cycle(kNow, {.effort = 10});
  EXPECT_LT(databases_[0]->size(), 28'300u);
}

TEST_F(ExpiryTest, EveryKeyIsLookedAtWithinARound) {
  // One stale key among many that are not, and many that cannot expire.
  for (int i = 0; i < 20'000; ++i) {
    set(0, std::to_string(i), i % 10 == 0 ? kNow + 5'000 : kNoExpiry);
  }
  set(0, "stale", kNow - 1);
  int cycles = 0;
  while (expired_.empty() && cycles < 100) {
    cycle(kNow);
    ++cycles;
  }
  EXPECT_EQ(expired_.size(), 1u);
  EXPECT_LE(cycles, 25);  // 2,000 keys at a hundred each
}

TEST_F(ExpiryTest, LargeValuesGoToTheLazyFree) {
  LazyFree lazy;
  ds::QuickList list;
  for (int i = 0; i < 1'000; ++i) list.push(ds::End::kBack, "x", ds::ListLimit());
  Entry* entry = databases_[0]->add(Keyspace::key("list"), std::move(list));
  databases_[0]->set_expiry(entry, kNow - 5);
  cycle(kNow, {.effort = 1, .lazy_free = &lazy});
  EXPECT_EQ(databases_[0]->size(), 0u);
  EXPECT_EQ(lazy.pending(), 1u);
}

TEST_F(ExpiryTest, FewerDatabasesThanBefore) {
  set(15, "a", kNow - 1);
  for (int i = 0; i < 9; ++i) {
    expiry_.step(databases_, kNow, {}, [](size_t, Entry&) {});
  }
  databases_.resize(2);
  set(1, "b", kNow - 1);
  cycle(kNow);
  cycle(kNow);
  EXPECT_EQ(expired_.size(), 1u);
}

TEST(ActiveExpiry, TimeLimits) {
  EXPECT_EQ(ActiveExpiry::time_limit(1, 10).count(), 27'000);
  EXPECT_EQ(ActiveExpiry::time_limit(10, 100).count(), 4'500);
}

}  // namespace
}  // namespace millrace
