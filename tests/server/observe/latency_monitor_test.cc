#include "server/observe/latency_monitor.h"

#include <gtest/gtest.h>

#include "server/observe/latency_report.h"

namespace millrace {
namespace {

class LatencyMonitorTest : public testing::Test {
 protected:
  LatencyMonitorTest() { config_.latency_monitor_threshold_ms = 10; }
  void sample(int64_t second, uint64_t ms) { monitor_.sample("command", ms * 1000, second); }

  Config config_;
  LatencyMonitor monitor_{config_};
};

TEST_F(LatencyMonitorTest, OnlySpikesAreKept) {
  sample(1, 9);
  EXPECT_EQ(monitor_.find("command"), nullptr);
  sample(1, 10);
  ASSERT_NE(monitor_.find("command"), nullptr);
  config_.latency_monitor_threshold_ms = 0;
  sample(2, 1000);
  EXPECT_EQ(monitor_.find("command")->count, 1u);
}

TEST_F(LatencyMonitorTest, OneSampleASecondTheLongest) {
  for (uint64_t ms : {20, 50, 30}) sample(7, ms);
  sample(8, 15);
  const LatencyMonitor::Event& event = *monitor_.find("command");
  ASSERT_EQ(event.count, 2u);
  EXPECT_EQ(event.at(0).ms, 50u);
  EXPECT_EQ(event.latest().ms, 15u);
  EXPECT_EQ(event.max_ms, 50u);
}

TEST_F(LatencyMonitorTest, TheRingForgetsTheOldest) {
  const auto extra = int64_t(LatencyMonitor::kHistory) + 5;
  for (int64_t second = 0; second < extra; ++second) sample(second, 20);
  const LatencyMonitor::Event& event = *monitor_.find("command");
  ASSERT_EQ(event.count, LatencyMonitor::kHistory);
  EXPECT_EQ(event.at(0).unix_s, 5);
  EXPECT_EQ(event.latest().unix_s, extra - 1);
}

TEST_F(LatencyMonitorTest, ResetCountsWhatItForgets) {
  sample(1, 20);
  monitor_.sample("expire-cycle", 20'000, 1);
  EXPECT_EQ(monitor_.reset("nope"), 0u);
  EXPECT_EQ(monitor_.reset("command"), 1u);
  EXPECT_EQ(monitor_.reset_all(), 1u);
}

TEST_F(LatencyMonitorTest, Chart) {
  sample(100, 10);
  sample(143, 20);
  sample(145, 32);
  EXPECT_EQ(latency_chart("command", *monitor_.find("command"), 146),
            "command - high 32 ms, low 10 ms (all time high 32 ms)\n"
            "-----------------------------------------------------\n"
            "  #\n"
            "  |\n"
            " #|\n"
            "_||\n"
            "\n"
            "431\n"
            "6ss\n"
            "s\n");
}

TEST_F(LatencyMonitorTest, Report) {
  EXPECT_EQ(latency_report(monitor_, 0), "No latency spike was seen.\n");
  sample(100, 10);
  sample(110, 30);
  EXPECT_EQ(
      latency_report(monitor_, 115)
          .find(
              "* command: 2 latency spikes, 20 ms on average (mean deviation 10 ms, worst 30 ms), "
              "the last one 5 seconds ago, one every 10.0 seconds.\n  SLOWLOG GET names"),
      0u);
  monitor_.reset_all();
  config_.latency_monitor_threshold_ms = 0;
  EXPECT_EQ(latency_report(monitor_, 0).find("Latency monitoring is off."), 0u);
}

}  // namespace
}  // namespace millrace
