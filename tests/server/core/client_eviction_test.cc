// maxmemory-clients: who holds most goes first, and no more than needed.
#include <gtest/gtest.h>

#include <string>

#include "../sim_server.h"

namespace millrace {
namespace {

// A transaction that holds so many bytes.
void hold(SimClient& client, size_t bytes) {
  client.ask({"MULTI"});
  client.ask({"SET", "k", std::string(bytes, 'v')});
}

bool is_there(SimClient& client) {
  return !client.ask({"PING"}).empty();
}

TEST(ClientEviction, TheLargestGoesFirstAndNoMoreThanNeeded) {
  SimServer server({"--maxmemory-clients", "200000"});
  SimClient small = server.dial(), middle = server.dial(), large = server.dial();
  hold(small, 20'000);
  hold(middle, 60'000);
  hold(large, 100'000);
  EXPECT_TRUE(is_there(small) && is_there(middle) && is_there(large));
  SimClient last = server.dial();
  hold(last, 40'000);
  server.spin();
  EXPECT_TRUE(is_there(small));
  EXPECT_TRUE(is_there(middle));
  EXPECT_FALSE(is_there(large));
  EXPECT_TRUE(is_there(last));
  EXPECT_EQ(server.services().stats.evicted_clients, 1u);
}

TEST(ClientEviction, WhoHasSaidNoEvictIsSpared) {
  SimServer server({"--maxmemory-clients", "100000"});
  SimClient spared = server.dial(), other = server.dial();
  EXPECT_EQ(spared.ask({"CLIENT", "NO-EVICT", "ON"}), "+OK\r\n");
  hold(spared, 90'000);
  hold(other, 30'000);
  server.spin();
  EXPECT_TRUE(is_there(spared));
  EXPECT_FALSE(is_there(other));
}

// The half of a request counts, with the room that is kept for the rest of it.
TEST(ClientEviction, HalfARequestCounts) {
  SimServer server({"--maxmemory-clients", "100000"});
  SimClient client = server.dial();
  client.peer().send("*2\r\n$3\r\nGET\r\n$150000\r\n" + std::string(1000, 'x'));
  server.spin();
  EXPECT_FALSE(is_there(client));
}

TEST(ClientEviction, ALoweredLimitHoldsAtOnce) {
  SimServer server;
  SimClient client = server.dial(), admin = server.dial();
  hold(client, 50'000);
  EXPECT_EQ(admin.ask({"CONFIG", "SET", "maxmemory-clients", "10000"}), "+OK\r\n");
  server.spin();
  EXPECT_FALSE(is_there(client));
  EXPECT_TRUE(is_there(admin));
}

}  // namespace
}  // namespace millrace
