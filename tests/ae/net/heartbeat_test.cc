// The wheel against a model that looks at everybody at every tick, on a clock that is moved by
// hand.
#include "ae/net/heartbeat.h"

#include <gtest/gtest.h>

#include <map>

#include "ae/base/prng.h"

namespace ae::test {
namespace {

class HandClock final : public Clock {
 public:
  TimePoint now() override { return now_; }
  int64_t unix_us() override { return 0; }
  void advance(Nanoseconds by) { now_ += by; }

 private:
  TimePoint now_{Seconds(1000)};
};

struct Log final : HeartbeatHandler {
  std::vector<std::pair<std::string, uint32_t>> calls;
  std::function<void(ConnectionId)> idle, probe, lost;
  std::function<std::optional<TimePoint>(ConnectionId)> heard;
  std::optional<TimePoint> last_heard(ConnectionId id) override {
    return heard ? heard(id) : std::nullopt;
  }
  void on_idle(ConnectionId id) override {
    calls.push_back({"idle", id.slot});
    if (idle) idle(id);
  }
  void on_probe(ConnectionId id, uint32_t misses) override {
    calls.push_back({"probe" + std::to_string(misses), id.slot});
    if (probe) probe(id);
  }
  void on_lost(ConnectionId id) override {
    calls.push_back({"lost", id.slot});
    if (lost) lost(id);
  }
};

struct World {
  HandClock clock;
  std::unique_ptr<EventLoop> loop;
  Log log;
  std::unique_ptr<Heartbeat> heartbeat;
  explicit World(HeartbeatOptions options) {
    LoopOptions loop_options;
    loop_options.clock = &clock;
    loop = std::move(*EventLoop::create(std::move(loop_options)));
    heartbeat = std::make_unique<Heartbeat>(*loop, log, options);
  }
  void advance(Nanoseconds by) {
    clock.advance(by);
    loop->run_once(Nanoseconds::zero());
  }
};

TEST(HeartbeatTest, ProbesThenLost) {
  World world({.probe_after = Seconds(10), .probe_interval = Seconds(5), .max_misses = 2});
  world.heartbeat->track({3, 1});
  std::string seen;
  for (int s = 1; s <= 40; ++s) {
    world.advance(Seconds(1));
    for (const auto& [what, slot] : world.log.calls) {
      seen += what + "@" + std::to_string(s) + " ";
      if (what == "lost") world.heartbeat->forget({slot, 1});
    }
    world.log.calls.clear();
  }
  EXPECT_EQ(seen, "probe1@11 probe2@16 lost@21 ");
  EXPECT_EQ(world.heartbeat->tracked(), 0u);
}

// Each by its own, though the wheel's terms are an hour; new ones count from when they were given.
TEST(HeartbeatTest, TermsOfOnesOwn) {
  World world({.probe_after = Seconds(3600)});
  world.heartbeat->track({0, 1}, {Seconds(10), 2});
  world.heartbeat->track({1, 1}, {Seconds(3000), 1});
  world.heartbeat->track({2, 1});
  std::map<uint32_t, std::string> seen;
  for (int s = 1; s <= 7300; ++s) {
    if (s == 100) world.heartbeat->track({1, 1}, {Seconds(5), 1});
    world.advance(Seconds(1));
    for (const auto& [what, slot] : world.log.calls) {
      seen[slot] += what + "@" + std::to_string(s) + " ";
      if (what == "lost") world.heartbeat->forget({slot, 1});
    }
    world.log.calls.clear();
  }
  EXPECT_EQ(seen[0], "probe1@11 probe2@21 lost@31 ");
  EXPECT_EQ(seen[1], "probe1@105 lost@110 ");
  EXPECT_EQ(seen[2], "probe1@3601 probe2@7201 ");
}

// A slot that is free and taken again owes nothing to its former life, whose next look was far off.
TEST(HeartbeatTest, AReusedSlotIsLookedAtInItsOwnTime) {
  World world({.probe_after = Seconds(3600)});
  world.heartbeat->track({7, 1}, {Seconds(3600), 1});
  world.advance(Seconds(10));
  world.heartbeat->forget({7, 1});
  world.heartbeat->track({7, 3}, {Seconds(4), 1});
  std::string seen;
  for (int s = 1; s <= 20; ++s) {
    world.advance(Seconds(1));
    for (const auto& [what, slot] : world.log.calls) seen += what + "@" + std::to_string(s) + " ";
    world.log.calls.clear();
    if (seen.find("lost") != seen.npos) break;
  }
  EXPECT_EQ(seen, "probe1@5 lost@9 ");
}

// The application says when it heard last, and only when it is asked.
TEST(HeartbeatTest, AsksWhenItWasHeard) {
  World world({.probe_after = Seconds(10), .max_misses = 2});
  const TimePoint start = world.loop->now();
  TimePoint heard = start;
  int asked = 0;
  world.log.heard = [&](ConnectionId) {
    ++asked;
    return heard;
  };
  world.heartbeat->track({0, 1});
  std::string seen;
  for (int s = 1; s <= 60; ++s) {
    world.advance(Seconds(1));
    if (s == 8 || s == 23) heard = world.loop->now();
    for (const auto& [what, slot] : world.log.calls) seen += what + "@" + std::to_string(s) + " ";
    world.log.calls.clear();
    if (seen.find("lost") != seen.npos) break;
  }
  EXPECT_EQ(seen, "probe1@19 probe1@34 probe2@44 lost@54 ");
  EXPECT_LE(asked, 8);
}

TEST(HeartbeatTest, AnAnswerStartsAfresh) {
  World world({.probe_after = Seconds(3), .max_misses = 1});
  world.heartbeat->track({0, 1});
  world.log.probe = [&](ConnectionId id) { world.heartbeat->activity(id); };
  for (int s = 0; s < 100; ++s) world.advance(Seconds(1));
  for (const auto& [what, slot] : world.log.calls) EXPECT_EQ(what, "probe1");
  EXPECT_GE(world.log.calls.size(), 24u);
}

TEST(HeartbeatTest, StaleIdsAreIgnoredAndReusedSlotsStartAnew) {
  World world({.idle_timeout = Seconds(5)});
  world.heartbeat->track({1, 1});
  world.advance(Seconds(4));
  world.heartbeat->forget({1, 1});
  world.heartbeat->forget({1, 1});
  world.heartbeat->track({1, 3});
  world.heartbeat->activity({1, 1});
  world.heartbeat->activity({77, 1});
  EXPECT_EQ(world.heartbeat->tracked(), 1u);
  world.advance(Seconds(4));
  EXPECT_TRUE(world.log.calls.empty());
  world.advance(Seconds(3));
  EXPECT_EQ(world.log.calls.size(), 1u);
}

// Never early; at most two resolutions late. The loop is also asleep for long now and then.
TEST(HeartbeatTest, AgreesWithAModelThatLooksAtEverybody) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Prng prng(seed);
    const Seconds timeout(1 + int64_t(prng.next() % (seed % 4 == 0 ? 6000 : 40)));
    World world({.idle_timeout = timeout});
    std::map<uint32_t, std::pair<uint32_t, TimePoint>> model;  // slot: generation, last activity
    world.log.idle = [&](ConnectionId id) {
      ASSERT_TRUE(model.contains(id.slot));
      const auto [generation, last] = model[id.slot];
      ASSERT_EQ(generation, id.generation);
      const Nanoseconds silence = world.loop->now() - last;
      ASSERT_GE(silence, timeout);
      model.erase(id.slot);
      world.heartbeat->forget(id);
    };
    uint32_t generation = 1;
    for (int step = 0; step < 3000; ++step) {
      const auto slot = uint32_t(prng.next() % 50);
      const auto found = model.find(slot);
      if (found == model.end()) {
        generation += 2;
        world.heartbeat->track({slot, generation});
        model[slot] = {generation, world.loop->now()};
      } else if (prng.next() % 3 == 0) {
        world.heartbeat->forget({slot, found->second.first});
        model.erase(found);
      } else {
        world.heartbeat->activity({slot, found->second.first});
        found->second.second = world.loop->now();
      }
      if (prng.next() % 4 != 0) continue;
      const bool long_sleep = prng.next() % 100 == 0;
      const Nanoseconds step_time = Milliseconds(prng.next() % (long_sleep ? 900'000 : 1500));
      world.advance(step_time);
      world.advance(Nanoseconds::zero());
      for (const auto& [live, state] : model) {
        ASSERT_LE(world.loop->now() - state.second, timeout + Seconds(2) + step_time)
            << "slot " << live << " step " << step;
      }
      ASSERT_EQ(world.heartbeat->tracked(), model.size());
    }
  }
}

// 200,000 active connections: each is looked at about once per timeout, and in slices.
TEST(HeartbeatTest, VisitsAreFewAndSliced) {
  World world({.idle_timeout = Seconds(60)});
  constexpr uint32_t kConnections = 200'000;
  for (uint32_t slot = 0; slot < kConnections; ++slot) world.heartbeat->track({slot, 1});
  uint64_t most_in_a_tick = 0;
  for (int s = 0; s < 180; ++s) {
    if (s % 20 == 0) {
      for (uint32_t slot = 0; slot < kConnections; ++slot) world.heartbeat->activity({slot, 1});
    }
    for (int tick = 0; tick < 20; ++tick) {
      const uint64_t before = world.heartbeat->visits();
      world.advance(Milliseconds(50));
      most_in_a_tick = std::max(most_in_a_tick, world.heartbeat->visits() - before);
    }
  }
  EXPECT_TRUE(world.log.calls.empty());
  EXPECT_LE(most_in_a_tick, 2 * Heartbeat::kMaxVisitsPerTick);
  EXPECT_LE(world.heartbeat->visits(), 6u * kConnections);
}

}  // namespace
}  // namespace ae::test
