// The world itself: time, the agenda, and that the checks at the end can fail.
#include "ae/sim/world.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "ae/net/listener.h"
#include "tests/sim/stage.h"

namespace ae::sim {
namespace {

TEST(WorldTest, AnHourOfTimersTakesNoTime) {
  World world;
  std::vector<Nanoseconds> rung;
  const TimePoint start = world.loop().now();
  world.loop().add_timer(Seconds(3600), [&] { rung.push_back(world.loop().now() - start); });
  world.loop().add_timer(Milliseconds(1), [&] { rung.push_back(world.loop().now() - start); });
  world.pass(Seconds(7200));
  EXPECT_EQ(rung, (std::vector<Nanoseconds>{Milliseconds(1), Seconds(3600)}));
  EXPECT_LT(world.loop().stats().ticks, 10u);
  EXPECT_EQ(world.violations(), "");
}

TEST(WorldTest, TheCalendarFollowsTheClockAndMayBeSet) {
  World world;
  const int64_t before = world.clock().unix_us();
  world.pass(Seconds(2));
  EXPECT_EQ(world.clock().unix_us() - before, 2'000'000);
  const TimePoint now = world.clock().now();
  world.clock().step_calendar(Seconds(-10));
  EXPECT_EQ(world.clock().unix_us() - before, -8'000'000);
  EXPECT_EQ(world.clock().now(), now);
}

TEST(WorldTest, TheAgendaKeepsItsOrder) {
  SimClock clock;
  Agenda agenda(clock);
  std::string done;
  agenda.after(Milliseconds(2), [&] { done += "c"; });
  agenda.after(Milliseconds(1), [&] {
    done += "a";
    agenda.after(Milliseconds(0), [&] { done += "b"; });
    agenda.after(Seconds(1), [&] { done += "!"; });
  });
  agenda.after(Milliseconds(2), [&] { done += "d"; });
  agenda.run_until(clock.now() + Milliseconds(2));
  EXPECT_EQ(done, "abcd");
  EXPECT_EQ(agenda.size(), 1u);
}

TEST(WorldTest, WhatIsLeftIsNamed) {
  World world;
  EXPECT_EQ(world.violations(), "");
  auto [fd, peer] = world.os().stream_pair();
  const TimerId timer = world.loop().add_timer(Seconds(1), [] {});
  EXPECT_NE(world.violations().find("descriptors"), std::string::npos);
  EXPECT_NE(world.violations().find("timers"), std::string::npos);
  world.os().close(fd);
  world.os().close(fd);
  world.loop().cancel(timer);
  EXPECT_NE(world.violations().find("not open"), std::string::npos);
}

TEST(WorldTest, ALoopThatSpinsIsFoundOut) {
  struct Deaf final : FileHandler {
    void on_file_event(FileId, uint32_t, Events) override {}
  } deaf;
  World world;
  auto [fd, peer] = world.os().stream_pair();
  const FileId file = *world.loop().watch(fd, Events::kReadable, &deaf, 0);
  peer.send("never read");
  world.pass(Seconds(1));
  world.loop().unwatch(file);
  world.os().close(fd);
  EXPECT_NE(world.violations().find("did not come to rest"), std::string::npos);
}

TEST(WorldTest, TheSameSeedIsTheSameRun) {
  const auto trace_of = [](uint64_t seed) {
    Stage stage({.world = {.seed = seed, .events_per_wait = 2}});
    std::vector<SimPeer> clients;
    std::string trace;
    for (int i = 0; i < 6; ++i) clients.push_back(stage.client());
    for (SimPeer& client : clients) client.send("PING\r\nPING\r\n");
    for (int tick = 0; tick < 4; ++tick) {
      stage.world().tick();
      for (SimPeer& client : clients) trace += client.read().empty() ? '.' : '!';
    }
    return trace;
  };
  EXPECT_EQ(trace_of(7), trace_of(7));
  EXPECT_NE(trace_of(7), trace_of(8));
}

// The listener at the limit: newcomers are told, those who are there are served, and when
// descriptors come back so do the clients.
TEST(WorldTest, OutOfDescriptors) {
  Stage stage;
  Listener listener(stage.world().loop(), [&](int fd, uint32_t) { stage.adopt(fd); });
  const uint32_t endpoint = *listener.listen(Address::loopback(6379));
  const size_t taken = stage.os().open_descriptors();
  stage.os().set_max_descriptors(taken + 2);
  std::vector<SimPeer> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(SimPeer::dial(stage.os(), Address::loopback(6379)));
    stage.world().pass(Seconds(1));
  }
  const auto served = [&] {
    size_t count = 0;
    for (SimPeer& client : clients) {
      client.send("PING\r\n");
      stage.world().settle();
      if (client.read() == "+PONG\r\n") ++count;
    }
    return count;
  };
  EXPECT_EQ(served(), 2u);
  for (size_t i = 2; i < clients.size(); ++i) EXPECT_TRUE(clients[i].saw_end());
  clients[0].close();
  stage.world().settle();
  clients.push_back(SimPeer::dial(stage.os(), Address::loopback(6379)));
  stage.world().pass(Seconds(2));
  EXPECT_EQ(served(), 2u);
  EXPECT_EQ(listener.stats().refused, 3u);
  for (SimPeer& client : clients) client.close();
  listener.close(endpoint);
  stage.world().pass(Seconds(2));
  EXPECT_EQ(stage.os().open_descriptors(), 2u) << "the loop's waker and the listener's reserve";
}

}  // namespace
}  // namespace ae::sim
