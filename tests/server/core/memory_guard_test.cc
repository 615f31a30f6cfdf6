// What happens at maxmemory: who is refused, what goes, and who hears of it. The limit is far below
// what the process takes, so that it is always exceeded.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/observe/memory_meter.h"
#include "tests/server/sim_server.h"

namespace millrace {
namespace {

constexpr std::string_view kOom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

std::string info(SimClient& client, const std::string& field) {
  const std::string all = client.ask({"INFO"});
  const size_t at = all.find("\n" + field + ":");
  if (at == std::string::npos) return "(none)";
  const size_t begin = at + field.size() + 2;
  return all.substr(begin, all.find('\r', begin) - begin);
}

class MemoryGuardTest : public testing::Test {
 protected:
  void limit(SimClient& client) {
    EXPECT_EQ(client.ask({"CONFIG", "SET", "maxmemory", "1"}), "+OK\r\n");
  }
  void policy(SimClient& client, std::string_view name) {
    EXPECT_EQ(client.ask({"CONFIG", "SET", "maxmemory-policy", name}), "+OK\r\n");
  }

  SimServer server_;
};

TEST_F(MemoryGuardTest, WithoutEvictionWhatGrowsIsRefusedAndTheRestIsNot) {
  SimClient client = server_.dial();
  client.ask({"SET", "k", "v"});
  limit(client);
  EXPECT_EQ(client.ask({"SET", "k", "w"}), kOom);
  EXPECT_EQ(client.ask({"GET", "k"}), "$1\r\nv\r\n");
  EXPECT_EQ(client.ask({"EXPIRE", "k", "100"}), ":1\r\n") << "a write that needs no memory";
  EXPECT_EQ(client.ask({"DEL", "k"}), ":1\r\n");
  EXPECT_EQ(info(client, "evicted_keys"), "0");
}

TEST_F(MemoryGuardTest, ATransactionIsRefusedForOneOfItsCommands) {
  SimClient client = server_.dial();
  client.ask({"MULTI"});
  EXPECT_EQ(client.ask({"SET", "k", "v"}), "+QUEUED\r\n");
  limit(*std::make_unique<SimClient>(server_.dial()));
  EXPECT_EQ(client.ask({"EXEC"}),
            "-EXECABORT Transaction discarded because of: " + std::string(kOom.substr(1)));
}

TEST_F(MemoryGuardTest, AScriptIsRefusedAtTheCommandThatGrows) {
  SimClient client = server_.dial();
  limit(client);
  EXPECT_EQ(client.ask({"EVAL", "return redis.call('get', KEYS[1])", "1", "k"}), "$-1\r\n");
  EXPECT_EQ(client.ask({"EVAL", "return redis.call('set', KEYS[1], 'v')", "1", "k"}).substr(0, 56),
            kOom.substr(0, 56));
  EXPECT_EQ(client.ask({"EVAL", "#!lua\nreturn 1", "0"}), kOom) << "it has declared that it writes";
  EXPECT_EQ(client.ask({"EVAL", "#!lua flags=allow-oom\nreturn redis.call('set', KEYS[1], 'v')",
                        "1", "k"}),
            "+OK\r\n");
}

TEST_F(MemoryGuardTest, WhatIsEvictedIsCountedAnnouncedAndGone) {
  SimClient listener = server_.dial();
  SimClient client = server_.dial();
  client.ask({"SET", "k", "v"});
  client.ask({"SET", "l", "v"});
  client.ask({"CONFIG", "SET", "notify-keyspace-events", "Ee"});
  listener.ask({"SUBSCRIBE", "__keyevent@0__:evicted"});
  policy(client, "allkeys-lru");
  limit(client);
  EXPECT_EQ(client.ask({"SET", "m", "v"}), kOom)
      << "nothing is left to evict, and it is not enough";
  server_.pass(ae::Milliseconds(100));
  EXPECT_EQ(client.ask({"DBSIZE"}), ":0\r\n");
  EXPECT_EQ(info(client, "evicted_keys"), "2");
  const std::string heard = listener.read();
  EXPECT_NE(heard.find("__keyevent@0__:evicted\r\n$1\r\nk\r\n"), std::string::npos) << heard;
  EXPECT_NE(heard.find("__keyevent@0__:evicted\r\n$1\r\nl\r\n"), std::string::npos) << heard;
}

TEST_F(MemoryGuardTest, OfThoseThatExpireOnlyThose) {
  SimClient client = server_.dial();
  client.ask({"SET", "stays", "v"});
  client.ask({"SET", "goes", "v", "EX", "100"});
  policy(client, "volatile-ttl");
  limit(client);
  client.ask({"SET", "m", "v"});
  server_.pass(ae::Milliseconds(100));
  EXPECT_EQ(client.ask({"EXISTS", "stays"}), ":1\r\n");
  EXPECT_EQ(client.ask({"EXISTS", "goes"}), ":0\r\n");
}

// Redis' stream for `CONFIG SET maxmemory` within a transaction: the keys go behind it.
TEST_F(MemoryGuardTest, ATransactionThatLowersTheLimitRunsToItsEnd) {
  SimClient client = server_.dial();
  policy(client, "allkeys-lru");
  client.ask({"MULTI"});
  client.ask({"INCR", "x"});
  client.ask({"CONFIG", "SET", "maxmemory", "1"});
  client.ask({"INCR", "x"});
  EXPECT_EQ(client.ask({"EXEC"}), "*3\r\n:1\r\n+OK\r\n:2\r\n");
  server_.pass(ae::Milliseconds(100));
  EXPECT_EQ(client.ask({"DBSIZE"}), ":0\r\n");
}

// Ten clients are told of each key that goes, which takes ten times what the key gave.
TEST_F(MemoryGuardTest, WhatFollowersAreToldEvictsNothing) {
  std::vector<SimClient> followers;
  for (int i = 0; i < 10; ++i) {
    followers.push_back(server_.dial());
    followers.back().ask({"HELLO", "3"});
    EXPECT_EQ(followers.back().ask({"CLIENT", "TRACKING", "ON"}), "+OK\r\n");
  }
  SimClient client = server_.dial();
  policy(client, "allkeys-lru");
  for (int i = 0; i < 300; ++i) {
    const std::string key = std::to_string(i) + std::string(1000, 'x');
    client.ask({"SET", key, "v"});
    for (SimClient& follower : followers) follower.ask({"GET", key});
  }
  const uint64_t used = memory::used_bytes();
  client.ask({"CONFIG", "SET", "maxmemory", std::to_string(used - 40000)});
  server_.pass(ae::Milliseconds(100));
  const int64_t evicted = std::stoll(info(client, "evicted_keys"));
  EXPECT_GE(evicted, 10);
  EXPECT_LE(evicted, 100);
}

// A slice of eviction is bounded; the loop comes back to it without being asked.
TEST_F(MemoryGuardTest, ManyKeysGoOverSeveralTicks) {
  SimClient client = server_.dial();
  for (int i = 0; i < 2000; ++i)
    server_.services().databases[0].set_string(Keyspace::key("key:" + std::to_string(i)), "value",
                                               kNoExpiry);
  policy(client, "allkeys-random");
  limit(client);
  client.ask({"GET", "key:1"});
  server_.pass(ae::Seconds(1));
  EXPECT_EQ(client.ask({"DBSIZE"}), ":0\r\n");
}

}  // namespace
}  // namespace millrace
