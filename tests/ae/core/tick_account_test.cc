// Whose time is whose, on a clock that moves only when a phase says so; and how often it is read.
#include "ae/core/tick_account.h"

#include <gtest/gtest.h>

#include <vector>

#include "ae/core/event_loop.h"

namespace ae::test {
namespace {

class CountedClock final : public Clock {
 public:
  size_t reads = 0;

  TimePoint now() override { return ++reads, now_; }
  int64_t unix_us() override { return (now_.time_since_epoch().count() / 1000) + 1'000'000; }
  void advance(Nanoseconds by) { now_ += by; }

 private:
  TimePoint now_{Seconds(5)};
};

// Reports what it was told to, after a wait as long as it was told to.
class ScriptedPoller final : public Poller {
 public:
  explicit ScriptedPoller(CountedClock& clock) : clock_(clock) {}

  std::vector<uint64_t> tokens;  // of what was added, in order
  size_t ready = 0;              // so many of the last of them
  Nanoseconds takes{0};

  std::string_view name() const override { return "scripted"; }
  bool supports(Trigger) const override { return true; }
  Status add(int, Events, Trigger, uint64_t token) override {
    return tokens.push_back(token), Status();
  }
  Status modify(int, Events, Trigger, uint64_t) override { return {}; }
  Status remove(int) override { return {}; }
  Result<size_t> wait(std::span<ReadyEvent> out, std::optional<Nanoseconds>) override {
    clock_.advance(takes);
    for (size_t i = 0; i < ready; ++i) out[i] = {tokens[tokens.size() - 1 - i], Events::kReadable};
    return ready;
  }

 private:
  CountedClock& clock_;
};

class TickAccountTest : public testing::Test, protected FileHandler, protected Reaper {
 protected:
  TickAccountTest() {
    auto poller = std::make_unique<ScriptedPoller>(clock);
    poller_ = poller.get();
    LoopOptions options;
    options.clock = &clock;
    options.poller = std::move(poller);
    loop = std::move(*EventLoop::create(std::move(options)));
    EXPECT_TRUE(loop->watch(1000, Events::kReadable, this, 0));
    account().on_long_tick(Nanoseconds(1), [this](const TickRecord& tick) { last = tick; });
    loop->run_once(Nanoseconds(0));  // the first wait ends what is no tick
    last = {};
  }

  void on_file_event(FileId, uint32_t, Events) override { clock.advance(reading); }
  void on_reap(uint64_t) override { clock.advance(Milliseconds(13)); }

  TickAccount& account() { return loop->account(); }
  // One tick that is woken by an event, and the beginning of the next, which closes it.
  void tick_with_event() {
    poller_->ready = 1;
    loop->run_once();
    poller_->ready = 0;
    loop->run_once(Nanoseconds(0));
  }

  CountedClock clock;
  ScriptedPoller* poller_ = nullptr;
  std::unique_ptr<EventLoop> loop;
  Nanoseconds reading{0};
  TickRecord last;  // the last that took any time
};

TEST_F(TickAccountTest, EachPhaseHasItsTime) {
  reading = Milliseconds(3);
  loop->after_events([this] {
    clock.advance(Milliseconds(5));
    const PhaseScope writing(account(), Phase::kWrite);
    clock.advance(Milliseconds(2));
  });
  bool before_wait = false;
  loop->before_sleep([&] {
    if (before_wait) clock.advance(Milliseconds(1));
  });
  poller_->ready = 1;
  poller_->takes = Milliseconds(50);
  loop->post([&] { clock.advance(Milliseconds(7)); });
  loop->add_timer(Nanoseconds(0), [&] { clock.advance(Milliseconds(11)); });
  loop->reap_later(this, 0);
  loop->run_once();
  before_wait = true;
  poller_->ready = 0;
  poller_->takes = {};
  loop->run_once(Nanoseconds(0));

  EXPECT_EQ(last.of(Phase::kPoll), Milliseconds(50));  // with a task in the mailbox none sleeps
  EXPECT_EQ(last.of(Phase::kRead), Milliseconds(3));
  EXPECT_EQ(last.of(Phase::kRun), Milliseconds(5));
  EXPECT_EQ(last.of(Phase::kWrite), Milliseconds(3));
  EXPECT_EQ(last.of(Phase::kMailbox), Milliseconds(7));
  EXPECT_EQ(last.of(Phase::kTimers), Milliseconds(11));
  EXPECT_EQ(last.of(Phase::kReap), Milliseconds(13));
  EXPECT_EQ(last.total, Milliseconds(92));
  for (const Phase phase : {Phase::kRead, Phase::kMailbox, Phase::kTimers, Phase::kReap})
    EXPECT_EQ(last.work_of(phase), 1u) << kPhaseNames[size_t(phase)];
  EXPECT_EQ(account().useful(), Milliseconds(42));  // poll is busy, and useful to nobody
  EXPECT_EQ(account().busy(), Milliseconds(92));
  EXPECT_EQ(account().idle(), Milliseconds(0));
  EXPECT_EQ(account().durations(Phase::kTimers).max(), Milliseconds(11));
}

TEST_F(TickAccountTest, WakingToFindNothingIsBusyAndNotUseful) {
  loop->before_sleep([this] { clock.advance(Milliseconds(1)); });
  loop->run_once();
  loop->run_once();
  EXPECT_EQ(account().busy(), Milliseconds(2));
  EXPECT_EQ(account().useful(), Milliseconds(0));
  EXPECT_EQ(account().useful_ticks(), 0u);
}

TEST_F(TickAccountTest, AHookTellsOfWorkThatTheLoopDoesNotSee) {
  loop->after_events([this] {
    account().note_work();
    clock.advance(Milliseconds(4));
  });
  loop->run_once();
  loop->run_once();
  EXPECT_EQ(last.of(Phase::kRun), Milliseconds(4));
  EXPECT_EQ(account().useful(), Milliseconds(4));
  EXPECT_EQ(account().useful_ticks(), 1u);
}

TEST_F(TickAccountTest, SleepingIsToldFromTheCall) {
  poller_->takes = Milliseconds(10);
  loop->run_once();  // no timeout: slept
  EXPECT_EQ(account().idle(), Milliseconds(10));
  loop->run_once(Nanoseconds(0));  // no sleep is allowed: the call took so long
  poller_->takes = TickAccount::kShortestSleep - Nanoseconds(1);
  loop->run_once();  // too short for a sleep
  loop->run_once(Nanoseconds(0));
  EXPECT_EQ(account().idle(), Milliseconds(10));
  EXPECT_EQ(account().durations(Phase::kPoll).max(), Milliseconds(10));
  EXPECT_EQ(account().durations(Phase::kPoll).total(), 2u);
}

TEST_F(TickAccountTest, AWaitThatOutlastsItsTimeoutIsLate) {
  poller_->takes = Milliseconds(30);
  loop->run_once(Milliseconds(20));
  loop->run_once(Nanoseconds(0));
  EXPECT_EQ(last.late, Milliseconds(10));
  EXPECT_EQ(last.total, Nanoseconds(0));
  EXPECT_EQ(account().lateness().max(), Milliseconds(10));
  EXPECT_EQ(account().idle(), Milliseconds(30));
}

TEST_F(TickAccountTest, LongTicksAreTold) {
  account().set_long_tick(Milliseconds(10));
  reading = Milliseconds(9);
  tick_with_event();
  EXPECT_EQ(last.total, Nanoseconds(0));
  reading = Milliseconds(10);
  const int64_t before_us = clock.unix_us();
  tick_with_event();
  EXPECT_EQ(last.total, Milliseconds(10));
  EXPECT_EQ(last.woke_unix_us, before_us);
  account().set_long_tick(Nanoseconds(0));
  reading = Milliseconds(500);
  tick_with_event();
  EXPECT_EQ(last.total, Milliseconds(10));
}

TEST_F(TickAccountTest, AnIdleTickReadsTheClockTwiceOneWithRequestsFiveTimes) {
  const auto reads_of = [&](size_t ready) {
    poller_->ready = ready;
    const size_t before = clock.reads;
    loop->run_once(Nanoseconds(0));
    return clock.reads - before;
  };
  EXPECT_EQ(reads_of(0), 2u);
  EXPECT_EQ(reads_of(1), 4u);  // the ends of read and run
  loop->after_events([this] { const PhaseScope writing(account(), Phase::kWrite); });
  EXPECT_EQ(reads_of(1), 5u);  // the end of read, the scope's two
}

// --- parsing

TEST_F(TickAccountTest, OfManySmallPiecesOneInSixteenStandsForAll) {
  TickAccount alone(clock);
  alone.on_long_tick(Nanoseconds(1), [this](const TickRecord& tick) { last = tick; });
  alone.sleep(clock.now(), Nanoseconds(0));
  alone.wake(clock.now(), 0);
  const size_t before = clock.reads;
  for (int i = 0; i < 48; ++i) {
    clock.advance(Microseconds(5));  // a read
    const InputScope parsing(alone, 100);
    clock.advance(Microseconds(2));
  }
  EXPECT_EQ(clock.reads - before, 6u);
  alone.pass(Phase::kRun, 48);
  alone.sleep(clock.now(), Nanoseconds(0));
  EXPECT_EQ(last.of(Phase::kRead), Microseconds(48 * 5));
  EXPECT_EQ(last.of(Phase::kParse), Microseconds(48 * 2));
}

TEST_F(TickAccountTest, ALargePieceIsAlwaysTimedAndStandsForItself) {
  TickAccount alone(clock);
  alone.on_long_tick(Nanoseconds(1), [this](const TickRecord& tick) { last = tick; });
  alone.sleep(clock.now(), Nanoseconds(0));
  alone.wake(clock.now(), 0);
  {
    const InputScope parsing(alone, InputScope::kAlwaysTimedBytes);
    clock.advance(Milliseconds(3));
    const PhaseScope running(alone, Phase::kRun);  // a batch that was full
    clock.advance(Milliseconds(20));
  }
  {
    const InputScope parsing(alone, InputScope::kAlwaysTimedBytes - 1);
    clock.advance(Milliseconds(1));
  }
  alone.pass(Phase::kRun, 1);
  alone.sleep(clock.now(), Nanoseconds(0));
  EXPECT_EQ(last.of(Phase::kParse), Milliseconds(3));
  EXPECT_EQ(last.of(Phase::kRun), Milliseconds(20));
  EXPECT_EQ(last.of(Phase::kRead), Milliseconds(1));
}

}  // namespace
}  // namespace ae::test
