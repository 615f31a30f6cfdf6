#include "load/traffic.h"

#include <gtest/gtest.h>

#include <vector>

#include "ae/sim/world.h"

namespace load {
namespace {

using ae::Milliseconds;
using ae::Nanoseconds;

TEST(TrafficTest, AtItsTimesAndNoOther) {
  ae::sim::World world(1);
  const ae::TimePoint start = world.loop().now() + Milliseconds(5);
  std::vector<Nanoseconds> due, called;
  Traffic traffic(world.loop(), {start, 300}, 4, [&](ae::TimePoint when) {
    due.push_back(when - start);
    called.push_back(world.clock().now() - start);
  });
  world.pass(ae::Seconds(1));
  EXPECT_TRUE(traffic.over());
  EXPECT_EQ(due, (std::vector<Nanoseconds>{Nanoseconds(0), Nanoseconds(3'333'333),
                                           Nanoseconds(6'666'666), Milliseconds(10)}));
  EXPECT_EQ(called, due);
}

// The process did not run for a while: nothing is left out, and each call knows when it was due.
TEST(TrafficTest, WhatWasMissedIsMadeUpFor) {
  ae::sim::World world(1);
  const ae::TimePoint start = world.loop().now();
  std::vector<Nanoseconds> due;
  Traffic traffic(world.loop(), {start, 1000}, 2000,
                  [&](ae::TimePoint when) { due.push_back(when - start); });
  world.clock().advance_to(start + ae::Seconds(1));
  world.settle();
  EXPECT_EQ(due.size(), 1001u);
  world.pass(ae::Seconds(2));
  ASSERT_EQ(due.size(), 2000u);
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(due[size_t(i)], Milliseconds(i));
}

TEST(TrafficTest, Stopped) {
  ae::sim::World world(1);
  int calls = 0;
  {
    Traffic traffic(world.loop(), {world.loop().now(), 1000}, 100, [&](ae::TimePoint) { ++calls; });
    world.pass(Milliseconds(10));
    traffic.stop();
    EXPECT_TRUE(traffic.over());
  }
  const int so_far = calls;
  world.pass(Milliseconds(10));
  EXPECT_EQ(calls, so_far);
  EXPECT_EQ(world.violations(), "");
}

TEST(TrafficTest, HowManyFallIntoATime) {
  EXPECT_EQ((Pace{{}, 1000}.count_within(ae::Seconds(10))), 10'000u);
  EXPECT_EQ((Pace{{}, 0.5}.count_within(ae::Seconds(3))), 2u);
}

}  // namespace
}  // namespace load
