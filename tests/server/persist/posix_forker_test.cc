// Real children: what they tell, how they end, what they keep open.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "server/persist/copied_memory.h"
#include "server/persist/forker.h"

namespace millrace {
namespace {

// Waits for the end; a test's deadline is its only limit.
Forker::Exit await(Forker& forker) {
  for (;;) {
    if (const auto exit = forker.take_exit()) return *exit;
    usleep(1000);
  }
}

TEST(PosixForker, TheChildTellsAndEnds) {
  const auto forker = make_posix_forker();
  EXPECT_FALSE(forker->take_exit());
  const auto pid = forker->fork(
      [](ChildReporter& reporter) {
        reporter.report({.keys_done = 1});
        reporter.report({.keys_done = 2, .copied_bytes = 3, .error = 4});
        return 7;
      },
      {});
  ASSERT_TRUE(pid);
  EXPECT_GT(*pid, 0);
  const Forker::Exit exit = await(*forker);
  EXPECT_EQ(exit.status, 7);
  EXPECT_EQ(exit.signal, 0);
  const auto report = forker->take_report();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->keys_done, 2u);
  EXPECT_EQ(report->copied_bytes, 3u);
  EXPECT_EQ(report->error, 4);
  EXPECT_FALSE(forker->take_report());
  EXPECT_FALSE(forker->take_exit());
}

TEST(PosixForker, ItCanBeKilledAndAnotherMade) {
  const auto forker = make_posix_forker();
  const auto sleep_long = [](ChildReporter&) {
    sleep(1000);
    return 0;
  };
  ASSERT_TRUE(forker->fork(sleep_long, {}));
  EXPECT_FALSE(forker->take_exit());
  forker->kill();
  EXPECT_EQ(await(*forker).signal, SIGKILL);
  ASSERT_TRUE(forker->fork(sleep_long, {})) << "and this one ends with the forker";
}

TEST(PosixForker, OnlyWhatItIsToldToKeepIsOpenInTheChild) {
  const auto forker = make_posix_forker();
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_TRUE(forker->fork(
      [&](ChildReporter&) {
        const bool kept = fcntl(ends[1], F_GETFD) >= 0;
        const bool closed = fcntl(other, F_GETFD) < 0 && fcntl(ends[0], F_GETFD) < 0;
        return kept && closed ? 0 : 1;
      },
      {ends[1]}));
  EXPECT_EQ(await(*forker).status, 0);
  for (const int fd : {ends[0], ends[1], other}) close(fd);
}

// Its end of the pipe closes when it ends.
TEST(PosixForker, TheChildGoesWithItsParent) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    auto forker = make_posix_forker();
    (void)forker->fork(
        [](ChildReporter&) {
          sleep(1000);
          return 0;
        },
        {ends[1]});
    kill(getpid(), SIGKILL);
  }
  close(ends[1]);
  ASSERT_EQ(waitpid(parent, nullptr, 0), parent);
  pollfd closed{.fd = ends[0], .events = 0, .revents = 0};
  EXPECT_EQ(poll(&closed, 1, 20'000), 1) << "the child lives on";
  close(ends[0]);
}

TEST(PosixForker, TerminationIsNotBlockedInTheChild) {
  sigset_t termination;
  sigset_t before;
  sigemptyset(&termination);
  sigaddset(&termination, SIGTERM);
  sigprocmask(SIG_BLOCK, &termination, &before);
  const auto forker = make_posix_forker();
  const auto pid = forker->fork(
      [](ChildReporter&) {
        sleep(1000);
        return 0;
      },
      {});
  ASSERT_TRUE(pid);
  ::kill(*pid, SIGTERM);
  EXPECT_EQ(await(*forker).signal, SIGTERM);
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

TEST(CopiedMemory, IsALineOfSmaps) {
  EXPECT_EQ(private_dirty_bytes("Rss: 1 kB\nPrivate_Dirty:      1234 kB\nReferenced: 5 kB\n"),
            1234u << 10);
  EXPECT_EQ(private_dirty_bytes("Rss: 1 kB\n"), 0u);
  EXPECT_EQ(private_dirty_bytes("Private_Dirty:"), 0u);
  EXPECT_GT(copied_bytes(), 0u);
}

}  // namespace
}  // namespace millrace
