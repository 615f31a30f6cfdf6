// What others get to see of a command: MONITOR's lines and the slow log, and what neither shows.
#include <gtest/gtest.h>

#include "tests/server/commands/command_rig.h"

namespace millrace {
namespace {

class FeedsTest : public testing::Test {
 protected:
  std::string run(std::vector<std::string_view> args) { return rig_.run(client_, std::move(args)); }
  void set(std::string_view name, std::string_view value) {
    ASSERT_EQ(run({"CONFIG", "SET", name, value}), "+OK\r\n");
  }
  std::string seen() { return std::exchange(rig_.link.clients[watcher_.id].pushed, {}); }

  CommandRig rig_;
  Session& client_ = rig_.connect();
  Session& watcher_ = rig_.connect();
};

TEST_F(FeedsTest, MonitorShowsCommandsQuoted) {
  rig_.run(watcher_, {"MONITOR"});
  rig_.advance(123);
  run({"set", "a b", "\"\\\n\r\t\a\b\x01\xff"});
  EXPECT_EQ(seen(),
            "+1700000000.123000 [0 10.0.0.1:1001] \"set\" \"a b\" "
            "\"\\\"\\\\\\n\\r\\t\\a\\b\\x01\\xff\"\r\n");
  run({"SELECT", "5"});
  EXPECT_EQ(seen(), "+1700000000.123000 [5 10.0.0.1:1001] \"SELECT\" \"5\"\r\n");
}

TEST_F(FeedsTest, MonitorHidesAdministrationAndRefusals) {
  rig_.run(watcher_, {"MONITOR"});
  run({"CONFIG", "GET", "port"});
  run({"GET"});
  run({"NOPE"});
  EXPECT_EQ(seen(), "");
}

TEST_F(FeedsTest, MonitorHidesPasswords) {
  rig_.run(watcher_, {"MONITOR"});
  run({"AUTH", "default", "secret"});
  run({"HELLO", "2", "AUTH", "default", "secret", "SETNAME", "me"});
  EXPECT_EQ(seen(),
            "+1700000000.000000 [0 10.0.0.1:1001] \"AUTH\" \"(redacted)\" \"(redacted)\"\r\n"
            "+1700000000.000000 [0 10.0.0.1:1001] \"HELLO\" \"2\" \"AUTH\" \"(redacted)\" "
            "\"(redacted)\" \"SETNAME\" \"me\"\r\n");
  run({"MIGRATE", "h", "1", "auth", "0", "9", "COPY", "AUTH", "secret", "REPLACE"});
  run({"MIGRATE", "h", "1", "k", "0", "9", "AUTH2", "name", "secret"});
  EXPECT_EQ(seen(),
            "+1700000000.000000 [0 10.0.0.1:1001] \"MIGRATE\" \"h\" \"1\" \"auth\" \"0\" \"9\" "
            "\"COPY\" \"AUTH\" \"(redacted)\" \"REPLACE\"\r\n"
            "+1700000000.000000 [0 10.0.0.1:1001] \"MIGRATE\" \"h\" \"1\" \"k\" \"0\" \"9\" "
            "\"AUTH2\" \"(redacted)\" \"(redacted)\"\r\n");
}

TEST_F(FeedsTest, MonitorTwiceIsOnce) {
  rig_.run(watcher_, {"MONITOR"});
  rig_.run(watcher_, {"MONITOR"});
  run({"PING"});
  EXPECT_EQ(seen(), "+1700000000.000000 [0 10.0.0.1:1001] \"PING\"\r\n");
  rig_.monitors.remove(watcher_.self);
  run({"PING"});
  EXPECT_EQ(seen(), "");
}

TEST_F(FeedsTest, SlowLogKeepsTheNewest) {
  set("slowlog-log-slower-than", "0");
  set("slowlog-max-len", "2");
  for (std::string_view text : {"one", "two", "three"}) run({"ECHO", text});
  const auto& entries = rig_.slow_log.entries();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].args, (std::vector<std::string>{"ECHO", "three"}));
  EXPECT_EQ(entries[1].args, (std::vector<std::string>{"ECHO", "two"}));
  EXPECT_EQ(entries[0].id, entries[1].id + 1);
  EXPECT_EQ(entries[0].peer, "10.0.0.1:1001");
}

TEST_F(FeedsTest, SlowLogShortensLongArguments) {
  set("slowlog-log-slower-than", "0");
  const std::string many(200, 'x');
  std::vector<std::string_view> args = {"DEL", many};
  args.resize(40, "k");
  run(args);
  const auto& kept = rig_.slow_log.entries()[0].args;
  ASSERT_EQ(kept.size(), SlowLog::kMaxArguments);
  EXPECT_EQ(kept[1], std::string(128, 'x') + "... (72 more bytes)");
  EXPECT_EQ(kept.back(), "... (9 more arguments)");
}

TEST_F(FeedsTest, SlowLogHidesPasswords) {
  set("slowlog-log-slower-than", "0");
  run({"CONFIG", "SET", "hz", "10", "requirepass", "secret"});
  EXPECT_EQ(rig_.slow_log.entries()[0].args,
            (std::vector<std::string>{"CONFIG", "SET", "hz", "10", "requirepass", "(redacted)"}));
  run({"AUTH", "secret"});
  EXPECT_EQ(rig_.slow_log.entries()[0].args, (std::vector<std::string>{"AUTH", "(redacted)"}));
}

TEST_F(FeedsTest, SlowLogCanBeOff) {
  set("slowlog-log-slower-than", "-1");
  const size_t before = rig_.slow_log.entries().size();
  run({"DEBUG", "SLEEP", "0"});
  run({"KEYS", "*"});
  EXPECT_EQ(rig_.slow_log.entries().size(), before);
}

TEST(CommandStatsTest, SampledTimesStandForAllCalls) {
  CommandStats stats(1);
  CommandStats::Row& row = stats.row(0);
  row.calls = 64;
  stats.record_time(0, 2000);
  stats.record_time(0, 4000);
  EXPECT_DOUBLE_EQ(row.usec_per_call(), 3.0);
  EXPECT_EQ(row.usec(), 192u);
  EXPECT_EQ(row.scaled_to_calls(1), 32u);
  EXPECT_EQ(row.scaled_to_calls(2), 64u);
  stats.reset();
  EXPECT_EQ(row.usec(), 0u);
  EXPECT_EQ(row.scaled_to_calls(1), 0u);
}

}  // namespace
}  // namespace millrace
