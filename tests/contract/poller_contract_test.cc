// The contract suite over the pollers that sit on this kernel, and what only a real one can show.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <thread>

#include "ae/base/clock.h"
#include "tests/contract/poller_contract.h"
#include "tests/contract/real_sockets.h"

namespace ae::contract {
namespace {

template <Backend backend>
class RealWorld final : public PollerWorld {
 public:
  Poller& poller() override { return *poller_; }
  Os& os() override { return real_os(); }
  std::pair<int, int> connected_pair() override { return tcp_pair(); }
  void reset(int fd) override { close_with_reset(fd); }
  TimePoint now() override { return real_clock().now(); }
  bool tells_hang_up() const override { return backend != Backend::kSelect; }

 private:
  std::unique_ptr<Poller> poller_ = create_poller(backend).value();
};

template <Backend backend>
std::unique_ptr<PollerWorld> make_world() {
  return std::make_unique<RealWorld<backend>>();
}

// io_uring where this build has it and this kernel allows it.
std::vector<PollerSubject> real_pollers() {
  std::vector<PollerSubject> subjects = {{"epoll", make_world<Backend::kEpoll>},
                                         {"poll", make_world<Backend::kPoll>},
                                         {"select", make_world<Backend::kSelect>}};
  if (create_poller(Backend::kIoUring)) {
    subjects.push_back({"io_uring", make_world<Backend::kIoUring>});
  }
  return subjects;
}

INSTANTIATE_TEST_SUITE_P(Real, PollerContract, ::testing::ValuesIn(real_pollers()), subject_name);

class RealPoller : public ::testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    Result<std::unique_ptr<Poller>> created = create_poller(GetParam());
    if (!created) GTEST_SKIP() << created.error().message();
    poller_ = std::move(*created);
  }
  std::unique_ptr<Poller> poller_;
};

std::string name_of(const ::testing::TestParamInfo<Backend>& info) {
  const char* const names[] = {"epoll", "poll", "select", "io_uring"};
  return names[static_cast<size_t>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(All, RealPoller,
                         ::testing::Values(Backend::kEpoll, Backend::kPoll, Backend::kSelect,
                                           Backend::kIoUring),
                         name_of);

TEST_P(RealPoller, NamesRoundTrip) {
  EXPECT_EQ(parse_backend(poller_->name()), GetParam());
}

volatile sig_atomic_t alarms = 0;

TEST_P(RealPoller, AnInterruptedWaitIsSuccessWithoutEvents) {
  struct sigaction action {};
  action.sa_handler = [](int) { alarms = alarms + 1; };  // no SA_RESTART
  struct sigaction before;
  ASSERT_EQ(::sigaction(SIGALRM, &action, &before), 0);
  alarms = 0;
  // Again and again: the first alarm may come before the wait has begun.
  const itimerval often{.it_interval = {0, 2000}, .it_value = {0, 2000}};
  const itimerval never{};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &often, nullptr), 0);
  // The kernel may interrupt a wait for work of its own, too: that of a ring which another test has
  // closed. And ThreadSanitizer keeps the handler back until a call it knows, setitimer below.
  constexpr int kMostWaits = 50;
  std::array<ReadyEvent, 4> out;
  for (int i = 0; i < kMostWaits && alarms == 0; ++i) {
    const Result<size_t> count = poller_->wait(out, std::nullopt);
    ASSERT_TRUE(count.has_value()) << count.error().message();
    EXPECT_EQ(*count, 0u);
  }
  ::setitimer(ITIMER_REAL, &never, nullptr);
  EXPECT_GT(alarms, 0);
  ::sigaction(SIGALRM, &before, nullptr);
}

TEST(SelectPoller, DescriptorsBeyondItsSetsAreErange) {
  rlimit limit;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_cur <= FD_SETSIZE) GTEST_SKIP() << "no such descriptor here";
  const int high = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, FD_SETSIZE);
  ASSERT_GE(high, FD_SETSIZE);
  const auto poller = create_poller(Backend::kSelect).value();
  const Status added = poller->add(high, Events::kReadable, Trigger::kLevel, 1);
  ASSERT_FALSE(added.has_value());
  EXPECT_EQ(added.error().code, ERANGE);
  EXPECT_EQ(poller->remove(high).error().code, ENOENT);
  ::close(high);
}

TEST(EpollPoller, AClosedDescriptorIsEbadf) {
  const auto [near, far] = tcp_pair();
  ::close(near);
  const auto poller = create_poller(Backend::kEpoll).value();
  EXPECT_EQ(poller->add(near, Events::kReadable, Trigger::kLevel, 1).error().code, EBADF);
  ::close(far);
}

// True while the thread is inside epoll_wait.
bool waits_in_epoll(pid_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/syscall");
  long number = -1;
  file >> number;  // "running" while it is not in the kernel
  return number == SYS_epoll_wait;
}

// The thundering herd: several threads wait for one listener, and one connection arrives. How many
// wake? Returns that number.
int threads_woken_by_one_connection(Trigger trigger) {
  constexpr size_t kThreads = 4;
  constexpr uint64_t kListener = 1, kEnough = 2;
  Os& os = real_os();
  const int listener = os.socket(AF_INET, SOCK_STREAM, 0).value();
  AE_ASSERT(os.bind(listener, Address::loopback(0)) && os.listen(listener, 16));
  const int enough = os.create_waker().value();

  std::atomic<size_t> woken = 0;
  std::array<std::atomic<pid_t>, kThreads> ids{};
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const auto poller = create_poller(Backend::kEpoll).value();
      AE_ASSERT(poller->add(listener, Events::kReadable, trigger, kListener));
      AE_ASSERT(poller->add(enough, Events::kReadable, Trigger::kLevel, kEnough));
      ids[i] = static_cast<pid_t>(::syscall(SYS_gettid));
      std::array<ReadyEvent, 2> out;
      const size_t count = poller->wait(out, std::nullopt).value();
      // Who comes out for `enough` finds the listener ready too: only one that found it alone was
      // woken by it.
      if (count == 1 && out[0].token == kListener) ++woken;
    });
  }
  const auto asleep = [&] {
    return static_cast<size_t>(std::count_if(
        ids.begin(), ids.end(), [](const auto& id) { return id != 0 && waits_in_epoll(id); }));
  };
  while (asleep() < kThreads) std::this_thread::yield();
  const int client = os.socket(AF_INET, SOCK_STREAM, 0).value();
  AE_ASSERT(os.connect(client, os.local_address(listener).value()));
  // Who was woken counts itself; who was not still waits.
  while (woken == 0 || woken + asleep() < kThreads) std::this_thread::yield();
  const int result = static_cast<int>(woken);
  os.wake(enough);
  for (std::thread& thread : threads) thread.join();
  for (int fd : {client, enough, listener}) os.close(fd);
  return result;
}

TEST(EpollPoller, ExclusiveWakesOneWhereLevelWakesTheHerd) {
  EXPECT_EQ(threads_woken_by_one_connection(Trigger::kExclusive), 1);
  EXPECT_GT(threads_woken_by_one_connection(Trigger::kLevel), 1);
}

}  // namespace
}  // namespace ae::contract
