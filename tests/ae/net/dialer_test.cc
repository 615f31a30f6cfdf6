#include "ae/net/dialer.h"

#include <gtest/gtest.h>

#include <map>

#include "ae/net/listener.h"
#include "ae/net/resolver.h"
#include "net_support.h"

namespace ae::test {
namespace {

// A port on which nobody listens.
Address refused_address() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const Address any = Address::loopback(0);
  ::bind(fd, any.data(), any.length());
  const Address address = *real_os().local_address(fd);
  ::close(fd);
  return address;
}

struct Listening {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  Address address;
  Listening() {
    const Address any = Address::loopback(0);
    EXPECT_EQ(::bind(fd, any.data(), any.length()), 0);
    EXPECT_EQ(::listen(fd, 8), 0);
    address = *real_os().local_address(fd);
  }
  ~Listening() { ::close(fd); }
};

struct Outcome {
  int calls = 0;
  int error = 0;
  int fd = -1;
  Dialer::Done done() {
    return [this](Result<int> result) {
      ++calls;
      error = result ? 0 : result.error().code;
      fd = result.value_or(-1);
    };
  }
  ~Outcome() {
    if (fd != -1) ::close(fd);
  }
};

class DialerTest : public ::testing::Test {
 protected:
  DialerTest() : wheel_({.scratch_bytes = 4096}), dialer_(*wheel_.loop, 1) {}
  Wheel wheel_;
  Dialer dialer_;
};

TEST_F(DialerTest, ConnectsNeverFromWithinDial) {
  Listening there;
  Outcome outcome;
  dialer_.dial({there.address}, {}, outcome.done());
  EXPECT_EQ(outcome.calls, 0);
  ASSERT_TRUE(wheel_.until([&] { return outcome.calls == 1; }));
  EXPECT_GE(outcome.fd, 0);
  EXPECT_EQ(*real_os().peer_address(outcome.fd), there.address);
  EXPECT_EQ(dialer_.under_way(), 0u);
  EXPECT_EQ(wheel_.loop->watched(), 0u);
}

TEST_F(DialerTest, TriesTheAddressesInTurn) {
  Listening there;
  Outcome outcome;
  dialer_.dial({refused_address(), *Address::parse("@ae-nobody-here", 0), there.address}, {},
               outcome.done());
  ASSERT_TRUE(wheel_.until([&] { return outcome.calls == 1; }));
  EXPECT_GE(outcome.fd, 0);
  EXPECT_EQ(dialer_.attempts(), 3u);
}

TEST_F(DialerTest, RoundsEndWithTheLastError) {
  Outcome outcome;
  dialer_.dial({refused_address()}, {.rounds = 3, .first_back_off = Milliseconds(1)},
               outcome.done());
  ASSERT_TRUE(wheel_.until([&] { return outcome.calls == 1; }));
  EXPECT_EQ(outcome.error, ECONNREFUSED);
  EXPECT_EQ(dialer_.attempts(), 3u);
  wheel_.spin(5);
  EXPECT_EQ(outcome.calls, 1);
}

TEST_F(DialerTest, ErrorBeforeConnectIsReportedToo) {
  Outcome outcome;
  wheel_.os.socket_error = EMFILE;
  dialer_.dial({refused_address()}, {}, outcome.done());
  EXPECT_EQ(outcome.calls, 0);
  ASSERT_TRUE(wheel_.until([&] { return outcome.calls == 1; }));
  EXPECT_EQ(outcome.error, EMFILE);
}

// A full backlog does not answer; the attempt's deadline does.
TEST_F(DialerTest, DeadlineOfAnAttempt) {
  const int silent = ::socket(AF_INET, SOCK_STREAM, 0);
  const Address any = Address::loopback(0);
  ::bind(silent, any.data(), any.length());
  ::listen(silent, 0);
  const Address address = *real_os().local_address(silent);
  std::vector<Peer> fill;
  for (int i = 0; i < 3; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    static_cast<void>(::connect(fd, address.data(), address.length()));
    fill.emplace_back(fd);
  }
  Outcome outcome;
  dialer_.dial({address}, {.attempt_timeout = Milliseconds(20)}, outcome.done());
  ASSERT_TRUE(wheel_.until([&] { return outcome.calls == 1; }));
  EXPECT_EQ(outcome.error, ETIMEDOUT);
  ::close(silent);
}

TEST_F(DialerTest, CancelInEveryPhaseCallsNobodyAndLeavesNothing) {
  const size_t descriptors = open_descriptors();
  Outcome outcome;
  const DialId connecting = dialer_.dial({refused_address()}, {.rounds = 0}, outcome.done());
  EXPECT_TRUE(dialer_.cancel(connecting));
  EXPECT_FALSE(dialer_.cancel(connecting));
  const DialId pausing = dialer_.dial(
      {refused_address()}, {.rounds = 0, .first_back_off = Seconds(100)}, outcome.done());
  wheel_.spin(4);
  EXPECT_TRUE(dialer_.cancel(pausing));
  wheel_.spin(4);
  EXPECT_EQ(outcome.calls, 0);
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_EQ(wheel_.loop->watched(), 0u);
}

TEST_F(DialerTest, DialAgainFromDone) {
  Listening there;
  Outcome second;
  int first_calls = 0;
  dialer_.dial({refused_address()}, {}, [&](Result<int>) {
    ++first_calls;
    dialer_.dial({there.address}, {}, second.done());
  });
  ASSERT_TRUE(wheel_.until([&] { return second.calls == 1; }));
  EXPECT_EQ(first_calls, 1);
  EXPECT_GE(second.fd, 0);
}

// An Os on which every connection ends up with itself.
class MirrorOs : public CountingOs {
 public:
  Result<Address> peer_address(int fd) override { return local_address(fd); }
};

TEST(DialerSelfConnectTest, CountsAsRefused) {
  MirrorOs os;
  LoopOptions options;
  options.os = &os;
  auto loop = std::move(*EventLoop::create(std::move(options)));
  Dialer dialer(*loop, 1);
  Listening there;
  Outcome outcome;
  dialer.dial({there.address}, {}, outcome.done());
  for (int i = 0; i < 1000 && outcome.calls == 0; ++i) loop->run_once(Milliseconds(5));
  EXPECT_EQ(outcome.error, ECONNREFUSED);
}

class HandClock : public Clock {
 public:
  TimePoint now() override { return now_; }
  int64_t unix_us() override { return 0; }
  TimePoint now_{Seconds(1)};
};

// The pauses double, stay within half and whole, and differ by seed.
TEST(DialerBackOffTest, DoublesWithJitter) {
  std::map<uint64_t, std::vector<Nanoseconds>> by_seed;
  for (uint64_t seed : {1, 2, 2}) {
    HandClock clock;
    LoopOptions options;
    options.clock = &clock;
    auto loop = std::move(*EventLoop::create(std::move(options)));
    Dialer dialer(*loop, seed);
    Outcome outcome;
    dialer.dial(
        {*Address::parse("@ae-nobody-here", 0)},  // fails within connect()
        {.rounds = 10, .first_back_off = Milliseconds(100), .most_back_off = Milliseconds(1600)},
        outcome.done());
    std::vector<Nanoseconds> pauses;
    TimePoint last = clock.now_;
    uint64_t attempts = 1;
    while (outcome.calls == 0) {
      clock.now_ += Milliseconds(1);
      loop->run_once(Nanoseconds::zero());
      if (dialer.attempts() == attempts) continue;
      attempts = dialer.attempts();
      pauses.push_back(clock.now_ - last);
      last = clock.now_;
    }
    ASSERT_EQ(pauses.size(), 9u);
    Nanoseconds whole = Milliseconds(100);
    for (const Nanoseconds pause : pauses) {
      EXPECT_GE(pause, whole / 2);
      EXPECT_LE(pause, whole + Milliseconds(2));
      whole = std::min<Nanoseconds>(whole * 2, Milliseconds(1600));
    }
    if (by_seed.contains(seed)) {
      EXPECT_EQ(by_seed[seed], pauses);  // the same seed, the same pauses
    }
    by_seed[seed] = pauses;
  }
  EXPECT_NE(by_seed[1], by_seed[2]);
}

// --- the resolver

TEST(ResolverTest, AnswersOnTheLoop) {
  Wheel wheel({.scratch_bytes = 4096});
  Resolver resolver(*wheel.loop);
  std::vector<Address> found;
  int error = 0, answers = 0;
  ASSERT_TRUE(resolver.resolve("localhost", 6379, [&](Result<std::vector<Address>> result) {
    ++answers;
    if (result) found = *result;
  }));
  ASSERT_TRUE(resolver.resolve("127.0.0.1", 1, [&](Result<std::vector<Address>> result) {
    ++answers;
    EXPECT_EQ(result->front().to_string(), "127.0.0.1:1");
  }));
  ASSERT_TRUE(resolver.resolve("no-such-host.invalid", 1, [&](Result<std::vector<Address>> result) {
    ++answers;
    error = result ? 0 : result.error().code;
  }));
  EXPECT_EQ(answers, 0);
  ASSERT_TRUE(wheel.until([&] { return answers == 3; }));
  ASSERT_FALSE(found.empty());
  EXPECT_TRUE(found[0].is_loopback());
  EXPECT_EQ(found[0].port(), 6379);
  EXPECT_TRUE(error == EHOSTUNREACH || error == EAGAIN) << error;
}

TEST(ResolverTest, CancelledAndDestroyedAnswerNobody) {
  Wheel wheel({.scratch_bytes = 4096});
  int answers = 0;
  const auto count = [&](Result<std::vector<Address>>) { ++answers; };
  {
    Resolver resolver(*wheel.loop);
    const auto question = resolver.resolve("127.0.0.1", 1, count);
    EXPECT_TRUE(resolver.cancel(*question));
    EXPECT_FALSE(resolver.cancel(*question));
    static_cast<void>(resolver.resolve("127.0.0.1", 1, count));
  }
  wheel.spin(5);
  EXPECT_EQ(answers, 0);
}

TEST(ResolverTest, QueueIsBounded) {
  Wheel wheel({.scratch_bytes = 4096});
  Resolver resolver(*wheel.loop);
  size_t taken = 0, answers = 0;
  for (size_t i = 0; i < 100'000; ++i) {
    if (!resolver.resolve("127.0.0.1", 1, [&](auto) { ++answers; })) break;
    ++taken;
  }
  EXPECT_GE(taken, Resolver::kMaxWaiting);
  EXPECT_TRUE(wheel.until([&] { return answers == taken; }));
}

TEST_F(DialerTest, FromASourceAddress) {
  Listening there;
  Outcome first, second;
  const Address source = *Address::parse("127.0.5.9", 0);
  dialer_.dial({there.address}, {.source = source}, first.done());
  ASSERT_TRUE(wheel_.until([&] { return first.calls == 1; }));
  ASSERT_GE(first.fd, 0);
  const Address local = *real_os().local_address(first.fd);
  EXPECT_EQ(local.host(), "127.0.5.9");
  EXPECT_NE(local.port(), 0);
  // A port of one's own choice is taken as it is: here one that is in use.
  dialer_.dial({there.address}, {.source = local}, second.done());
  ASSERT_TRUE(wheel_.until([&] { return second.calls == 1; }));
  EXPECT_EQ(second.error, EADDRINUSE);
}

}  // namespace
}  // namespace ae::test
