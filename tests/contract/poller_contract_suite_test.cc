// The promises of poller.h, one test each. Which pollers they run over is said where the suite is
// instantiated: poller_contract_test.cc, sim_poller_contract_test.cc.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>

#include "tests/contract/poller_contract.h"

namespace ae::contract {
namespace {

TEST_P(PollerContract, NothingReadyIsNoEventAndNoWait) {
  EXPECT_TRUE(wait_now().empty());
  auto [near, far] = pair();
  add(near, Events::kReadable, 7);
  EXPECT_TRUE(wait_now().empty());
}

TEST_P(PollerContract, TimeoutIsNeverEarly) {
  auto [near, far] = pair();
  add(near, Events::kReadable, 7);
  for (const Nanoseconds timeout : {Nanoseconds(Microseconds(300)), Nanoseconds(Milliseconds(3)),
                                    Nanoseconds(Microseconds(2100))}) {
    // An interrupted wait may end early, and a process whose last io_uring was closed a moment ago
    // is interrupted by the kernel's own clean-up. So one of three must be uninterrupted.
    Nanoseconds longest{0};
    for (int attempt = 0; attempt < 3 && longest < timeout; ++attempt) {
      const TimePoint start = now();
      EXPECT_TRUE(wait(timeout).empty());
      longest = now() - start;
    }
    EXPECT_GE(longest.count(), timeout.count());
  }
}

TEST_P(PollerContract, ReadableCarriesTheToken) {
  auto [near, far] = pair();
  const uint64_t token = 0xfedcba9876543210;
  add(near, Events::kReadable, token);
  send(far, "x");
  const auto fetched = wait_for_something();
  ASSERT_EQ(fetched.size(), 1u);
  EXPECT_EQ(fetched.at(token), Events::kReadable);
}

TEST_P(PollerContract, LevelIsDeliveredAgainUntilDrained) {
  auto [near, far] = pair();
  add(near, Events::kReadable, 1);
  send(far, "abc");
  for (const char* expected : {"a", "b", "c"}) {
    ASSERT_EQ(wait_for_something().count(1), 1u) << expected;
    EXPECT_EQ(receive(near, 1), expected);
  }
  EXPECT_TRUE(wait_now().empty());
  send(far, "d");
  EXPECT_EQ(wait_for_something().count(1), 1u);
}

TEST_P(PollerContract, BytesThatCameBeforeTheRegistrationAreReported) {
  auto [near, far] = pair();
  send(far, "early");
  add(near, Events::kReadable, 1);
  EXPECT_EQ(wait_for_something().count(1), 1u);
}

TEST_P(PollerContract, WritableAtOnceAndAgain) {
  auto [near, far] = pair();
  add(near, Events::kWritable, 1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(wait_for_something()[1], Events::kWritable);
}

TEST_P(PollerContract, OnlyWhatWasAskedFor) {
  auto [near, far] = pair();
  send(far, "x");
  add(near, Events::kWritable, 1);
  EXPECT_EQ(wait_for_something()[1], Events::kWritable);
  modify(near, Events::kReadable, 1);
  EXPECT_EQ(wait_for_something()[1], Events::kReadable);
  modify(near, Events::kReadWrite, 1);
  EXPECT_EQ(wait_for_something()[1], Events::kReadWrite);
}

TEST_P(PollerContract, WritableWhenThePeerHasMadeRoom) {
  auto [near, far] = pair();
  fill(near);
  add(near, Events::kWritable, 1);
  EXPECT_TRUE(wait_now().empty());
  drain(far);
  EXPECT_EQ(wait_for_something()[1], Events::kWritable);
}

TEST_P(PollerContract, ModifyChangesTheToken) {
  auto [near, far] = pair();
  add(near, Events::kReadable, 1);
  send(far, "x");
  EXPECT_EQ(wait_for_something().count(1), 1u);
  modify(near, Events::kReadable, 2);
  const auto fetched = wait_for_something();
  EXPECT_EQ(fetched.size(), 1u);
  EXPECT_EQ(fetched.count(2), 1u);
}

TEST_P(PollerContract, RemoveSilences) {
  auto [near, far] = pair();
  add(near, Events::kReadWrite, 1);
  send(far, "x");
  EXPECT_EQ(wait_for_something().count(1), 1u);
  remove(near);
  EXPECT_TRUE(wait_now().empty());
  add(near, Events::kReadable, 2);
  EXPECT_EQ(wait_for_something().count(2), 1u);
}

TEST_P(PollerContract, RemoveBeforeTheFirstWait) {
  auto [near, far] = pair();
  send(far, "x");
  add(near, Events::kReadable, 1);
  remove(near);
  EXPECT_TRUE(wait_now().empty());
}

TEST_P(PollerContract, AddedTwiceIsEexist) {
  auto [near, far] = pair();
  add(near, Events::kReadable, 1);
  const Status again = poller().add(near, Events::kWritable, Trigger::kLevel, 2);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, EEXIST);
  send(far, "x");
  EXPECT_EQ(wait_for_something().count(1), 1u) << "the first registration stands";
}

TEST_P(PollerContract, UnknownDescriptorIsEnoent) {
  auto [near, far] = pair();
  Status result = poller().modify(near, Events::kReadable, Trigger::kLevel, 1);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ENOENT);
  result = poller().remove(near);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ENOENT);
  add(near, Events::kReadable, 1);
  remove(near);
  result = poller().remove(near);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ENOENT);
}

TEST_P(PollerContract, AReusedDescriptorNumberIsANewRegistration) {
  auto [near, far] = pair();
  add(near, Events::kReadable, 1);
  send(far, "old");
  EXPECT_EQ(wait_for_something().count(1), 1u);
  remove(near);
  close(near);
  close(far);
  auto [near2, far2] = pair();  // on Linux the same numbers
  add(near2, Events::kReadable, 2);
  EXPECT_TRUE(wait_now().empty());
  send(far2, "new");
  const auto fetched = wait_for_something();
  EXPECT_EQ(fetched.size(), 1u);
  EXPECT_EQ(fetched.count(2), 1u);
}

TEST_P(PollerContract, HalfCloseIsReadableAgainAndAgain) {
  auto [near, far] = pair();
  add(near, Events::kReadable, 1);
  ASSERT_TRUE(os().shutdown_write(far).has_value());
  for (int i = 0; i < 3; ++i) {
    const Events ready = wait_for_something()[1];
    EXPECT_TRUE(has(ready, Events::kReadable));
    EXPECT_EQ(has(ready, Events::kHalfClosed), tells_hang_up());
  }
}

TEST_P(PollerContract, HalfCloseDoesNotDisturbAWriter) {
  auto [near, far] = pair();
  fill(near);
  add(near, Events::kWritable, 1);
  ASSERT_TRUE(os().shutdown_write(far).has_value());
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(wait_now().empty()) << "it does not read, so it could never silence this";
  }
  drain(far);
  Events ready = Events::kNone;
  for (int i = 0; i < 100 && !any(ready); ++i) ready = wait_for_something()[1];
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ready & Events::kReadWrite, Events::kWritable);
    ready = wait_for_something()[1];
  }
}

TEST_P(PollerContract, ResetIsReadableAndWritable) {
  for (const Events interest : {Events::kReadable, Events::kWritable, Events::kReadWrite}) {
    auto [near, far] = pair();
    if (interest == Events::kWritable) fill(near);
    add(near, interest, 1);
    reset(far);
    const Events ready = wait_for_something()[1];
    EXPECT_TRUE(has(ready, tells_hang_up() ? Events::kReadWrite : interest))
        << "interest " << int(interest) << " ready " << int(ready);
    remove(near);
  }
}

TEST_P(PollerContract, HangUpIsReadableAndWritable) {
  auto [near, far] = pair();
  add(near, Events::kReadable, 1);
  ASSERT_TRUE(os().shutdown_write(near).has_value());
  close(far);
  // The two halves close one after the other: the last word is what counts.
  Events ready = Events::kNone;
  for (int i = 0; i < 100 && !has(ready, Events::kReadWrite); ++i) {
    ready = wait_for_something()[1];
    if (!tells_hang_up()) break;
  }
  EXPECT_TRUE(has(ready, tells_hang_up() ? Events::kReadWrite : Events::kReadable));
}

TEST_P(PollerContract, MoreReadyThanRoomStarvesNobody) {
  constexpr size_t kPairs = 10, kRoom = 3;
  for (size_t i = 0; i < kPairs; ++i) {
    auto [near, far] = pair();
    send(far, "x");
    add(near, Events::kReadable, i);
  }
  std::array<int, kPairs> seen{};
  // Nobody reads, so all stay ready. Twice as many waits as would do if turns were strict.
  for (size_t waits = 0; waits < 2 * (kPairs / kRoom + 1); ++waits) {
    const auto fetched = wait(Nanoseconds::zero(), kRoom);
    EXPECT_LE(fetched.size(), kRoom);
    for (const auto& [token, events] : fetched) ++seen[token];
  }
  for (size_t i = 0; i < kPairs; ++i) EXPECT_GT(seen[i], 0) << "starved: " << i;
}

// Of a few descriptors, whether they are registered or not, and whatever a wait would say.
TEST_P(PollerContract, LookTellsWhatIsReadyNow) {
  auto [near, far] = pair();
  auto [quiet, other] = pair();
  auto [broken, gone] = pair();
  add(near, Events::kReadable, 1);
  Poller::Look looks[] = {{near, Events::kReadable, Events::kNone},
                          {quiet, Events::kReadWrite, Events::kNone},
                          {broken, Events::kReadable, Events::kNone}};
  poller().look(looks);
  EXPECT_EQ(looks[0].ready, Events::kNone);
  EXPECT_EQ(looks[1].ready, Events::kWritable);
  send(far, "x");
  reset(gone);
  wait_for_something();
  for (Poller::Look& look : looks) look.ready = Events::kNone;
  poller().look(looks);
  EXPECT_EQ(looks[0].ready, Events::kReadable);
  EXPECT_TRUE(any(looks[2].ready & Events::kReadable));
  EXPECT_EQ(wait_for_something().count(1), 1u) << "a look takes nothing away";
}

TEST_P(PollerContract, ManyAtOnceEachOnce) {
  constexpr size_t kPairs = 60;
  std::vector<int> far_ends;
  for (size_t i = 0; i < kPairs; ++i) {
    auto [near, far] = pair();
    far_ends.push_back(far);
    add(near, Events::kReadable, i);
  }
  for (int far : far_ends) send(far, "x");
  // Bytes may still be on their way when the first wait returns.
  std::map<uint64_t, Events> all;
  for (int i = 0; i < 100 && all.size() < kPairs; ++i) all.merge(wait_for_something());
  EXPECT_EQ(all.size(), kPairs);
}

TEST_P(PollerContract, AWakerWakes) {
  const Result<int> waker = os().create_waker();
  ASSERT_TRUE(waker.has_value());
  add(*waker, Events::kReadable, 9);
  EXPECT_TRUE(wait_now().empty());
  os().wake(*waker);
  os().wake(*waker);
  EXPECT_EQ(wait_for_something().count(9), 1u);
  os().drain_waker(*waker);
  EXPECT_TRUE(wait_now().empty());
  remove(*waker);
  os().close(*waker);
}

TEST_P(PollerContract, UnsupportedTriggersAreRefused) {
  auto [near, far] = pair();
  EXPECT_TRUE(poller().supports(Trigger::kLevel));
  for (const Trigger trigger : {Trigger::kEdge, Trigger::kOneShot, Trigger::kExclusive}) {
    const Status added = poller().add(near, Events::kReadable, trigger, 1);
    EXPECT_EQ(added.has_value(), poller().supports(trigger));
    if (added) {
      remove(near);
    } else {
      EXPECT_EQ(added.error().code, ENOTSUP);
    }
  }
}

TEST_P(PollerContract, EdgeIsDeliveredOncePerArrival) {
  if (!poller().supports(Trigger::kEdge)) GTEST_SKIP() << "not supported";
  auto [near, far] = pair();
  send(far, "first");
  add(near, Events::kReadable, 1, Trigger::kEdge);
  EXPECT_EQ(wait_for_something().count(1), 1u) << "ready when it was added";
  EXPECT_TRUE(wait_now().empty()) << "not again, although nothing was read";
  send(far, "second");
  EXPECT_EQ(wait_for_something().count(1), 1u);
  EXPECT_TRUE(wait_now().empty());
  EXPECT_EQ(receive(near), "firstsecond");
}

TEST_P(PollerContract, EdgeIsReportedAnewAfterModify) {
  if (!poller().supports(Trigger::kEdge)) GTEST_SKIP() << "not supported";
  auto [near, far] = pair();
  add(near, Events::kReadable, 1, Trigger::kEdge);
  send(far, "x");
  EXPECT_EQ(wait_for_something().count(1), 1u);
  modify(near, Events::kReadable, 2, Trigger::kEdge);
  EXPECT_EQ(wait_for_something().count(2), 1u);
}

TEST_P(PollerContract, OneShotFiresOnceUntilArmedAgain) {
  if (!poller().supports(Trigger::kOneShot)) GTEST_SKIP() << "not supported";
  auto [near, far] = pair();
  add(near, Events::kReadable, 1, Trigger::kOneShot);
  send(far, "x");
  EXPECT_EQ(wait_for_something().count(1), 1u);
  send(far, "y");
  EXPECT_TRUE(wait_now().empty());
  modify(near, Events::kReadable, 2, Trigger::kOneShot);
  EXPECT_EQ(wait_for_something().count(2), 1u);
  EXPECT_TRUE(wait_now().empty());
  remove(near);
}

TEST_P(PollerContract, ExclusiveCanBeModifiedAndRemoved) {
  if (!poller().supports(Trigger::kExclusive)) GTEST_SKIP() << "not supported";
  auto [near, far] = pair();
  add(near, Events::kReadable, 1, Trigger::kExclusive);
  send(far, "x");
  EXPECT_EQ(wait_for_something().count(1), 1u);
  modify(near, Events::kReadWrite, 2, Trigger::kExclusive);
  EXPECT_EQ(wait_for_something()[2], Events::kReadWrite);
  remove(near);
  EXPECT_TRUE(wait_now().empty());
}

}  // namespace
}  // namespace ae::contract
