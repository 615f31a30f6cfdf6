// Clock, sockets, poller and the real event loop, put together for a test.
//
//   ae::sim::World world(seed);
//   ae::ConnectionTable table(world.loop());
//   auto [fd, peer] = world.os().stream_pair();
//   table.adopt(fd, handler);
//   peer.send("PING\r\n");
//   world.settle();
//   EXPECT_EQ(peer.read(), "+PONG\r\n");
//   peer.close();
//   world.settle();
//   EXPECT_EQ(world.violations(), "");
//
// The same seed, program and test make the same run, event by event.
//
// Thread: one. Ownership: owns all it puts together; what a test builds on the loop dies before it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "ae/base/prng.h"
#include "ae/core/event_loop.h"
#include "ae/sim/agenda.h"
#include "ae/sim/enumerator.h"
#include "ae/sim/sim_clock.h"
#include "ae/sim/sim_os.h"
#include "ae/sim/sim_peer.h"
#include "ae/sim/sim_poller.h"

namespace ae::sim {

struct WorldOptions {
  uint64_t seed = 1;
  SimOsOptions os = {};
  // Where given, the poller has completions, as io_uring has.
  std::optional<CompletionBuffers> completions = std::nullopt;
  size_t events_per_wait = 64;
  size_t mailbox_capacity = 64;
};

class World {
 public:
  explicit World(WorldOptions options = {});
  explicit World(uint64_t seed) : World(WorldOptions{.seed = seed}) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  SimClock& clock() { return clock_; }
  Agenda& agenda() { return agenda_; }
  SimOs& os() { return os_; }
  FaultPlan& faults() { return os_.faults(); }
  SimPoller& poller() { return *poller_; }
  EventLoop& loop() { return *loop_; }
  // For the test's own choices; independent of the poller's.
  Prng& random() { return random_; }

  // One tick that does not wait.
  void tick() { loop_->run_once(Nanoseconds::zero()); }
  // Ticks until nothing happens any more; no time passes. Returns the ticks it took.
  size_t settle();
  // Lets this much time pass, with all the ticks that fall into it.
  void pass(Nanoseconds duration);

  // Sends the message to the program as the schedule says. True if all of it was sent, false if the
  // schedule ended in between with a FIN or a reset.
  bool play(const Schedule& schedule, Bytes message, SimPeer& peer);

  // What the end of a run must not leave behind: descriptors, registrations, timers, misuses. One
  // line each; empty is good. The loop's own waker is not counted.
  std::string violations();

 private:
  // A program that does so much without time passing spins: nothing we run needs as many ticks.
  static constexpr size_t kMaxTicksAtOneInstant = 10'000;
  void note_spin(TimePoint end);
  bool quiet_tick();
  uint64_t completions_delivered() const;
  bool play_gap(Gap gap, SimPeer& peer);

  size_t spins_ = 0;
  SimClock clock_;
  Agenda agenda_{clock_};
  SimOs os_;
  Prng random_;
  SimPoller* poller_;  // the loop's
  std::unique_ptr<EventLoop> loop_;
};

}  // namespace ae::sim
