// LATENCY HISTOGRAM's form: Redis' powers of two, cumulative.
#include <gtest/gtest.h>

#include "tests/server/commands/command_rig.h"

namespace millrace {
namespace {

TEST(LatencyHistogramTest, PowersOfTwoAreCumulativeAndScaledToAllCalls) {
  CommandRig rig;
  Session& client = rig.connect();
  const std::string_view name[] = {"lrange"};
  const uint16_t id = rig.table.resolve(name)->id;
  for (uint64_t us : {1, 1, 3, 7, 200}) rig.command_stats.record_time(id, us * 1000 - 500);
  rig.command_stats.row(id).calls = 10;  // half of them timed
  EXPECT_EQ(rig.run(client, {"LATENCY", "HISTOGRAM", "lrange"}),
            "*2\r\n$6\r\nlrange\r\n*4\r\n$5\r\ncalls\r\n:10\r\n$14\r\nhistogram_usec\r\n*8\r\n"
            ":1\r\n:4\r\n:4\r\n:6\r\n:8\r\n:8\r\n:256\r\n:10\r\n");
}

}  // namespace
}  // namespace millrace
