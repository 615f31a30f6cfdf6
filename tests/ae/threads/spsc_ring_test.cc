#include "ae/threads/spsc_ring.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "ae/base/prng.h"
#include "ae/threads/loop_thread.h"

namespace ae {
namespace {

TEST(SpscRing, FirstInFirstOutUpToItsCapacity) {
  SpscRing<int> ring(3);
  EXPECT_EQ(ring.capacity(), 4u);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring.push(i));
    EXPECT_FALSE(ring.push(99));
    for (int i = 0; i < 4; ++i) {
      ASSERT_NE(ring.front(), nullptr);
      EXPECT_EQ(*ring.front(), i);
      ring.pop();
    }
    EXPECT_EQ(ring.front(), nullptr);
  }
}

TEST(SpscRing, ARefusedElementStaysWithItsOwner) {
  SpscRing<std::unique_ptr<int>> ring(1);
  EXPECT_TRUE(ring.push(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(ring.push(std::move(second)));
  ASSERT_NE(second, nullptr);
}

TEST(SpscRing, PoppedElementsAreLetGo) {
  SpscRing<std::shared_ptr<int>> ring(4);
  auto element = std::make_shared<int>();
  ring.push(element);
  EXPECT_EQ(element.use_count(), 2);
  ring.front();
  ring.pop();
  EXPECT_EQ(element.use_count(), 1);
}

// Both ends meet full and empty, some hundreds of times; each time costs a turn of the scheduler.
TEST(SpscRing, TwoThreads) {
  constexpr uint64_t kElements = 100000;
  SpscRing<uint64_t> ring(256);
  std::thread producer([&] {
    for (uint64_t i = 0; i < kElements; ++i) {
      while (!ring.push(i)) std::this_thread::yield();
    }
  });
  for (uint64_t expected = 0; expected < kElements;) {
    const uint64_t* element = ring.front();
    if (element == nullptr) {
      std::this_thread::yield();
      continue;
    }
    ASSERT_EQ(*element, expected++);
    ring.pop();
  }
  producer.join();
}

// The way the IO threads use it: batches to a loop that sleeps when it has nothing to do, and back.
// A wake that gets lost hangs this test.
TEST(SpscRing, BetweenTwoLoopsThatSleep) {
  constexpr int kBatches = 20000;
  SpscRing<int> there(8), back(8);
  const auto here = EventLoop::create().value();
  auto thread = LoopThread::start({.on_start = [&](EventLoop& loop) {
                  loop.after_sleep([&] {
                    bool answered = false;
                    while (const int* batch = there.front()) {
                      AE_ASSERT(back.push(*batch));
                      there.pop();
                      answered = true;
                    }
                    if (answered) here->wake();
                  });
                }}).value();
  Prng random(1);
  int sent = 0, received = 0;
  const auto send_some = [&] {
    // At most eight under way, so `back` has room for each answer.
    for (uint64_t i = 1 + random.below(8); i > 0 && sent < kBatches && sent - received < 8; --i) {
      AE_ASSERT(there.push(sent));
      ++sent;
    }
    thread->loop().wake();
  };
  here->after_sleep([&] {
    while (const int* batch = back.front()) {
      ASSERT_EQ(*batch, received++);
      back.pop();
    }
    if (received == kBatches) return here->stop();
    send_some();
  });
  send_some();
  here->run();
  EXPECT_EQ(received, kBatches);
}

}  // namespace
}  // namespace ae
