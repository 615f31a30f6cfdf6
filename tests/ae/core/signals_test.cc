#include "ae/core/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

namespace ae {
namespace {

TEST(SignalSet, SignalsBecomeCallbacks) {
  const auto loop = EventLoop::create().value();
  std::vector<int> got;
  SignalSet signals(*loop, {SIGUSR1, SIGUSR2}, [&](int signal) {
    got.push_back(signal);
    if (signal == SIGUSR2) loop->stop();
  });
  ::raise(SIGUSR1);  // would end the process, were it not blocked
  loop->run_once();
  ::kill(::getpid(), SIGUSR2);
  loop->run();
  EXPECT_EQ(got, (std::vector{SIGUSR1, SIGUSR2}));
}

TEST(SignalSet, TheMaskIsRestored) {
  sigset_t before, during, after;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &before);
  {
    const auto loop = EventLoop::create().value();
    SignalSet signals(*loop, {SIGUSR1}, [](int) {});
    ::pthread_sigmask(SIG_BLOCK, nullptr, &during);
  }
  ::pthread_sigmask(SIG_BLOCK, nullptr, &after);
  EXPECT_EQ(sigismember(&before, SIGUSR1), 0);
  EXPECT_EQ(sigismember(&during, SIGUSR1), 1);
  EXPECT_EQ(sigismember(&after, SIGUSR1), 0);
}

}  // namespace
}  // namespace ae
