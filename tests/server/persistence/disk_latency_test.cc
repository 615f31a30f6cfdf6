#include "server/persist/disk_latency.h"

#include <gtest/gtest.h>

#include "tests/server/sim_server.h"

namespace millrace {
namespace {

TEST(DiskLatency, TellsOfSlowCallsUnderEachName) {
  SimServer server({"--latency-monitor-threshold", "3"});
  SimClient client = server.dial();
  DiskLatency latency(server.loop(), server.services());
  const auto slow = [&] { return server.pass(ae::Milliseconds(5)), 7; };
  EXPECT_EQ(latency.measure({"aof-write-alone", "aof-write"}, slow), 7);
  latency.measure({"fast"}, [&] { return server.pass(ae::Milliseconds(1)), 0; });
  const std::string told = client.ask({"LATENCY", "LATEST"});
  EXPECT_NE(told.find("aof-write-alone"), std::string::npos) << told;
  EXPECT_NE(told.find("$9\r\naof-write\r\n"), std::string::npos) << told;
  EXPECT_EQ(told.find("fast"), std::string::npos) << told;
}

TEST(DiskLatency, IsSilentWhereNobodyAsks) {
  SimServer server;
  SimClient client = server.dial();
  DiskLatency latency(server.loop(), server.services());
  latency.measure({"aof-write"}, [&] { return server.pass(ae::Milliseconds(50)), 0; });
  EXPECT_EQ(client.ask({"LATENCY", "LATEST"}), "*0\r\n");
}

}  // namespace
}  // namespace millrace
