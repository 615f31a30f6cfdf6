// INFO's form, and that it tells what happened.
#include "server/observe/info.h"

#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <sstream>

#include "tests/server/commands/command_rig.h"

namespace millrace {
namespace {

class InfoTest : public testing::Test {
 protected:
  std::map<std::string, std::string> fields(std::vector<std::string_view> sections) {
    std::map<std::string, std::string> found;
    std::istringstream lines(info_text(rig_.services, sections));
    for (std::string line; std::getline(lines, line);) {
      const size_t colon = line.find(':');
      if (colon != std::string::npos)
        found[line.substr(0, colon)] = line.substr(colon + 1, line.size() - colon - 2);
    }
    return found;
  }

  CommandRig rig_;
  Session& client_ = rig_.connect();
};

TEST_F(InfoTest, EveryLineIsAFieldAHeadingOrEmpty) {
  rig_.run(client_, {"SET", "k", "v", "EX", "100"});
  rig_.run(client_, {"NOPE"});
  const std::vector<std::string_view> everything = {"everything"};
  std::istringstream lines(info_text(rig_.services, everything));
  const std::regex form(R"((# [A-Z][A-Za-z]*|[a-z0-9_|A-Z-]+:.*|)\r)");
  for (std::string line; std::getline(lines, line);)
    EXPECT_TRUE(std::regex_match(line, form)) << line;
}

TEST_F(InfoTest, SectionsAreChosenByName) {
  const std::string text =
      info_text(rig_.services, std::vector<std::string_view>{"CPU", "cluster"});
  EXPECT_EQ(text.find("# CPU\r\n"), 0u);
  EXPECT_NE(text.find("\r\n\r\n# Cluster\r\n"), std::string::npos);
  EXPECT_EQ(info_text(rig_.services, std::vector<std::string_view>{"nope"}), "");
  EXPECT_EQ(info_text(rig_.services, {}).find("# Commandstats"), std::string::npos);
  EXPECT_NE(info_text(rig_.services, std::vector<std::string_view>{"default", "commandstats"})
                .find("# Commandstats"),
            std::string::npos);
}

TEST_F(InfoTest, CountsWhatHappened) {
  rig_.run(client_, {"SET", "k", "v", "EX", "100"});
  rig_.run(client_, {"GET", "k"});
  rig_.run(client_, {"GET", "absent"});
  rig_.run(client_, {"LPUSH", "k", "v"});
  rig_.run(client_, {"GET"});
  rig_.run(client_, {"NOPE"});
  auto all = fields({"all"});
  EXPECT_EQ(all["total_commands_processed"], "4");
  EXPECT_EQ(all["keyspace_hits"], "1");
  EXPECT_EQ(all["keyspace_misses"], "1");
  EXPECT_EQ(all["total_error_replies"], "3");
  EXPECT_EQ(all["errorstat_ERR"], "count=2");
  EXPECT_EQ(all["errorstat_WRONGTYPE"], "count=1");
  EXPECT_EQ(all["db0"], "keys=1,expires=1,avg_ttl=100000");
  EXPECT_EQ(all["connected_clients"], "1");
  EXPECT_EQ(all["cmdstat_get"].find("calls=2,"), 0u);
  EXPECT_NE(all["cmdstat_get"].find("rejected_calls=1,failed_calls=0"), std::string::npos);
  EXPECT_NE(all["cmdstat_lpush"].find("rejected_calls=0,failed_calls=1"), std::string::npos);
  EXPECT_EQ(all["latency_percentiles_usec_get"].find("p50="), 0u);
}

TEST_F(InfoTest, ResetStatSetsCountersToZero) {
  rig_.run(client_, {"GET", "absent"});
  EXPECT_EQ(fields({"stats"})["total_net_input_bytes"], "1000");
  rig_.replication.leader().counters() = {.full_syncs = 1, .partial_ok = 2};
  rig_.run(client_, {"CONFIG", "RESETSTAT"});
  auto stats = fields({"all"});
  EXPECT_EQ(stats["sync_full"], "0");
  EXPECT_EQ(stats["sync_partial_ok"], "0");
  EXPECT_EQ(stats["keyspace_misses"], "0");
  EXPECT_EQ(stats["total_net_input_bytes"], "0");
  EXPECT_EQ(stats["total_writes_processed"], "0");
  EXPECT_EQ(stats.count("cmdstat_get"), 0u);
}

TEST(HumanBytesTest, Units) {
  EXPECT_EQ(human_bytes(0), "0B");
  EXPECT_EQ(human_bytes(1023), "1023B");
  EXPECT_EQ(human_bytes(1024), "1.00K");
  EXPECT_EQ(human_bytes(1536 * 1024), "1.50M");
  EXPECT_EQ(human_bytes(UINT64_MAX), "16.00E");
}

}  // namespace
}  // namespace millrace
