// The admin lane in the simulator: counted apart, bounded, served first, with descriptors of its
// own. tests/e2e/admin_lane_test.py does the same to a process.
#include <gtest/gtest.h>

#include "tests/server/sim_server.h"

namespace millrace {
namespace {

const std::vector<std::string> kLane = {"--admin-port", "6380"};

std::vector<std::string> with_lane(std::vector<std::string> more) {
  more.insert(more.end(), kLane.begin(), kLane.end());
  return more;
}

TEST(AdminLane, AtMaxclientsTheOperatorGetsIn) {
  SimServer server(with_lane({"--maxclients", "2"}));
  SimClient first = server.dial(), second = server.dial(), third = server.dial();
  server.spin();
  EXPECT_EQ(third.read(), "-ERR max number of clients reached\r\n");
  SimClient admin = server.dial_admin();
  EXPECT_EQ(admin.ask({"PING"}), "+PONG\r\n");
  const std::string info = admin.ask({"INFO", "clients"});
  EXPECT_NE(info.find("connected_clients:3\r\n"), info.npos) << info;
  EXPECT_NE(info.find("admin_clients:1\r\n"), info.npos) << info;
  const std::string list = admin.ask({"CLIENT", "LIST"});
  EXPECT_NE(list.find("laddr=127.0.0.1:6380"), list.npos) << list;
  EXPECT_NE(list.find(" flags=a "), list.npos) << list;
  EXPECT_EQ(list.find(" flags=a "), list.rfind(" flags=a "));
  // An operator in the lane takes nobody's place.
  first.peer().close();
  server.spin();
  SimClient fourth = server.dial();
  EXPECT_EQ(fourth.ask({"PING"}), "+PONG\r\n");
}

TEST(AdminLane, IsBoundedAndSaysSo) {
  SimServer server(kLane);
  std::vector<SimClient> admins;
  for (uint32_t i = 0; i < kMaxAdminClients; ++i) admins.push_back(server.dial_admin());
  server.spin();
  for (SimClient& admin : admins) EXPECT_EQ(admin.ask({"PING"}), "+PONG\r\n");
  SimClient more = server.dial_admin();
  server.spin();
  EXPECT_EQ(more.read(), "-ERR max number of admin clients reached\r\n");
  EXPECT_TRUE(more.peer().saw_end());
  admins.pop_back();
  server.spin();
  SimClient next = server.dial_admin();
  EXPECT_EQ(next.ask({"PING"}), "+PONG\r\n");
  EXPECT_EQ(server.services().clients.admin_count(), kMaxAdminClients);
}

TEST(AdminLane, PasswordsHoldThereToo) {
  SimServer server(with_lane({"--requirepass", "secret"}));
  SimClient admin = server.dial_admin();
  EXPECT_EQ(admin.ask({"GET", "k"}), "-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(admin.ask({"AUTH", "secret"}), "+OK\r\n");
  EXPECT_EQ(admin.ask({"GET", "k"}), "$-1\r\n");
}

// A hundred clients are ready in every tick, and a wait fetches eight of them: the operator's
// request is answered in the tick that sees it, whatever the poller hands out.
TEST(AdminLane, IsServedFirstInEachTick) {
  for (const bool completions : {false, true}) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << " completions " << completions);
      SimServer server(kLane, {.seed = seed, .completions = completions, .events_per_wait = 8});
      std::vector<SimClient> crowd;
      for (int i = 0; i < 100; ++i) crowd.push_back(server.dial());
      SimClient admin = server.dial_admin();
      server.spin(20);
      EXPECT_EQ(admin.ask({"PING"}), "+PONG\r\n");
      for (int round = 0; round < 5; ++round) {
        for (SimClient& client : crowd) client.send({"INCR", "requests"});
        admin.send({"GET", "requests"});
        server.tick();
        // None of the others has run since: what it read is what the last round left.
        const std::string expected =
            round == 0 ? "$-1\r\n" : "$3\r\n" + std::to_string(round * 100) + "\r\n";
        EXPECT_EQ(admin.read(), expected) << "round " << round;
        server.spin(30);
      }
    }
  }
}

// No descriptor is left: others are turned away without the loop spinning, the lane still takes its
// full number, and who leaves it gives the descriptor back to it and not to the storm outside.
TEST(AdminLane, HasDescriptorsOfItsOwn) {
  SimServer server(kLane);
  SimClient working = server.dial();
  EXPECT_EQ(working.ask({"PING"}), "+PONG\r\n");
  server.os().set_max_descriptors(server.os().open_descriptors());
  for (int round = 0; round < 3; ++round) {
    std::vector<SimClient> outside, admins;
    for (int i = 0; i < 50; ++i) outside.push_back(server.dial());
    for (uint32_t i = 0; i < kMaxAdminClients; ++i) admins.push_back(server.dial_admin());
    server.pass(ae::Seconds(3));
    for (SimClient& admin : admins) EXPECT_EQ(admin.ask({"PING"}), "+PONG\r\n");
    EXPECT_EQ(working.ask({"PING"}), "+PONG\r\n");
    for (SimClient& client : outside)
      EXPECT_TRUE(client.peer().saw_end() || client.peer().saw_reset());
    admins.clear();
    for (int i = 0; i < 20; ++i) outside.push_back(server.dial());
    server.pass(ae::Seconds(3));
    EXPECT_EQ(server.services().clients.count(), 1u);
  }
  EXPECT_TRUE(server.os().misuses().empty());
}

// EMFILE for ten seconds, with newcomers all the while: a tick has something to do or it waits.
TEST(AdminLane, WithoutDescriptorsTheLoopDoesNotSpin) {
  SimServer server({"--maxclients", "1000"});
  SimClient working = server.dial();
  server.spin();
  server.os().faults().every(ae::sim::CallKind::kAccept, ae::sim::Fault::of_errno(EMFILE));
  std::vector<SimClient> outside;
  const uint64_t before = server.stats().ticks;
  for (int second = 0; second < 10; ++second) {
    for (int i = 0; i < 10; ++i) outside.push_back(server.dial());
    server.pass(ae::Seconds(1));
  }
  // The cron ticks 10 times a second; accepting is tried again after 10, 20, 40 ... 1000 ms.
  EXPECT_LT(server.stats().ticks - before, 10 * 10 + 60u);
  server.os().faults().clear();
  server.pass(ae::Seconds(2));
  for (SimClient& client : outside) EXPECT_EQ(client.ask({"PING"}), "+PONG\r\n");
}

// Replies that are not taken pass the client's own limit, and nobody else notices.
TEST(OutputLimit, ASlowReaderCostsItsOwnLimit) {
  SimServer server({"--client-output-buffer-limit", "normal", "200kb", "0", "0"});
  SimClient hog = server.dial(), other = server.dial();
  EXPECT_EQ(other.ask({"SET", "k", std::string(10'000, 'v')}), "+OK\r\n");
  for (int i = 0; i < 1000; ++i) {
    hog.send({"GET", "k"});
    if (i % 10 == 0) server.tick();
    if (i % 100 == 0) {
      EXPECT_EQ(other.ask({"STRLEN", "k"}), ":10000\r\n");
    }
  }
  server.spin();
  EXPECT_EQ(server.services().clients.count(), 1u) << "the slow reader is gone";
  EXPECT_EQ(other.ask({"PING"}), "+PONG\r\n");
}

// Above the soft limit for longer than its seconds.
TEST(OutputLimit, TheSoftLimitCountsForRepliesToo) {
  SimServer server({"--client-output-buffer-limit", "normal", "0", "100kb", "5"});
  SimClient hog = server.dial(), brief = server.dial(), other = server.dial();
  EXPECT_EQ(other.ask({"SET", "k", std::string(10'000, 'v')}), "+OK\r\n");
  for (int i = 0; i < 60; ++i) {
    hog.send({"GET", "k"});
    brief.send({"GET", "k"});
  }
  server.pass(ae::Seconds(3));
  EXPECT_EQ(server.services().clients.count(), 3u);
  for (int i = 0; i < 50; ++i) {
    brief.read();
    server.tick();
  }
  server.pass(ae::Seconds(4));
  EXPECT_EQ(server.services().clients.count(), 2u) << "the one that does not read is gone";
  EXPECT_EQ(brief.ask({"PING"}), "+PONG\r\n");
}

}  // namespace
}  // namespace millrace
