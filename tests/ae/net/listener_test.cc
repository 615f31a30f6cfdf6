#include "ae/net/listener.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "net_support.h"

namespace ae::test {
namespace {

int connect_to(const Address& address) {
  const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, address.data(), address.length()) == 0) return fd;
  ::close(fd);
  return -1;
}

class ListenerTest : public ::testing::Test {
 protected:
  ListenerTest() : wheel_({.scratch_bytes = 4096}) {}

  Listener& make(ListenerOptions options = {}) {
    listener_.emplace(
        *wheel_.loop,
        [this](int fd, uint32_t endpoint) {
          accepted_.emplace_back(endpoint, fd);
          order_ += 'a';
        },
        options);
    listener_->set_on_failure(
        [this](const Error& error, uint32_t) { errors_.push_back(error.code); });
    return *listener_;
  }
  ~ListenerTest() override {
    for (const auto& [endpoint, fd] : accepted_) ::close(fd);
  }

  Wheel wheel_;
  std::optional<Listener> listener_;
  std::vector<std::pair<uint32_t, int>> accepted_;
  std::vector<int> errors_;
  std::string order_;
};

TEST_F(ListenerTest, SeveralEndpointsOfEveryFamily) {
  const std::string path = "/tmp/ae_listener_test_" + std::to_string(::getpid());
  Listener& listener = make();
  const auto v4 = listener.listen(Address::loopback(0));
  const auto v6 = listener.listen(Address::loopback6(0));
  const auto local = listener.listen(*Address::parse(path, 0), {.unix_mode = 0700});
  const auto abstract = listener.listen(*Address::parse("@" + path, 0));
  ASSERT_TRUE(v4 && v6 && local && abstract);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  std::vector<Peer> peers;
  for (uint32_t endpoint : {*v4, *v6, *local, *abstract}) {
    const int fd = connect_to(*listener.address(endpoint));
    ASSERT_GE(fd, 0) << endpoint;
    peers.emplace_back(fd);
  }
  wheel_.until([&] { return accepted_.size() == 4; });
  std::sort(accepted_.begin(), accepted_.end());
  for (uint32_t i = 0; i < 4; ++i) {
    EXPECT_EQ(accepted_[i].first, i);
    EXPECT_NE(::fcntl(accepted_[i].second, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(accepted_[i].second, F_GETFD) & FD_CLOEXEC, 0);
  }
  listener.close(*local);
  EXPECT_NE(::stat(path.c_str(), &status), 0);
}

// Whoever waits in a backlog has been told that he is connected: closing it would reset him.
TEST_F(ListenerTest, ABacklogIsTakenBeforeItsEndpointCloses) {
  constexpr size_t kWaiting = 20;
  Listener& listener = make({.accepts_per_tick = 1});
  const auto endpoint = listener.listen(Address::loopback(0));
  ASSERT_TRUE(endpoint);
  std::vector<Peer> peers;
  while (peers.size() < kWaiting) peers.emplace_back(connect_to(*listener.address(*endpoint)));
  listener.accept_backlog(*endpoint);
  listener.close(*endpoint);
  ASSERT_EQ(accepted_.size(), kWaiting);
  EXPECT_EQ(errors_.size(), 0u);
  for (Peer& peer : peers) peer.send("x");  // none was reset
}

// "0.0.0.0" and "::" side by side on one port.
// IPv4 first: a free port of its is likely free in IPv6 as well, while on a machine that has served
// thousands of connections a free port of IPv6 is likely not free in IPv4.
TEST_F(ListenerTest, Ipv6DoesNotTakeIpv4) {
  Listener& listener = make();
  const auto v4 = listener.listen(*Address::parse("*", 0));
  ASSERT_TRUE(v4);
  const uint16_t port = listener.address(*v4)->port();
  EXPECT_TRUE(listener.listen(*Address::parse("::*", port)));
}

TEST_F(ListenerTest, StaleUnixSocketIsReplacedALiveOneAndAFileAreNot) {
  const std::string path = "/tmp/ae_listener_stale_" + std::to_string(::getpid());
  const Address address = *Address::parse(path, 0);
  {
    const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(::bind(dead, address.data(), address.length()), 0);
    ::close(dead);  // the file stays
  }
  Listener& listener = make();
  const auto endpoint = listener.listen(address);
  ASSERT_TRUE(endpoint);
  const auto second = listener.listen(address);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EADDRINUSE);
  EXPECT_STREQ(second.error().operation, "bind");
  listener.close(*endpoint);
  ::close(::open(path.c_str(), O_CREAT | O_WRONLY, 0600));
  EXPECT_FALSE(listener.listen(address));
  EXPECT_EQ(::unlink(path.c_str()), 0);  // still there
}

TEST_F(ListenerTest, ARelativePathHasItsModeAndIsUnlinkedToo) {
  const std::string path = "./ae_listener_relative_" + std::to_string(::getpid());
  Listener& listener = make();
  const auto endpoint = listener.listen(*Address::parse(path, 0), {.unix_mode = 0700});
  ASSERT_TRUE(endpoint);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  listener.close(*endpoint);
  EXPECT_NE(::stat(path.c_str(), &status), 0);
}

TEST_F(ListenerTest, BudgetPerTickAndEstablishedFirst) {
  Listener& listener = make({.accepts_per_tick = 3});
  const auto endpoint = listener.listen(Address::loopback(0));
  auto ends = wheel_.connect();
  Peer& peer = ends.second;
  wheel_.handler.data = [&](Connection, MutableBytes data) {
    order_ += 'd';
    return data.size();
  };
  std::vector<Peer> newcomers;
  for (int i = 0; i < 8; ++i) newcomers.emplace_back(connect_to(*listener.address(*endpoint)));
  peer.send("x");
  wheel_.spin(1);
  EXPECT_EQ(order_, "daaa");
  wheel_.spin(1);
  EXPECT_EQ(accepted_.size(), 6u);
  wheel_.spin(2);
  EXPECT_EQ(accepted_.size(), 8u);
}

// A clock that says ten microseconds more at each look.
struct WearyClock final : Clock {
  TimePoint time{Seconds(1)};
  TimePoint now() override { return time += Microseconds(10); }
  int64_t unix_us() override { return 0; }
};

TEST_F(ListenerTest, AcceptsNoLongerThanASlice) {
  WearyClock clock;
  LoopOptions options;
  options.clock = &clock;
  auto loop = std::move(*EventLoop::create(std::move(options)));
  size_t accepted = 0;
  Listener listener(*loop,
                    [&](int fd, uint32_t) {
                      ++accepted;
                      ::close(fd);
                    },
                    {.accept_slice = Microseconds(100)});
  const auto endpoint = listener.listen(Address::loopback(0));
  std::vector<Peer> newcomers;
  for (int i = 0; i < 25; ++i) newcomers.emplace_back(connect_to(*listener.address(*endpoint)));
  std::vector<size_t> after;
  while (accepted < 25) {
    loop->run_once(Nanoseconds::zero());
    after.push_back(accepted);
  }
  EXPECT_EQ(after, (std::vector<size_t>{10, 20, 25}));
}

// A hundred were dropped at once, and come back: those that are gone are closed first.
TEST_F(ListenerTest, NewcomersWaitForTheClosingOfTheGone) {
  struct Slow final : Reaper {
    void on_reap(uint64_t) override { ::usleep(100); }
  } slow;
  Listener& listener = make();
  const auto endpoint = listener.listen(Address::loopback(0));
  Peer newcomer(connect_to(*listener.address(*endpoint)));
  for (int i = 0; i < 100; ++i) wheel_.loop->reap_later(&slow, 0);
  while (accepted_.empty()) {
    wheel_.spin(1);
    ASSERT_TRUE(!accepted_.empty() || wheel_.loop->reaps_pending() > 60) << "waits too long";
  }
  EXPECT_LE(wheel_.loop->reaps_pending(), 64u);
  EXPECT_GT(wheel_.loop->reaps_pending(), 0u) << "some closings are everyday";
}

// The process has no descriptor left: an urgent listener with a reserve accepts all the same, and
// before an ordinary one refuses.
TEST_F(ListenerTest, AReserveLetsInWhenThereIsNoDescriptor) {
  DescriptorReserve reserve(wheel_.os);
  ASSERT_EQ(reserve.hold(2), 2u);
  Listener& ordinary = make();
  Listener lane(*wheel_.loop,
                [this](int fd, uint32_t) {
                  accepted_.emplace_back(100, fd);
                  order_ += 'L';
                },
                {.priority = Priority::kUrgent, .reserve = &reserve});
  const auto usual = ordinary.listen(Address::loopback(0));
  const auto reserved = lane.listen(Address::loopback(0));
  std::vector<Peer> peers;
  for (int i = 0; i < 3; ++i) {
    peers.emplace_back(connect_to(*ordinary.address(*usual)));
    peers.emplace_back(connect_to(*lane.address(*reserved)));
  }
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  rlimit tight = limit;
  const int highest = ::dup(0);
  ::close(highest);
  tight.rlim_cur = rlim_t(highest);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  wheel_.spin(2);
  EXPECT_EQ(order_, "LL") << "the third found the reserve empty";
  EXPECT_EQ(reserve.held(), 0u);
  EXPECT_EQ(lane.stats().refused, 1u);
  EXPECT_EQ(ordinary.stats().refused, 3u);
  ::close(accepted_.back().second);
  accepted_.pop_back();
  EXPECT_EQ(reserve.hold(2), 1u);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(reserve.hold(2), 2u);
  EXPECT_EQ(reserve.hold(0), 0u);
}

TEST_F(ListenerTest, ErrorOfOneNewcomerIsPassedOver) {
  Listener& listener = make();
  const auto endpoint = listener.listen(Address::loopback(0));
  Peer peer(connect_to(*listener.address(*endpoint)));
  wheel_.os.accept_error = ECONNABORTED;
  wheel_.spin(1);
  EXPECT_GT(listener.stats().failed, 0u);
  EXPECT_EQ(listener.stats().pauses, 0u);
  wheel_.os.accept_error = 0;
  wheel_.spin(2);
  EXPECT_EQ(accepted_.size(), 1u);
  EXPECT_TRUE(errors_.empty());
}

TEST_F(ListenerTest, BacksOffWithoutSpinning) {
  Listener& listener = make();
  const auto endpoint = listener.listen(Address::loopback(0));
  Peer peer(connect_to(*listener.address(*endpoint)));
  wheel_.os.accept_error = ENOBUFS;
  wheel_.spin(2);
  EXPECT_EQ(errors_, std::vector<int>{ENOBUFS});
  const uint64_t events = wheel_.loop->stats().events;
  wheel_.spin(5);
  EXPECT_EQ(wheel_.loop->stats().events, events);
  wheel_.os.accept_error = 0;
  EXPECT_TRUE(wheel_.until([&] { return accepted_.size() == 1; }));
}

// The real limit: newcomers are turned away at once, and taken again when there are descriptors.
TEST_F(ListenerTest, OutOfDescriptorsRefusesAndRecovers) {
  Listener& listener = make();
  const auto endpoint = listener.listen(Address::loopback(0));
  const Address address = *listener.address(*endpoint);
  std::vector<Peer> peers;
  for (int i = 0; i < 4; ++i) peers.emplace_back(connect_to(address));
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  rlimit tight = limit;
  const int highest = ::dup(0);  // the lowest free number: no descriptor beyond it
  ::close(highest);
  tight.rlim_cur = rlim_t(highest);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  wheel_.spin(2);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(accepted_.size(), 0u);
  EXPECT_EQ(listener.stats().refused, 4u);
  for (Peer& peer : peers) {
    peer.receive();
    EXPECT_TRUE(peer.ended() || peer.error() == ECONNRESET);
  }
  EXPECT_EQ(errors_, std::vector<int>{});  // turned away, nobody waits: no need to pause
  Peer later(connect_to(address));
  EXPECT_TRUE(wheel_.until([&] { return accepted_.size() == 1; }));
}

TEST_F(ListenerTest, StormBeyondTheRefusalsPauses) {
  Listener& listener = make();
  const auto endpoint = listener.listen(Address::loopback(0));
  Peer peer(connect_to(*listener.address(*endpoint)));
  wheel_.os.accept_error = EMFILE;  // also on the reserve descriptor
  wheel_.spin(3);
  EXPECT_EQ(errors_, std::vector<int>{EMFILE});
  EXPECT_EQ(listener.stats().pauses, 1u);
  wheel_.os.accept_error = 0;
  EXPECT_TRUE(wheel_.until([&] { return accepted_.size() == 1; }));
}

TEST_F(ListenerTest, PauseLeavesNewcomersInTheBacklog) {
  Listener& listener = make();
  const auto endpoint = listener.listen(Address::loopback(0));
  listener.pause();
  Peer peer(connect_to(*listener.address(*endpoint)));
  wheel_.spin(3);
  EXPECT_TRUE(accepted_.empty());
  listener.resume();
  EXPECT_TRUE(wheel_.until([&] { return accepted_.size() == 1; }));
}

TEST_F(ListenerTest, ReusePortAndExclusiveShareAPort) {
  Wheel other({.scratch_bytes = 4096});
  std::vector<int> elsewhere;
  Listener second(*other.loop, [&](int fd, uint32_t) { elsewhere.push_back(fd); });
  Listener& first = make();
  const auto a = first.listen(Address::loopback(0), {.sharing = PortSharing::kReusePort});
  const Address address = *first.address(*a);
  ASSERT_TRUE(second.listen(address, {.sharing = PortSharing::kReusePort}));
  std::vector<Peer> peers;
  for (int i = 0; i < 64; ++i) peers.emplace_back(connect_to(address));
  // A tick accepts for as long as its slice is, which on a slow machine is one.
  const auto spin_both_until = [&](size_t accepted) {
    for (int i = 0; i < 200 && accepted_.size() + elsewhere.size() < accepted; ++i) {
      wheel_.spin(1);
      other.spin(1);
    }
  };
  spin_both_until(64);
  EXPECT_EQ(accepted_.size() + elsewhere.size(), 64u);
  EXPECT_GT(accepted_.size(), 0u);
  EXPECT_GT(elsewhere.size(), 0u);

  const EndpointOptions exclusive{.sharing = PortSharing::kExclusive};
  const int shared = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const Address any = Address::loopback(0);
  ::bind(shared, any.data(), any.length());
  ::listen(shared, 16);
  const Address there = *real_os().local_address(shared);
  ASSERT_TRUE(second.adopt(::dup(shared), exclusive));
  ASSERT_TRUE(first.adopt(shared, exclusive));
  peers.emplace_back(connect_to(there));
  spin_both_until(65);
  EXPECT_EQ(accepted_.size() + elsewhere.size(), 65u);
  for (int fd : elsewhere) ::close(fd);
}

TEST_F(ListenerTest, NothingIsLeft) {
  const size_t before = open_descriptors();
  {
    Listener& listener = make();
    ASSERT_TRUE(listener.listen(Address::loopback(0)));
    EXPECT_FALSE(listener.listen(*Address::parse("/nonexistent/dir/sock", 0)));
    listener_.reset();
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(wheel_.loop->watched(), 0u);
}

TEST(ListenerNumbers, TheNumberOfAClosedEndpointIsGivenAway) {
  auto loop = EventLoop::create().value();
  Listener listener(*loop, [&](int fd, uint32_t) { loop->os().close(fd); });
  const Address anywhere = *Address::parse("127.0.0.1", 0);
  const uint32_t first = listener.listen(anywhere).value();
  const uint32_t second = listener.listen(anywhere).value();
  EXPECT_NE(first, second);
  listener.close(first);
  EXPECT_EQ(listener.listen(anywhere).value(), first);
  EXPECT_TRUE(listener.address(second).has_value());
}

}  // namespace
}  // namespace ae::test
