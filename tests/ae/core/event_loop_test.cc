#include "ae/core/event_loop.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <string>
#include <vector>

#include "tests/contract/real_sockets.h"

namespace ae {
namespace {

// Counts what reaches the poller behind it; and can refuse for want of memory.
class CountingPoller final : public Poller {
 public:
  struct Counts {
    int add = 0, modify = 0, remove = 0, wait = 0;
    int changes() const { return add + modify + remove; }
  };

  CountingPoller(Counts& counts, Backend backend)
      : counts_(counts), inner_(create_poller(backend).value()) {}

  std::string_view name() const override { return inner_->name(); }
  bool supports(Trigger trigger) const override { return inner_->supports(trigger); }
  Status add(int fd, Events interest, Trigger trigger, uint64_t token) override {
    ++counts_.add;
    if (refusals > 0) return --refusals, fail(ENOSPC, "add");
    return inner_->add(fd, interest, trigger, token);
  }
  Status modify(int fd, Events interest, Trigger trigger, uint64_t token) override {
    ++counts_.modify;
    return inner_->modify(fd, interest, trigger, token);
  }
  Status remove(int fd) override {
    ++counts_.remove;
    return inner_->remove(fd);
  }
  Result<size_t> wait(std::span<ReadyEvent> out, std::optional<Nanoseconds> timeout) override {
    ++counts_.wait;
    last_timeout = timeout;
    return inner_->wait(out, timeout);
  }

  int refusals = 0;
  std::optional<Nanoseconds> last_timeout;

 private:
  Counts& counts_;
  std::unique_ptr<Poller> inner_;
};

class EventLoopTest : public ::testing::TestWithParam<Backend>, protected FileHandler {
 protected:
  struct Delivery {
    uint32_t token;
    Events ready;
    friend bool operator==(Delivery, Delivery) = default;
  };

  EventLoopTest() {
    auto poller = std::make_unique<CountingPoller>(counts_, GetParam());
    poller_ = poller.get();
    loop_ = EventLoop::create({.poller = std::move(poller)}).value();
    counts_ = {};
  }
  ~EventLoopTest() override {
    for (FileId id : ids_) loop_->unwatch(id);
    for (int fd : descriptors_) real_os().close(fd);
  }

  void on_file_event(FileId id, uint32_t token, Events ready) override {
    delivered_.push_back({token, ready});
    if (on_event_) on_event_(id, token);
  }

  // A connected pair with its near end watched; token = index.
  size_t open(Events interest = Events::kReadable, Trigger trigger = Trigger::kLevel) {
    const auto [near, far] = contract::tcp_pair();
    descriptors_.insert(descriptors_.end(), {near, far});
    const size_t index = near_.size();
    near_.push_back(near);
    far_.push_back(far);
    ids_.push_back(
        loop_->watch(near, interest, this, static_cast<uint32_t>(index), trigger).value());
    return index;
  }
  size_t open_urgent() {
    const auto [near, far] = contract::tcp_pair();
    descriptors_.insert(descriptors_.end(), {near, far});
    near_.push_back(near);
    far_.push_back(far);
    const auto token = static_cast<uint32_t>(near_.size() - 1);
    ids_.push_back(
        loop_->watch(near, Events::kReadable, this, token, Trigger::kLevel, Priority::kUrgent)
            .value());
    return token;
  }
  void send(size_t index, Bytes bytes = "x") {
    ASSERT_EQ(real_os().write(far_[index], bytes).status, IoStatus::kOk);
  }
  void receive(size_t index) {
    std::array<char, 4096> scratch;
    real_os().read(near_[index], scratch);
  }
  size_t tick() { return loop_->run_once(Nanoseconds::zero()); }

  CountingPoller::Counts counts_;
  CountingPoller* poller_;
  std::unique_ptr<EventLoop> loop_;
  std::vector<Delivery> delivered_;
  std::function<void(FileId, uint32_t)> on_event_;
  std::vector<FileId> ids_;
  std::vector<int> near_, far_, descriptors_;
};

// io_uring where this build has it and this kernel allows it.
std::vector<Backend> backends() {
  std::vector<Backend> here = {Backend::kEpoll, Backend::kPoll, Backend::kSelect};
  if (create_poller(Backend::kIoUring)) here.push_back(Backend::kIoUring);
  return here;
}

INSTANTIATE_TEST_SUITE_P(Pollers, EventLoopTest, ::testing::ValuesIn(backends()),
                         [](const ::testing::TestParamInfo<Backend>& info) -> std::string {
                           return std::string(create_poller(info.param).value()->name());
                         });

// The second pair's events come first, and what follows from them before the others' do.
TEST_P(EventLoopTest, UrgentComesFirstAsATickOfItsOwn) {
  std::string order;
  on_event_ = [&](FileId, uint32_t token) {
    order += char('0' + token);
    receive(token);
  };
  loop_->after_events([&] { order += '|'; });
  for (int i = 0; i < 3; ++i) open(Events::kReadable, Trigger::kLevel);
  const size_t urgent = open_urgent();
  for (size_t i = 0; i < 4; ++i) send(i);
  while (loop_->run_once() == 0) order.clear();  // until the kernel has delivered
  for (int i = 0; i < 3; ++i) tick();
  EXPECT_EQ(order.substr(0, 2), "3|") << order;
  EXPECT_EQ(std::count(order.begin(), order.end(), '3'), 1);
  order.clear();
  send(0);
  loop_->run_once();
  EXPECT_EQ(order, "0|") << "a tick without urgent events has one batch";
  loop_->unwatch(ids_[urgent]);
}

// Ten pairs are ready and nobody reads them; a wait fetches two.
TEST_P(EventLoopTest, UrgentIsFoundHoweverManyAreReady) {
  loop_ = EventLoop::create({.backend = GetParam(), .events_per_wait = 2}).value();
  std::string order;
  on_event_ = [&](FileId, uint32_t token) {
    order += char('a' + token);
    if (token == 10) receive(token);
  };
  for (size_t i = 0; i < 10; ++i) {
    open();
    send(i);
  }
  const size_t urgent = open_urgent();
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 3; ++i) tick();
    EXPECT_EQ(order.find('k'), order.npos);
    send(urgent);
    do {
      order.clear();
      tick();
    } while (order.find('k') == order.npos);
    EXPECT_EQ(order.find('k'), 0u) << "round " << round << ": " << order;
    EXPECT_EQ(std::count(order.begin(), order.end(), 'k'), 1) << order;
    order.clear();
  }
}

TEST_P(EventLoopTest, UrgentMayUnwatchItselfAndOthers) {
  open();
  const size_t first = open_urgent(), second = open_urgent();
  int urgent_events = 0;
  on_event_ = [&](FileId, uint32_t token) {
    EXPECT_NE(token, 0u) << "unwatched by an urgent one";
    ++urgent_events;
    for (FileId id : ids_) loop_->unwatch(id);
  };
  send(0);
  send(first);
  send(second);
  while (urgent_events == 0) loop_->run_once();
  for (int i = 0; i < 3; ++i) tick();
  EXPECT_EQ(urgent_events, 1);
  EXPECT_EQ(loop_->watched(), 0u);
}

TEST_P(EventLoopTest, DeliversTheTokenAndWhatIsReady) {
  const size_t index = open();
  EXPECT_EQ(tick(), 0u);
  send(index);
  EXPECT_EQ(loop_->run_once(), 1u);
  EXPECT_EQ(delivered_, (std::vector<Delivery>{{0, Events::kReadable}}));
}

// The price of a tick: one wait, whatever the number of ready descriptors, and nothing else.
TEST_P(EventLoopTest, AWaitATickAndNoOtherCall) {
  constexpr int kFiles = 20, kTicks = 50;
  for (int i = 0; i < kFiles; ++i) send(open());
  for (int i = 0; i < 100 && tick() < kFiles; ++i) {
  }
  counts_ = {};
  delivered_.clear();
  for (int i = 0; i < kTicks; ++i) EXPECT_EQ(loop_->run_once(), size_t{kFiles});
  EXPECT_EQ(counts_.wait, kTicks);
  EXPECT_EQ(counts_.changes(), 0);
  EXPECT_EQ(delivered_.size(), size_t{kFiles} * kTicks);
}

TEST_P(EventLoopTest, InterestChangesAreCoalesced) {
  const size_t index = open();
  const FileId id = ids_[index];
  counts_ = {};
  loop_->set_interest(id, Events::kReadWrite);
  loop_->set_interest(id, Events::kReadable);
  tick();
  EXPECT_EQ(counts_.changes(), 0) << "it ends where it began";
  loop_->set_interest(id, Events::kWritable);
  loop_->set_interest(id, Events::kNone);
  loop_->set_interest(id, Events::kReadWrite);
  EXPECT_EQ(counts_.changes(), 0) << "not before the next wait";
  tick();
  EXPECT_EQ(counts_.modify, 1);
  EXPECT_EQ(counts_.changes(), 1);
  tick();
  EXPECT_EQ(counts_.changes(), 1);
}

TEST_P(EventLoopTest, NoInterestIsNotInThePollerAtAll) {
  const size_t index = open();
  loop_->set_interest(ids_[index], Events::kNone);
  tick();
  EXPECT_EQ(counts_.remove, 1);
  // An error would be reported, asked or not, if the poller still held the descriptor.
  descriptors_.erase(std::find(descriptors_.begin(), descriptors_.end(), far_[index]));
  contract::close_with_reset(far_[index]);
  EXPECT_EQ(tick(), 0u);
  loop_->set_interest(ids_[index], Events::kReadable);
  EXPECT_EQ(loop_->run_once(), 1u);
  EXPECT_EQ(loop_->interest(ids_[index]), Events::kReadable);
}

TEST_P(EventLoopTest, InterestTakenAwayInTheBatchIsRespected) {
  const size_t a = open(Events::kReadWrite), b = open(Events::kReadWrite);
  on_event_ = [&](FileId, uint32_t token) {
    loop_->set_interest(ids_[token == a ? b : a], Events::kNone);
  };
  loop_->run_once();
  EXPECT_EQ(delivered_.size(), 1u);
}

TEST_P(EventLoopTest, AHandlerMayUnwatchAnotherOfTheSameBatch) {
  const size_t a = open(), b = open();
  send(a);
  send(b);
  on_event_ = [&](FileId, uint32_t token) { loop_->unwatch(ids_[token == a ? b : a]); };
  for (int i = 0; i < 10; ++i) tick();
  ASSERT_FALSE(delivered_.empty());
  const uint32_t survivor = delivered_[0].token;
  for (const Delivery& delivery : delivered_) EXPECT_EQ(delivery.token, survivor);
  EXPECT_EQ(loop_->watched(), 1u);
}

// The first handler closes the second descriptor and opens another, which gets its number and its
// slot: the event that was fetched for the old one must not reach the new one.
TEST_P(EventLoopTest, AnEventOfADeadRegistrationDoesNotReachItsSuccessor) {
  const size_t a = open(Events::kWritable), b = open(Events::kWritable);
  bool replaced = false;
  on_event_ = [&](FileId, uint32_t token) {
    if (std::exchange(replaced, true)) return;
    const size_t victim = token == a ? b : a;
    loop_->unwatch(ids_[victim]);
    const Result<FileId> successor = loop_->watch(near_[victim], Events::kReadable, this, 99);
    EXPECT_EQ(successor->slot, ids_[victim].slot);
    EXPECT_NE(successor->generation, ids_[victim].generation);
    ids_.push_back(*successor);
  };
  tick();
  EXPECT_EQ(delivered_.size(), 1u);
  tick();
  for (const Delivery& delivery : delivered_) EXPECT_NE(delivery.token, 99u);
}

TEST_P(EventLoopTest, AHandlerMayUnwatchItself) {
  const size_t index = open(Events::kWritable);
  on_event_ = [&](FileId id, uint32_t) {
    loop_->unwatch(id);
    loop_->set_interest(id, Events::kReadWrite);  // the registration is gone: ignored
  };
  tick();
  tick();
  EXPECT_EQ(delivered_.size(), 1u);
  EXPECT_EQ(loop_->watched(), 0u);
  EXPECT_EQ(loop_->interest(ids_[index]), Events::kNone);
}

TEST_P(EventLoopTest, BarrierIsPassedOnWithoutACallToThePoller) {
  const size_t index = open(Events::kReadWrite);
  send(index);
  counts_ = {};
  loop_->set_interest(ids_[index], Events::kReadWrite | Events::kBarrier);
  for (int i = 0; i < 100 && delivered_.empty(); ++i) tick();
  ASSERT_FALSE(delivered_.empty());
  EXPECT_EQ(delivered_.back().ready & Events::kBarrier, Events::kBarrier);
  EXPECT_EQ(counts_.changes(), 0);
}

TEST_P(EventLoopTest, HalfCloseComesWithReadable) {
  const size_t index = open();
  real_os().shutdown_write(far_[index]);
  loop_->run_once();
  ASSERT_EQ(delivered_.size(), 1u);
  EXPECT_EQ(delivered_[0].ready & Events::kReadable, Events::kReadable);
  if (GetParam() != Backend::kSelect) {
    EXPECT_EQ(delivered_[0].ready & Events::kHalfClosed, Events::kHalfClosed);
  }
}

TEST_P(EventLoopTest, OneShotIsArmedAgainBySetInterest) {
  const size_t index = open(Events::kReadable, Trigger::kOneShot);
  send(index);
  EXPECT_EQ(loop_->run_once(), 1u);
  EXPECT_EQ(loop_->interest(ids_[index]), Events::kNone);
  EXPECT_EQ(tick(), 0u);
  counts_ = {};
  loop_->set_interest(ids_[index], Events::kReadable);
  EXPECT_EQ(loop_->run_once(), 1u);
  EXPECT_EQ(counts_.modify, 1);
  EXPECT_EQ(counts_.changes(), 1);
}

TEST_P(EventLoopTest, EdgeIsDeliveredOnce) {
  if (!loop_->poller().supports(Trigger::kEdge)) GTEST_SKIP() << "not supported";
  const size_t index = open(Events::kReadable, Trigger::kEdge);
  send(index);
  EXPECT_EQ(loop_->run_once(), 1u);
  EXPECT_EQ(tick(), 0u);
  send(index);
  EXPECT_EQ(loop_->run_once(), 1u);
}

TEST_P(EventLoopTest, ARefusedWatchLeavesNothing) {
  const auto [near, far] = contract::tcp_pair();
  poller_->refusals = 1;
  const Result<FileId> id = loop_->watch(near, Events::kReadable, this, 1);
  ASSERT_FALSE(id.has_value());
  EXPECT_EQ(id.error().code, ENOSPC);
  EXPECT_EQ(loop_->watched(), 0u);
  real_os().close(near);
  real_os().close(far);
}

TEST_P(EventLoopTest, AnInterestChangeWithoutMemoryIsTriedAgain) {
  const size_t index = open(Events::kNone);
  EXPECT_EQ(counts_.changes(), 0);
  send(index);
  loop_->set_interest(ids_[index], Events::kReadable);
  poller_->refusals = 2;
  EXPECT_EQ(loop_->run_once(), 0u) << "waits a moment, not for ever";
  EXPECT_EQ(loop_->run_once(), 0u);
  EXPECT_EQ(loop_->run_once(), 1u);
  EXPECT_EQ(counts_.add, 3);
}

TEST_P(EventLoopTest, PhasesComeInTheirOrder) {
  const size_t index = open();
  send(index);
  std::string order;
  loop_->before_sleep([&] { order += "before-sleep "; });
  loop_->after_sleep([&] { order += "after-sleep "; });
  loop_->after_events([&] { order += "after-events "; });
  on_event_ = [&](FileId, uint32_t) { order += "event "; };
  loop_->post([&] { order += "mail "; });
  loop_->add_timer(Nanoseconds::zero(), [&] { order += "timer "; });
  struct Reaping : Reaper {
    std::string* order = nullptr;
    void on_reap(uint64_t) override { *order += "reap"; }
  } reaper;
  reaper.order = &order;
  loop_->reap_later(&reaper, 0);
  tick();
  EXPECT_EQ(order, "before-sleep after-sleep event after-events mail timer reap");
}

TEST_P(EventLoopTest, AHookMayAddAHook) {
  int runs = 0;
  loop_->before_sleep([&] {
    for (int i = 0; i < 20 && runs == 0; ++i) loop_->before_sleep([&] { ++runs; });
  });
  tick();
  EXPECT_EQ(runs, 20);
}

TEST_P(EventLoopTest, WaitsForTheNextTimerAndNoLonger) {
  int runs = 0;
  loop_->add_timer(Milliseconds(2), [&] { ++runs; });
  const TimePoint start = loop_->now();  // a delay counts from the tick's time
  while (runs == 0) loop_->run_once();
  EXPECT_GE(loop_->clock().now() - start, Milliseconds(2));
  EXPECT_LE(counts_.wait, 2) << "slept, did not spin";
}

TEST_P(EventLoopTest, PeriodicUntilCancelled) {
  int runs = 0;
  TimerId id = loop_->add_periodic(Microseconds(500), [&] {
    if (++runs == 3) {
      EXPECT_TRUE(loop_->cancel(id));
      loop_->stop();
    }
  });
  loop_->run();
  EXPECT_EQ(runs, 3);
  EXPECT_FALSE(loop_->cancel(id));
}

TEST_P(EventLoopTest, WakeNextTickDoesNotWaitOnce) {
  loop_->wake_next_tick();
  loop_->run_once();
  EXPECT_EQ(poller_->last_timeout, Nanoseconds::zero());
  loop_->run_once(Microseconds(100));
  EXPECT_EQ(poller_->last_timeout, Nanoseconds(Microseconds(100)));
}

TEST_P(EventLoopTest, AWakeBeforeTheWaitIsNotLost) {
  loop_->wake();
  loop_->run_once();  // would hang
  loop_->before_sleep([&] { loop_->wake(); });
  loop_->run_once();
}

TEST_P(EventLoopTest, StopBeforeRunEndsItAtOnce) {
  loop_->stop();
  loop_->run();
  EXPECT_EQ(counts_.wait, 0);
  loop_->post([&] { loop_->stop(); });
  loop_->run();  // and it can run again
  EXPECT_EQ(counts_.wait, 1);
}

EventLoop* loop_to_stop = nullptr;

TEST_P(EventLoopTest, StopFromASignalHandler) {
  loop_to_stop = loop_.get();
  struct sigaction action {};
  action.sa_handler = [](int) { loop_to_stop->stop(); };
  struct sigaction before;
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  loop_->add_timer(Nanoseconds::zero(), [] { ::raise(SIGUSR1); });
  loop_->run();
  ::sigaction(SIGUSR1, &before, nullptr);
}

class ReapRecorder : public Reaper {
 public:
  void on_reap(uint64_t token) override {
    reaped.push_back(token);
    if (on_each) on_each(token);
  }
  std::vector<uint64_t> reaped;
  std::function<void(uint64_t)> on_each;
};

TEST_P(EventLoopTest, ReapsInOrderAndInSlices) {
  ReapRecorder recorder;
  constexpr uint64_t kMany = 5000;
  for (uint64_t i = 0; i < kMany; ++i) loop_->reap_later(&recorder, i);
  size_t before = 0;
  while (recorder.reaped.size() < kMany) {
    loop_->run_once();  // does not wait while there is something to reap
    EXPECT_LE(recorder.reaped.size() - before, 1024u);
    ASSERT_GT(recorder.reaped.size(), before);
    before = recorder.reaped.size();
  }
  for (uint64_t i = 0; i < kMany; ++i) ASSERT_EQ(recorder.reaped[i], i);
  EXPECT_EQ(loop_->stats().reaped, kMany);
}

// A clock of which each closing takes ten microseconds: five of them are a slice.
TEST_P(EventLoopTest, ReapsNoLongerThanASlice) {
  struct CostlyClock final : Clock {
    TimePoint time{Seconds(1)};
    TimePoint now() override { return time; }
    int64_t unix_us() override { return 0; }
  } clock;
  loop_ = EventLoop::create({.backend = GetParam(), .clock = &clock}).value();
  ReapRecorder recorder;
  recorder.on_each = [&](uint64_t) { clock.time += Microseconds(10); };
  for (uint64_t i = 0; i < 17; ++i) loop_->reap_later(&recorder, i);
  std::vector<size_t> pending;
  while (loop_->reaps_pending() > 0) {
    loop_->run_once();
    pending.push_back(loop_->reaps_pending());
  }
  EXPECT_EQ(pending, (std::vector<size_t>{12, 7, 2, 0}));
  recorder.on_each = [&](uint64_t) { clock.time += Milliseconds(5); };
  for (uint64_t i = 0; i < 3; ++i) loop_->reap_later(&recorder, i);
  loop_->run_once();
  EXPECT_EQ(loop_->reaps_pending(), 2u) << "at least one";
}

TEST_P(EventLoopTest, WhatIsReapedMayReapMore) {
  ReapRecorder recorder;
  recorder.on_each = [&](uint64_t token) {
    if (token < 3) loop_->reap_later(&recorder, token + 1);
  };
  loop_->reap_later(&recorder, 0);
  for (int i = 0; i < 5; ++i) tick();
  EXPECT_EQ(recorder.reaped, (std::vector<uint64_t>{0, 1, 2, 3}));
}

TEST_P(EventLoopTest, RunningWithinATickAborts) {
  loop_->post([&] { EXPECT_DEATH(loop_->run_once(), "assertion failed"); });
  tick();
}

TEST_P(EventLoopTest, TheClockStandsStillWithinATick) {
  TimePoint first;
  loop_->after_sleep([&] { first = loop_->now(); });
  loop_->post([&] { EXPECT_EQ(loop_->now(), first); });
  tick();
  EXPECT_NEAR(static_cast<double>(loop_->unix_us()), static_cast<double>(real_clock().unix_us()),
              1e6);
}

TEST(EventLoop, ALoopLeavesNoDescriptor) {
  const int before = real_os().reserve_descriptor().value();
  real_os().close(before);
  EventLoop::create().value().reset();
  const int after = real_os().reserve_descriptor().value();
  real_os().close(after);
  EXPECT_EQ(before, after);
}

}  // namespace
}  // namespace ae
