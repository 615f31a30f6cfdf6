// LATENCY TICKS through the whole server, on a clock that moves when a key named "slow..." changes:
// so long did the command take.
#include "server/observe/tick_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "ae/sim/sim_clock.h"
#include "proto/request_writer.h"
#include "server/command/effects.h"
#include "server/command/key_positions.h"
#include "server/config/config_store.h"
#include "server/observe/load_meter.h"
#include "server/server.h"
#include "tests/ae/net/net_support.h"
#include "tests/server/effects_observer.h"

namespace millrace {
namespace {

using ae::Milliseconds;
using ae::Phase;
using ae::test::Peer;

class TickWatchTest : public testing::Test {
 protected:
  TickWatchTest() {
    const char* arguments[] = {"millrace-server", "--save", ""};
    EXPECT_FALSE(config_.load_arguments(int(std::size(arguments)), arguments));
    ae::LoopOptions options;
    options.clock = &clock_;
    server_ = std::move(*Server::create(config_, std::move(options)));
    observer_.emplace(server_->services().effects, [this](const KeyChange& change) {
      if (change.key.name.starts_with("slow")) clock_.advance(slow_);
    });
    const auto [ours, theirs] = ae::test::tcp_pair();
    server_->client_io().accept(ours, Origin::kLoopback);
    peer_ = std::make_unique<Peer>(theirs);
    tick();
  }

  void tick() { server_->loop().run_once(ae::Nanoseconds::zero()); }
  // All of it in one tick, which the next one closes.
  std::string ask(const std::vector<std::vector<std::string_view>>& requests) {
    std::string bytes;
    for (const auto& words : requests) bytes += proto::encode_request(words);
    peer_->send(bytes);
    tick();
    tick();
    return peer_->receive();
  }
  std::vector<LongTick> worst() {
    return server_->services().ticks.log().worst(server_->loop().unix_us());
  }

  ae::sim::SimClock clock_;
  ae::Nanoseconds slow_ = Milliseconds(25);
  ConfigStore config_;
  std::unique_ptr<Server> server_;
  std::optional<EffectsObserver> observer_;
  std::unique_ptr<Peer> peer_;
};

TEST_F(TickWatchTest, ALongTickNamesPhaseCommandAndKey) {
  const int64_t began_us = server_->loop().unix_us();
  ask({{"SADD", "quick", "m"}, {"LPUSH", "slow", "v"}, {"GET", "quick2"}});
  const std::vector<LongTick> ticks = worst();
  ASSERT_EQ(ticks.size(), 1u);
  const LongTick& tick = ticks[0];
  EXPECT_EQ(tick.loop, "main");
  EXPECT_EQ(tick.record.woke_unix_us, began_us);
  EXPECT_EQ(tick.length(), Milliseconds(25));
  EXPECT_EQ(tick.record.of(Phase::kRun), Milliseconds(25));
  EXPECT_EQ(tick.filled_by(), "run");
  EXPECT_EQ(tick.commands, 3u);
  EXPECT_EQ(tick.record.work_of(Phase::kRead), 1u);
  EXPECT_FALSE(tick.command.empty());
  EXPECT_GT(tick.command_took.count(), 0);
  EXPECT_EQ(tick.client_id, 1u);
}

TEST_F(TickWatchTest, TheLongestCommandIsNamedWithItsFirstKey) {
  // The dispatcher times commands by the real clock.
  ask({{"SET", "slow", "v"}, {"DEBUG", "SLEEP", "0.02"}});
  EXPECT_TRUE(worst().size() == 1 && worst()[0].command == "set");  // DEBUG is not enabled
  EXPECT_EQ(worst()[0].key, "slow");
  const std::string key = "slow" + std::string(200, 'x');
  slow_ = Milliseconds(30);
  ask({{"SADD", key, "m"}});
  EXPECT_EQ(worst()[0].command, "sadd");
  EXPECT_EQ(worst()[0].key, key.substr(0, 128) + "... (76 more bytes)");
}

TEST_F(TickWatchTest, OnlyAboveTheThreshold) {
  slow_ = Milliseconds(9);
  ask({{"SET", "slow", "v"}});
  EXPECT_TRUE(worst().empty());
  ask({{"CONFIG", "SET", "latency-ticks-threshold", "9"}});
  ask({{"SET", "slow", "v"}});
  EXPECT_EQ(worst().size(), 1u);
  ask({{"CONFIG", "SET", "latency-ticks-threshold", "0"}});
  slow_ = Milliseconds(900);
  ask({{"SET", "slow", "v"}});
  EXPECT_EQ(worst().size(), 1u);
}

TEST_F(TickWatchTest, TheWorstAreKeptTheLongestFirstForAnHour) {
  for (int i = 0; i < 40; ++i) {
    slow_ = Milliseconds(10 + (i * 7) % 40);  // all of 10 .. 49
    ask({{"SET", "slow", "v"}});
  }
  std::vector<LongTick> ticks = worst();
  ASSERT_EQ(ticks.size(), TickLog::kMaxEntries);
  for (size_t i = 0; i < ticks.size(); ++i)
    EXPECT_EQ(ticks[i].length(), Milliseconds(49 - int64_t(i)));
  clock_.advance(ae::Seconds(3601));
  ask({{"CONFIG", "SET", "hz", "10"}});
  EXPECT_TRUE(worst().empty());
}

TEST_F(TickWatchTest, ExpiryIsHousekeeping) {
  slow_ = {};
  for (int i = 0; i < 30; ++i) ask({{"SET", "slow" + std::to_string(i), "v", "PX", "1"}});
  server_->services().ticks.log().reset();
  slow_ = Milliseconds(2);
  clock_.advance(ae::Seconds(1));
  tick();
  tick();
  // (The time that passed between two calls of run_once counts as write.)
  const std::vector<LongTick> ticks = worst();
  const auto found = std::find_if(ticks.begin(), ticks.end(), [](const LongTick& tick) {
    return tick.filled_by() == "timers";
  });
  ASSERT_NE(found, ticks.end());
  const auto part = [&](TickPart part) { return found->parts[size_t(part)]; };
  EXPECT_GE(part(TickPart::kExpiry), Milliseconds(20));
  EXPECT_GE(part(TickPart::kCron), part(TickPart::kExpiry));
  EXPECT_EQ(part(TickPart::kFreeing), Milliseconds(0));
  EXPECT_TRUE(found->command.empty());
}

TEST_F(TickWatchTest, TheReplyInBothProtocols) {
  ask({{"SET", "slow", "v"}});
  const std::string two = ask({{"LATENCY", "TICKS"}});
  EXPECT_TRUE(two.starts_with("*1\r\n*18\r\n$4\r\nloop\r\n$4\r\nmain\r\n")) << two;
  EXPECT_NE(two.find("$4\r\nusec\r\n:25000\r\n$9\r\nfilled_by\r\n$3\r\nrun\r\n"), std::string::npos)
      << two;
  EXPECT_NE(two.find("$4\r\nname\r\n$3\r\nset\r\n$3\r\nkey\r\n$4\r\nslow\r\n"), std::string::npos)
      << two;
  ask({{"HELLO", "3"}});
  const std::string three = ask({{"LATENCY", "TICKS", "1"}});
  EXPECT_TRUE(three.starts_with("*1\r\n%9\r\n")) << three;
  EXPECT_EQ(ask({{"LATENCY", "TICKS", "0"}}), "*0\r\n");
  EXPECT_EQ(ask({{"LATENCY", "TICKS", "reset"}}), ":1\r\n");
  EXPECT_EQ(ask({{"LATENCY", "TICKS"}}), "*0\r\n");
}

// Passwords are no keys, and of a command nothing but its name and its first key is kept.
TEST_F(TickWatchTest, NoPasswordIsShown) {
  using Words = std::vector<std::string_view>;
  for (const Words& words :
       {Words{"AUTH", "default", "hunter2"}, Words{"HELLO", "2", "AUTH", "default", "hunter2"},
        Words{"CONFIG", "SET", "requirepass", "hunter2"}}) {
    ask({words, {"SET", "slow", "v"}});
    const auto& commands = server_->services().commands;
    EXPECT_FALSE(first_key_position(*commands.resolve(words), words));
  }
  EXPECT_EQ(worst().size(), 3u);
  EXPECT_EQ(ask({{"LATENCY", "TICKS"}}).find("hunter2"), std::string::npos);
}

// --- the meter

TEST(LoadMeterTest, RecentIsWhatTheLastSamplesSaw) {
  ae::sim::SimClock clock;
  ae::TickAccount account(clock);
  const LoopView view[] = {{"main", &account}};
  LoadMeter meter;
  EXPECT_EQ(meter.recent(0).useful_percent(), 0);
  account.sleep(clock.now(), Milliseconds(70));
  // Each round of 100 ms sleeps 70 and works 30, the first ten of them 60 and 40.
  for (int i = 0; i < 30; ++i) {
    const auto work = Milliseconds(i < 10 ? 40 : 30);
    clock.advance(Milliseconds(100) - work);
    account.wake(clock.now(), 0);
    clock.advance(work);
    account.pass(Phase::kRun, 1);
    account.sleep(clock.now(), Milliseconds(70));
    meter.sample(view, clock.now());
  }
  const LoadMeter::Recent recent = meter.recent(0);
  EXPECT_DOUBLE_EQ(recent.useful_percent(), 30);
  EXPECT_DOUBLE_EQ(recent.busy_percent(), 30);
  EXPECT_DOUBLE_EQ(recent.ticks_per_second(), 10);
  EXPECT_EQ(meter.recent(1).ticks, 0u);  // no such loop
}

}  // namespace
}  // namespace millrace
