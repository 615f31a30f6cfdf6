// The contract suite over the simulated poller, and what the simulation adds.
#include <gtest/gtest.h>

#include <set>

#include "ae/sim/agenda.h"
#include "ae/sim/sim_os.h"
#include "ae/sim/sim_poller.h"
#include "tests/contract/poller_contract.h"

namespace ae::contract {
namespace {

class SimulatedWorld final : public PollerWorld {
 public:
  Poller& poller() override { return poller_; }
  Os& os() override { return os_; }
  std::pair<int, int> connected_pair() override {
    const Result<int> listener = os_.socket(AF_INET, SOCK_STREAM, 0);
    AE_ASSERT(os_.bind(*listener, Address::loopback(0)) && os_.listen(*listener, 1));
    const Result<int> dialled = os_.socket(AF_INET, SOCK_STREAM, 0);
    AE_ASSERT(os_.connect(*dialled, *os_.local_address(*listener)));
    const Result<int> accepted = os_.accept(*listener);
    os_.close(*listener);
    return {*accepted, *dialled};
  }
  void reset(int fd) override { os_.close_with_reset(fd); }
  TimePoint now() override { return clock_.now(); }

 private:
  sim::SimClock clock_;
  sim::Agenda agenda_{clock_};
  sim::SimOs os_;
  sim::SimPoller poller_{os_, agenda_, 1};
};

INSTANTIATE_TEST_SUITE_P(Simulated, PollerContract,
                         ::testing::Values(PollerSubject{
                             "sim",
                             []() -> std::unique_ptr<PollerWorld> {
                               return std::make_unique<SimulatedWorld>();
                             }}),
                         subject_name);

class SimPollerTest : public ::testing::Test {
 protected:
  using Tokens = std::vector<uint64_t>;

  int listen() {
    const int listener = *os_.socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_TRUE(os_.bind(listener, Address::loopback(6379)));
    EXPECT_TRUE(os_.listen(listener, 16));
    return listener;
  }
  static Tokens wait(sim::SimPoller& poller, std::optional<Nanoseconds> timeout = Nanoseconds(0)) {
    std::array<ReadyEvent, 64> out;
    const size_t count = *poller.wait(out, timeout);
    Tokens tokens;
    for (size_t i = 0; i < count; ++i) tokens.push_back(out[i].token);
    return tokens;
  }
  // The order in which 8 equally ready descriptors are reported.
  static Tokens order_under(uint64_t seed) {
    Bench world(seed);
    for (uint64_t token = 0; token < 8; ++token) {
      auto [fd, peer] = world.os.stream_pair();
      EXPECT_TRUE(world.poller.add(fd, Events::kWritable, Trigger::kLevel, token));
    }
    return wait(world.poller);
  }

  struct Bench {
    explicit Bench(uint64_t seed) : poller(os, agenda, seed) {}
    sim::SimClock clock;
    sim::Agenda agenda{clock};
    sim::SimOs os;
    sim::SimPoller poller;
  };

  sim::SimClock clock_;
  sim::Agenda agenda_{clock_};
  sim::SimOs os_;
  sim::SimPoller poller_{os_, agenda_, 1};
};

TEST_F(SimPollerTest, TheSeedIsTheOrder) {
  EXPECT_EQ(order_under(5), order_under(5));
  std::set<Tokens> orders;
  for (uint64_t seed = 0; seed < 20; ++seed) orders.insert(order_under(seed));
  EXPECT_GT(orders.size(), 15u);
}

TEST_F(SimPollerTest, WaitingTakesTheTimeUntilTheNextDeed) {
  auto [fd, peer] = os_.stream_pair();
  ASSERT_TRUE(poller_.add(fd, Events::kReadable, Trigger::kLevel, 7));
  agenda_.after(Milliseconds(30), [&peer = peer] { peer.send("x"); });
  agenda_.after(Milliseconds(50), [] { FAIL() << "the wait had ended before"; });
  const TimePoint start = clock_.now();
  EXPECT_TRUE(wait(poller_, Milliseconds(20)).empty());
  EXPECT_EQ(clock_.now() - start, Milliseconds(20));
  EXPECT_EQ(wait(poller_, std::nullopt), Tokens{7});
  EXPECT_EQ(clock_.now() - start, Milliseconds(30));
}

using SimPollerDeathTest = SimPollerTest;
TEST_F(SimPollerDeathTest, AWaitForNothingStopsTheProcess) {
  EXPECT_DEATH(wait(poller_, std::nullopt), "the wait ends: nothing is ready");
}

TEST_F(SimPollerTest, AnExclusiveWakeUpGoesToOnePoller) {
  sim::SimPoller second(os_, agenda_, 2);
  const int listener = listen();
  ASSERT_TRUE(poller_.add(listener, Events::kReadable, Trigger::kExclusive, 1));
  ASSERT_TRUE(second.add(listener, Events::kReadable, Trigger::kExclusive, 2));
  auto first_client = sim::SimPeer::dial(os_, Address::loopback(6379));
  EXPECT_EQ(wait(second), Tokens{2});
  EXPECT_TRUE(wait(poller_).empty());
  EXPECT_EQ(wait(second), Tokens{2}) << "the level is still up, and it was woken";
  auto second_client = sim::SimPeer::dial(os_, Address::loopback(6379));
  EXPECT_EQ(wait(poller_), Tokens{1}) << "a new wake-up, and it asked first";
}

TEST_F(SimPollerTest, ALevelWakesTheHerd) {
  sim::SimPoller second(os_, agenda_, 2);
  const int listener = listen();
  ASSERT_TRUE(poller_.add(listener, Events::kReadable, Trigger::kLevel, 1));
  ASSERT_TRUE(second.add(listener, Events::kReadable, Trigger::kLevel, 2));
  auto client = sim::SimPeer::dial(os_, Address::loopback(6379));
  EXPECT_EQ(wait(second), Tokens{2});
  EXPECT_EQ(wait(poller_), Tokens{1});
}

TEST_F(SimPollerTest, AWatchedDescriptorThatIsClosedIsAMisuse) {
  auto [fd, peer] = os_.stream_pair();
  ASSERT_TRUE(poller_.add(fd, Events::kReadable, Trigger::kLevel, 7));
  EXPECT_TRUE(os_.misuses().empty());
  os_.close(fd);
  EXPECT_EQ(os_.misuses().size(), 1u);
  EXPECT_EQ(poller_.registered(), 0u);
}

}  // namespace
}  // namespace ae::contract
