#include "ae/threads/loop_pool.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <cerrno>
#include <set>
#include <string>
#include <thread>

namespace ae {
namespace {

// Fails to be woken: its waker cannot be made.
class NoWakerOs final : public Os {
 public:
  Result<int> create_waker() override { return fail(EMFILE, "eventfd"); }
  Result<int> socket(int domain, int type, int p) override {
    return real_os().socket(domain, type, p);
  }
  Status bind(int fd, const Address& a) override { return real_os().bind(fd, a); }
  Status listen(int fd, int backlog) override { return real_os().listen(fd, backlog); }
  Result<int> accept(int fd) override { return real_os().accept(fd); }
  Result<int> connect(int fd, const Address& a) override { return real_os().connect(fd, a); }
  int pending_error(int fd) override { return real_os().pending_error(fd); }
  IoResult read(int fd, MutableBytes into) override { return real_os().read(fd, into); }
  IoResult write(int fd, Bytes from) override { return real_os().write(fd, from); }
  IoResult writev(int fd, std::span<const iovec> from) override {
    return real_os().writev(fd, from);
  }
  Status shutdown_write(int fd) override { return real_os().shutdown_write(fd); }
  void close(int fd) override { real_os().close(fd); }
  Status set_option(int fd, int l, int n, int v) override {
    return real_os().set_option(fd, l, n, v);
  }
  Result<int> get_option(int fd, int l, int n) override { return real_os().get_option(fd, l, n); }
  Result<Address> local_address(int fd) override { return real_os().local_address(fd); }
  Result<Address> peer_address(int fd) override { return real_os().peer_address(fd); }
  void wake(int fd) override { real_os().wake(fd); }
  void drain_waker(int fd) override { real_os().drain_waker(fd); }
  Result<int> reserve_descriptor() override { return real_os().reserve_descriptor(); }
};

TEST(LoopThread, SetUpRunAndTornDownOnItsOwnThread) {
  std::thread::id started, ran, stopped;
  {
    const auto thread =
        LoopThread::start({.on_start = [&](EventLoop&) { started = std::this_thread::get_id(); },
                           .on_stop = [&](EventLoop&) { stopped = std::this_thread::get_id(); }})
            .value();
    EXPECT_NE(started, std::thread::id()) << "on_start has run when start returns";
    thread->loop().post([&] {
      ran = std::this_thread::get_id();
      thread->loop().stop();
    });
    thread->join();
    EXPECT_EQ(started, ran);
    EXPECT_EQ(started, stopped);
    EXPECT_NE(started, std::this_thread::get_id());
    EXPECT_TRUE(thread->loop().post([] { FAIL() << "the loop has ended"; }));
  }
}

TEST(LoopThread, FailureToMakeTheLoopIsReturned) {
  NoWakerOs os;
  const auto thread = LoopThread::start({.loop = {.os = &os}});
  ASSERT_FALSE(thread.has_value());
  EXPECT_EQ(thread.error().code, EMFILE);
}

TEST(LoopThread, StopRightAfterStart) {
  for (int i = 0; i < 20; ++i) LoopThread::start().value()->stop();
}

// The counter is no atomic: that it may be read here is what hold() promises, and what
// ThreadSanitizer would contradict.
TEST(LoopThread, HoldStopsTheLoopUntilRelease) {
  uint64_t turns = 0;
  const auto thread = LoopThread::start({.on_start = [&](EventLoop& loop) {
                        loop.before_sleep([&] {
                          ++turns;
                          loop.wake_next_tick();
                        });
                      }}).value();
  for (int i = 0; i < 100; ++i) {
    thread->hold();
    const uint64_t before = turns;
    std::this_thread::yield();
    EXPECT_EQ(turns, before);
    turns += 1'000'000;
    thread->release();
    thread->call([&] { EXPECT_GE(turns, before + 1'000'000); });
  }
}

// Whoever watches SIGTERM would wait in vain, and the process end by the default action.
TEST(LoopThread, SignalsAreNotForIt) {
  sigset_t mine;
  sigset_t its;
  const auto thread = LoopThread::start().value();
  thread->call([&] { pthread_sigmask(SIG_BLOCK, nullptr, &its); });
  pthread_sigmask(SIG_BLOCK, nullptr, &mine);
  EXPECT_TRUE(sigismember(&its, SIGTERM));
  EXPECT_TRUE(sigismember(&its, SIGHUP));
  EXPECT_FALSE(sigismember(&its, SIGSEGV));
  EXPECT_FALSE(sigismember(&mine, SIGTERM));
}

TEST(LoopThread, CallRunsOnTheLoopsThreadAndReturnsWhenItHasRun) {
  const auto thread = LoopThread::start().value();
  std::thread::id where;
  thread->call([&] { where = std::this_thread::get_id(); });
  EXPECT_NE(where, std::thread::id());
  EXPECT_NE(where, std::this_thread::get_id());
}

TEST(LoopPool, NextGoesRoundAndEachIsAThreadOfItsOwn) {
  const auto pool =
      LoopPool::start(3, [](size_t i) {
        return LoopThreadOptions{.name = "io-" + std::to_string(i) + "-with-a-long-name"};
      }).value();
  EXPECT_EQ(pool->size(), 3u);
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(&pool->next(), &pool->at(i % 3));
  std::atomic<int> ran = 0;
  for (size_t i = 0; i < 300; ++i) {
    LoopThread& thread = pool->next();
    thread.loop().post([&] {
      if (++ran == 300) pool->at(0).loop().stop();
    });
  }
  pool->at(0).join();
  pool->stop();
  EXPECT_EQ(ran, 300);
}

TEST(LoopPool, LeastLoadedIsChosen) {
  const auto pool = LoopPool::start(3, [](size_t) { return LoopThreadOptions{}; }).value();
  pool->at(0).add_load(2);
  pool->at(1).add_load(1);
  pool->at(2).add_load(3);
  EXPECT_EQ(&pool->least_loaded(), &pool->at(1));
  pool->at(1).add_load(5);
  pool->at(2).remove_load(2);
  EXPECT_EQ(&pool->least_loaded(), &pool->at(2));
}

TEST(LoopPool, OneThatFailsStopsThoseBefore) {
  NoWakerOs os;
  std::atomic<int> stopped = 0;
  const auto pool = LoopPool::start(3, [&](size_t i) {
    LoopThreadOptions options{.on_stop = [&](EventLoop&) { ++stopped; }};
    if (i == 2) options.loop.os = &os;
    return options;
  });
  EXPECT_FALSE(pool.has_value());
  EXPECT_EQ(stopped, 2);
}

}  // namespace
}  // namespace ae
