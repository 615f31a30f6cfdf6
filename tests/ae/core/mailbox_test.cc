// The queue alone, then the queue with a loop that really sleeps. Built with ThreadSanitizer too.
#include "ae/core/mailbox.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "ae/core/event_loop.h"

namespace ae {
namespace {

class MailboxTest : public ::testing::Test {
 protected:
  ~MailboxTest() override { real_os().close(waker_); }

  bool waker_written() {
    uint64_t count = 0;
    return real_os().read(waker_, {reinterpret_cast<char*>(&count), sizeof(count)}).status ==
           IoStatus::kOk;
  }

  int waker_ = real_os().create_waker().value();
  WakeGate gate_{real_os(), waker_};
};

TEST_F(MailboxTest, RunsInOrderOfPosting) {
  Mailbox mailbox(8, gate_);
  std::vector<int> ran;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(mailbox.post([&ran, i] { ran.push_back(i); }));
  EXPECT_EQ(mailbox.run(), 5u);
  EXPECT_EQ(ran, (std::vector{0, 1, 2, 3, 4}));
  EXPECT_EQ(mailbox.run(), 0u);
}

TEST_F(MailboxTest, FullIsRefusedAndRoomComesBack) {
  Mailbox mailbox(4, gate_);
  int runs = 0;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(mailbox.post([&runs] { ++runs; }));
    EXPECT_FALSE(mailbox.post([&runs] { ++runs; }));
    EXPECT_EQ(mailbox.run(), 4u);
  }
  EXPECT_EQ(runs, 40);
}

TEST_F(MailboxTest, ATaskThatPostsItselfRunsOnceARound) {
  Mailbox mailbox(4, gate_);
  int runs = 0;
  std::function<void()> task = [&] {
    ++runs;
    mailbox.post([&task] { task(); });
  };
  mailbox.post([&task] { task(); });
  EXPECT_EQ(mailbox.run(), 4u) << "bounded by the ring";
  EXPECT_EQ(runs, 4);
}

TEST_F(MailboxTest, TasksThatNeverRanAreDestroyed) {
  auto owned = std::make_shared<int>();
  {
    Mailbox mailbox(4, gate_);
    mailbox.post([owned] {});
    EXPECT_EQ(owned.use_count(), 2);
  }
  EXPECT_EQ(owned.use_count(), 1);
}

TEST_F(MailboxTest, TheWakerIsWrittenOnlyForASleeper) {
  Mailbox mailbox(8, gate_);
  mailbox.post([] {});
  EXPECT_FALSE(waker_written()) << "awake: it will look before it sleeps";
  EXPECT_FALSE(gate_.try_sleep()) << "there is mail";
  gate_.wake_up();
  mailbox.run();
  ASSERT_TRUE(gate_.try_sleep());
  mailbox.post([] {});
  EXPECT_TRUE(waker_written());
  mailbox.post([] {});
  EXPECT_FALSE(waker_written()) << "one write for one sleep";
}

// Producers against a loop that sleeps whenever it can: a wake that gets lost hangs this test.
TEST(Mailbox, ManyProducersLoseNothingAndKeepTheirOrder) {
  constexpr int kProducers = 4, kTasksEach = 5000;
  const auto loop = EventLoop::create({.mailbox_capacity = 64}).value();
  std::vector<int> next(kProducers, 0);
  int ran = 0;
  bool ordered = true;
  std::vector<std::thread> producers;
  for (int producer = 0; producer < kProducers; ++producer) {
    producers.emplace_back([&, producer] {
      for (int i = 0; i < kTasksEach; ++i) {
        const auto task = [&, producer, i] {
          ordered &= next[static_cast<size_t>(producer)]++ == i;
          if (++ran == kProducers * kTasksEach) loop->stop();
        };
        while (!loop->post(task)) std::this_thread::yield();
      }
    });
  }
  loop->run();
  for (std::thread& producer : producers) producer.join();
  EXPECT_TRUE(ordered);
  EXPECT_EQ(ran, kProducers * kTasksEach);
  EXPECT_EQ(loop->stats().mailbox_items, uint64_t{kProducers} * kTasksEach);
}

// Two loops throw one ball back and forth: each sleeps at every turn, which is where the race
// lives.
TEST(Mailbox, PingPongBetweenTwoSleepers) {
  constexpr int kTurns = 5000;
  const auto here = EventLoop::create().value();
  const auto there = EventLoop::create().value();
  std::thread other([&] { there->run(); });
  int turns = 0;
  std::function<void()> serve = [&] {
    there->post([&] {
      here->post([&] {
        if (++turns < kTurns) return serve();
        there->stop();
        here->stop();
      });
    });
  };
  serve();
  here->run();
  other.join();
  EXPECT_EQ(turns, kTurns);
}

}  // namespace
}  // namespace ae
