// CLIENT HEARTBEAT and `timeout` on the simulator, where an hour passes in a moment. What is said
// is in tests/transcripts/connection/heartbeat.txt.
#include <gtest/gtest.h>

#include "server/command/heartbeats.h"
#include "server/core/cron.h"
#include "tests/server/sim_server.h"

namespace millrace {
namespace {

std::string probe(int n) {
  return ">2\r\n$9\r\nheartbeat\r\n:" + std::to_string(n) + "\r\n";
}

SimClient beating(SimServer& server, std::string_view interval, std::string_view misses) {
  SimClient client = server.dial();
  client.ask({"HELLO", "3"});
  EXPECT_EQ(client.ask({"CLIENT", "HEARTBEAT", "ON", "INTERVAL", interval, "MISSES", misses}),
            "+OK\r\n");
  return client;
}

TEST(ClientHeartbeat, ASilentClientIsProbedAndThenClosed) {
  SimServer server;
  SimClient silent = beating(server, "10", "2"), other = server.dial();
  server.spin();
  std::vector<std::pair<int, std::string>> heard;
  for (int second = 1; second <= 40; ++second) {
    server.pass(ae::Seconds(1));
    if (std::string bytes = silent.read(); !bytes.empty()) heard.emplace_back(second, bytes);
    if (silent.peer().saw_end()) {
      heard.emplace_back(second, "end");
      break;
    }
  }
  ASSERT_EQ(heard.size(), 3u);
  EXPECT_EQ(heard[0].second, probe(1));
  EXPECT_EQ(heard[1].second, probe(2));
  EXPECT_EQ(heard[2].second, "end");
  // Never early; at most two seconds late each.
  EXPECT_GE(heard[0].first, 10);
  EXPECT_LE(heard[0].first, 13);
  EXPECT_GE(heard[1].first, 20);
  EXPECT_LE(heard[2].first, 36);
  const std::string stats = other.ask({"INFO", "stats"});
  EXPECT_NE(stats.find("heartbeat_probes_sent:2\r\n"), stats.npos);
  EXPECT_NE(stats.find("heartbeat_lost_clients:1\r\n"), stats.npos);
  EXPECT_NE(other.ask({"INFO", "clients"}).find("heartbeat_clients:0\r\n"), std::string::npos);
}

TEST(ClientHeartbeat, AnyCommandIsLife) {
  SimServer server;
  SimClient client = beating(server, "5", "1");
  for (int round = 0; round < 50; ++round) {
    server.pass(ae::Seconds(4));
    EXPECT_EQ(client.ask({"PING"}), "+PONG\r\n") << "round " << round;
  }
  server.pass(ae::Seconds(8));
  EXPECT_EQ(client.ask({"ECHO", "x"}), probe(1) + "$1\r\nx\r\n");
  server.pass(ae::Seconds(8));
  EXPECT_EQ(client.read(), probe(1)) << "counted anew";
}

// A value of which a byte comes a second is no silence.
TEST(ClientHeartbeat, BytesOfHalfARequestAreLife) {
  SimServer server;
  SimClient client = beating(server, "3", "1");
  client.peer().send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100\r\n");
  for (int i = 0; i < 100; ++i) {
    client.peer().send("v");
    server.pass(ae::Seconds(1));
    ASSERT_FALSE(client.peer().saw_end()) << "second " << i;
  }
  client.peer().send("\r\n");
  server.spin();
  EXPECT_NE(client.read().find("+OK\r\n"), std::string::npos);
  // Half a request that does not grow is.
  client.peer().send("*3\r\n$3\r\nSET\r\n");
  server.pass(ae::Seconds(20));
  client.read();
  EXPECT_TRUE(client.peer().saw_end());
}

TEST(ClientHeartbeat, WhoIsHeldByAPauseIsNotJudged) {
  SimServer server;
  SimClient client = beating(server, "2", "1"), admin = server.dial();
  EXPECT_EQ(admin.ask({"CLIENT", "PAUSE", "60000"}), "+OK\r\n");
  EXPECT_EQ(client.ask({"PING"}), "");
  server.pass(ae::Seconds(50));
  EXPECT_FALSE(client.peer().saw_end());
  server.pass(ae::Seconds(11));
  EXPECT_NE(client.read().find("+PONG\r\n"), std::string::npos);
}

TEST(ClientHeartbeat, OffResetAndHello2EndIt) {
  SimServer server;
  SimClient off = beating(server, "2", "1"), reset = beating(server, "2", "1"),
            hello = beating(server, "2", "1");
  EXPECT_EQ(server.services().heartbeats.count(), 3u);
  EXPECT_EQ(off.ask({"CLIENT", "HEARTBEAT", "OFF"}), "+OK\r\n");
  EXPECT_EQ(off.ask({"CLIENT", "HEARTBEAT", "OFF"}), "+OK\r\n");
  EXPECT_EQ(reset.ask({"RESET"}), "+RESET\r\n");
  hello.ask({"HELLO", "2"});
  EXPECT_EQ(server.services().heartbeats.count(), 0u);
  server.pass(ae::Seconds(60));
  for (SimClient* client : {&off, &reset, &hello}) EXPECT_EQ(client->read(), "");
  EXPECT_EQ(off.ask({"PING"}), "+PONG\r\n");
}

// New terms replace the old; a client that leaves takes its place in the wheel along.
TEST(ClientHeartbeat, TermsChangeAndPlacesAreReused) {
  SimServer server;
  SimClient client = beating(server, "3600", "1");
  server.pass(ae::Seconds(100));
  EXPECT_EQ(client.ask({"CLIENT", "HEARTBEAT", "ON", "INTERVAL", "5"}), "+OK\r\n");
  server.pass(ae::Seconds(8));
  EXPECT_EQ(client.read(), probe(1));
  for (int round = 0; round < 100; ++round) {
    SimClient guest = beating(server, "1800", "3");
    guest.peer().close();
    server.spin();
    EXPECT_EQ(server.services().heartbeats.count(), 1u);
  }
  SimClient last = beating(server, "5", "1");
  server.pass(ae::Seconds(8));
  EXPECT_EQ(last.read(), probe(1)) << "not in the time of a former guest";
  EXPECT_TRUE(server.os().misuses().empty());
}

// Three thousand that came together time out together: in slices, and all of them.
TEST(IdleTimeout, ManyAtOnceAreClosedInSlices) {
  SimServer server({"--timeout", "5"});
  std::vector<SimClient> crowd;
  for (int i = 0; i < 3000; ++i) crowd.push_back(server.dial());
  server.pass(ae::Seconds(1));
  EXPECT_EQ(server.services().clients.count(), 3000u);
  size_t before = 3000, most = 0;
  for (int tenth = 0; tenth < 200 && before > 0; ++tenth) {
    server.pass(ae::Milliseconds(100));
    most = std::max(most, before - server.services().clients.count());
    before = server.services().clients.count();
  }
  EXPECT_EQ(before, 0u);
  EXPECT_LE(most, Cron::kClosedPerRun + 500);
  EXPECT_EQ(server.services().stats.idle_clients_closed, 3000u);
}

}  // namespace
}  // namespace millrace
