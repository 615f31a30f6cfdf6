// What every ae::Poller promises, as tests. One suite, run over each poller, the simulated included.
//
// To run it over a poller of yours, write a World and instantiate:
//
//   struct MyWorld {
//     static constexpr bool kTellsHangUp = true;     // false: errors show as what was asked for
//     ae::Poller& poller();
//     ae::Os& os();
//     std::pair<int, int> connected_pair();          // two ends of a stream, non-blocking
//     void reset(int fd);                            // closes it such that its peer gets ECONNRESET
//     ae::TimePoint now();                           // on the clock that the poller's timeouts follow
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(Mine, PollerContract, MyWorld);
//
// Pairs that a test opened are closed by the suite; the World outlives them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ae/base/clock.h"
#include "ae/core/os.h"
#include "ae/core/poller.h"

namespace ae::contract {


template <typename World>
class PollerContract : public ::testing::Test {
 protected:
  using Fetched = std::map<uint64_t, Events>;

  ~PollerContract() override {
    for (int fd : open_) world_.os().close(fd);
  }

  Poller& poller() { return world_.poller(); }
  Os& os() { return world_.os(); }

  std::pair<int, int> pair() {
    const std::pair<int, int> ends = world_.connected_pair();
    open_.push_back(ends.first);
    open_.push_back(ends.second);
    return ends;
  }
  void forget(int fd) { open_.erase(std::find(open_.begin(), open_.end(), fd)); }
  void close(int fd) {
    forget(fd);
    os().close(fd);
  }
  void reset(int fd) {
    forget(fd);
    world_.reset(fd);
  }

  void add(int fd, Events interest, uint64_t token, Trigger trigger = Trigger::kLevel) {
    const Status added = poller().add(fd, interest, trigger, token);
    ASSERT_TRUE(added.has_value()) << added.error().message();
  }
  void modify(int fd, Events interest, uint64_t token, Trigger trigger = Trigger::kLevel) {
    const Status modified = poller().modify(fd, interest, trigger, token);
    ASSERT_TRUE(modified.has_value()) << modified.error().message();
  }
  void remove(int fd) {
    const Status removed = poller().remove(fd);
    ASSERT_TRUE(removed.has_value()) << removed.error().message();
  }

  // One wait; no token may come twice in it.
  Fetched wait(std::optional<Nanoseconds> timeout, size_t room = 64) {
    std::vector<ReadyEvent> events(room);
    const Result<size_t> count = poller().wait(events, timeout);
    EXPECT_TRUE(count.has_value());
    Fetched fetched;
    for (size_t i = 0; i < count.value_or(0); ++i) {
      const bool fresh = fetched.emplace(events[i].token, events[i].events).second;
      EXPECT_TRUE(fresh) << "token " << events[i].token << " twice in one wait";
    }
    return fetched;
  }
  Fetched wait_now() { return wait(Nanoseconds::zero()); }
  // For what must come: as long as it takes, at most a generous bound.
  Fetched wait_for_something() { return wait(Seconds(10)); }

  void send(int fd, Bytes bytes) {
    const IoResult sent = os().write(fd, bytes);
    ASSERT_EQ(sent.status, IoStatus::kOk);
    ASSERT_EQ(sent.bytes, bytes.size());
  }
  std::string receive(int fd, size_t at_most = 1024) {
    std::string bytes(at_most, '\0');
    const IoResult got = os().read(fd, bytes);
    bytes.resize(got.status == IoStatus::kOk ? got.bytes : 0);
    return bytes;
  }
  // Writes until the kernel refuses.
  void fill(int fd) {
    const std::string block(64 * 1024, 'x');
    while (os().write(fd, block).status == IoStatus::kOk) {
    }
  }
  void drain(int fd) {
    while (!receive(fd, 64 * 1024).empty()) {
    }
  }

  static bool has(Events set, Events wanted) { return (set & wanted) == wanted; }

  World world_;

 private:
  std::vector<int> open_;
};

TYPED_TEST_SUITE_P(PollerContract);

TYPED_TEST_P(PollerContract, NothingReadyIsNoEventAndNoWait) {
  EXPECT_TRUE(this->wait_now().empty());
  auto [near, far] = this->pair();
  this->add(near, Events::kReadable, 7);
  EXPECT_TRUE(this->wait_now().empty());
}

TYPED_TEST_P(PollerContract, TimeoutIsNeverEarly) {
  auto [near, far] = this->pair();
  this->add(near, Events::kReadable, 7);
  for (const Nanoseconds timeout : {Nanoseconds(Microseconds(300)), Nanoseconds(Milliseconds(3)),
                                    Nanoseconds(Microseconds(2100))}) {
    const TimePoint start = this->world_.now();
    EXPECT_TRUE(this->wait(timeout).empty());
    EXPECT_GE((this->world_.now() - start).count(), timeout.count());
  }
}

TYPED_TEST_P(PollerContract, ReadableCarriesTheToken) {
  auto [near, far] = this->pair();
  const uint64_t token = 0xfedcba9876543210;
  this->add(near, Events::kReadable, token);
  this->send(far, "x");
  const auto fetched = this->wait_for_something();
  ASSERT_EQ(fetched.size(), 1u);
  EXPECT_EQ(fetched.at(token), Events::kReadable);
}

TYPED_TEST_P(PollerContract, LevelIsDeliveredAgainUntilDrained) {
  auto [near, far] = this->pair();
  this->add(near, Events::kReadable, 1);
  this->send(far, "abc");
  for (const char* expected : {"a", "b", "c"}) {
    ASSERT_EQ(this->wait_for_something().count(1), 1u) << expected;
    EXPECT_EQ(this->receive(near, 1), expected);
  }
  EXPECT_TRUE(this->wait_now().empty());
  this->send(far, "d");
  EXPECT_EQ(this->wait_for_something().count(1), 1u);
}

TYPED_TEST_P(PollerContract, BytesThatCameBeforeTheRegistrationAreReported) {
  auto [near, far] = this->pair();
  this->send(far, "early");
  this->add(near, Events::kReadable, 1);
  EXPECT_EQ(this->wait_for_something().count(1), 1u);
}

TYPED_TEST_P(PollerContract, WritableAtOnceAndAgain) {
  auto [near, far] = this->pair();
  this->add(near, Events::kWritable, 1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(this->wait_for_something()[1], Events::kWritable);
}

TYPED_TEST_P(PollerContract, OnlyWhatWasAskedFor) {
  auto [near, far] = this->pair();
  this->send(far, "x");
  this->add(near, Events::kWritable, 1);
  EXPECT_EQ(this->wait_for_something()[1], Events::kWritable);
  this->modify(near, Events::kReadable, 1);
  EXPECT_EQ(this->wait_for_something()[1], Events::kReadable);
  this->modify(near, Events::kReadWrite, 1);
  EXPECT_EQ(this->wait_for_something()[1], Events::kReadWrite);
}

TYPED_TEST_P(PollerContract, WritableWhenThePeerHasMadeRoom) {
  auto [near, far] = this->pair();
  this->fill(near);
  this->add(near, Events::kWritable, 1);
  EXPECT_TRUE(this->wait_now().empty());
  this->drain(far);
  EXPECT_EQ(this->wait_for_something()[1], Events::kWritable);
}

TYPED_TEST_P(PollerContract, ModifyChangesTheToken) {
  auto [near, far] = this->pair();
  this->add(near, Events::kReadable, 1);
  this->send(far, "x");
  EXPECT_EQ(this->wait_for_something().count(1), 1u);
  this->modify(near, Events::kReadable, 2);
  const auto fetched = this->wait_for_something();
  EXPECT_EQ(fetched.size(), 1u);
  EXPECT_EQ(fetched.count(2), 1u);
}

TYPED_TEST_P(PollerContract, RemoveSilences) {
  auto [near, far] = this->pair();
  this->add(near, Events::kReadWrite, 1);
  this->send(far, "x");
  EXPECT_EQ(this->wait_for_something().count(1), 1u);
  this->remove(near);
  EXPECT_TRUE(this->wait_now().empty());
  this->add(near, Events::kReadable, 2);
  EXPECT_EQ(this->wait_for_something().count(2), 1u);
}

TYPED_TEST_P(PollerContract, RemoveBeforeTheFirstWait) {
  auto [near, far] = this->pair();
  this->send(far, "x");
  this->add(near, Events::kReadable, 1);
  this->remove(near);
  EXPECT_TRUE(this->wait_now().empty());
}

TYPED_TEST_P(PollerContract, AddedTwiceIsEexist) {
  auto [near, far] = this->pair();
  this->add(near, Events::kReadable, 1);
  const Status again = this->poller().add(near, Events::kWritable, Trigger::kLevel, 2);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, EEXIST);
  this->send(far, "x");
  EXPECT_EQ(this->wait_for_something().count(1), 1u) << "the first registration stands";
}

TYPED_TEST_P(PollerContract, UnknownDescriptorIsEnoent) {
  auto [near, far] = this->pair();
  Status result = this->poller().modify(near, Events::kReadable, Trigger::kLevel, 1);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ENOENT);
  result = this->poller().remove(near);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ENOENT);
  this->add(near, Events::kReadable, 1);
  this->remove(near);
  result = this->poller().remove(near);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ENOENT);
}

TYPED_TEST_P(PollerContract, AReusedDescriptorNumberIsANewRegistration) {
  auto [near, far] = this->pair();
  this->add(near, Events::kReadable, 1);
  this->send(far, "old");
  EXPECT_EQ(this->wait_for_something().count(1), 1u);
  this->remove(near);
  this->close(near);
  this->close(far);
  auto [near2, far2] = this->pair();  // on Linux the same numbers
  this->add(near2, Events::kReadable, 2);
  EXPECT_TRUE(this->wait_now().empty());
  this->send(far2, "new");
  const auto fetched = this->wait_for_something();
  EXPECT_EQ(fetched.size(), 1u);
  EXPECT_EQ(fetched.count(2), 1u);
}

TYPED_TEST_P(PollerContract, HalfCloseIsReadableAgainAndAgain) {
  auto [near, far] = this->pair();
  this->add(near, Events::kReadable, 1);
  ASSERT_TRUE(this->os().shutdown_write(far).has_value());
  for (int i = 0; i < 3; ++i) {
    const Events ready = this->wait_for_something()[1];
    EXPECT_TRUE(this->has(ready, Events::kReadable));
    EXPECT_EQ(this->has(ready, Events::kHalfClosed), TypeParam::kTellsHangUp);
  }
}

TYPED_TEST_P(PollerContract, HalfCloseDoesNotDisturbAWriter) {
  auto [near, far] = this->pair();
  this->fill(near);
  this->add(near, Events::kWritable, 1);
  ASSERT_TRUE(this->os().shutdown_write(far).has_value());
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(this->wait_now().empty()) << "it does not read, so it could never silence this";
  }
  this->drain(far);
  Events ready = Events::kNone;
  for (int i = 0; i < 100 && !any(ready); ++i) ready = this->wait_for_something()[1];
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ready & Events::kReadWrite, Events::kWritable);
    ready = this->wait_for_something()[1];
  }
}

TYPED_TEST_P(PollerContract, ResetIsReadableAndWritable) {
  for (const Events interest : {Events::kReadable, Events::kWritable, Events::kReadWrite}) {
    auto [near, far] = this->pair();
    if (interest == Events::kWritable) this->fill(near);
    this->add(near, interest, 1);
    this->reset(far);
    const Events ready = this->wait_for_something()[1];
    EXPECT_TRUE(this->has(ready, TypeParam::kTellsHangUp ? Events::kReadWrite : interest))
        << "interest " << int(interest) << " ready " << int(ready);
    this->remove(near);
  }
}

TYPED_TEST_P(PollerContract, HangUpIsReadableAndWritable) {
  auto [near, far] = this->pair();
  this->add(near, Events::kReadable, 1);
  ASSERT_TRUE(this->os().shutdown_write(near).has_value());
  this->close(far);
  // The two halves close one after the other: the last word is what counts.
  Events ready = Events::kNone;
  for (int i = 0; i < 100 && !this->has(ready, Events::kReadWrite); ++i) {
    ready = this->wait_for_something()[1];
    if (!TypeParam::kTellsHangUp) break;
  }
  EXPECT_TRUE(this->has(ready, TypeParam::kTellsHangUp ? Events::kReadWrite : Events::kReadable));
}

TYPED_TEST_P(PollerContract, MoreReadyThanRoomStarvesNobody) {
  constexpr size_t kPairs = 10, kRoom = 3;
  for (size_t i = 0; i < kPairs; ++i) {
    auto [near, far] = this->pair();
    this->send(far, "x");
    this->add(near, Events::kReadable, i);
  }
  std::array<int, kPairs> seen{};
  // Nobody reads, so all stay ready. Twice as many waits as would do if turns were strict.
  for (size_t waits = 0; waits < 2 * (kPairs / kRoom + 1); ++waits) {
    const auto fetched = this->wait(Nanoseconds::zero(), kRoom);
    EXPECT_LE(fetched.size(), kRoom);
    for (const auto& [token, events] : fetched) ++seen[token];
  }
  for (size_t i = 0; i < kPairs; ++i) EXPECT_GT(seen[i], 0) << "starved: " << i;
}

TYPED_TEST_P(PollerContract, ManyAtOnceEachOnce) {
  constexpr size_t kPairs = 60;
  std::vector<int> far_ends;
  for (size_t i = 0; i < kPairs; ++i) {
    auto [near, far] = this->pair();
    far_ends.push_back(far);
    this->add(near, Events::kReadable, i);
  }
  for (int far : far_ends) this->send(far, "x");
  // Bytes may still be on their way when the first wait returns.
  std::map<uint64_t, Events> all;
  for (int i = 0; i < 100 && all.size() < kPairs; ++i) all.merge(this->wait_for_something());
  EXPECT_EQ(all.size(), kPairs);
}

TYPED_TEST_P(PollerContract, AWakerWakes) {
  const Result<int> waker = this->os().create_waker();
  ASSERT_TRUE(waker.has_value());
  this->add(*waker, Events::kReadable, 9);
  EXPECT_TRUE(this->wait_now().empty());
  this->os().wake(*waker);
  this->os().wake(*waker);
  EXPECT_EQ(this->wait_for_something().count(9), 1u);
  this->os().drain_waker(*waker);
  EXPECT_TRUE(this->wait_now().empty());
  this->remove(*waker);
  this->os().close(*waker);
}

TYPED_TEST_P(PollerContract, UnsupportedTriggersAreRefused) {
  auto [near, far] = this->pair();
  EXPECT_TRUE(this->poller().supports(Trigger::kLevel));
  for (const Trigger trigger : {Trigger::kEdge, Trigger::kOneShot, Trigger::kExclusive}) {
    const Status added = this->poller().add(near, Events::kReadable, trigger, 1);
    EXPECT_EQ(added.has_value(), this->poller().supports(trigger));
    if (added) {
      this->remove(near);
    } else {
      EXPECT_EQ(added.error().code, ENOTSUP);
    }
  }
}

TYPED_TEST_P(PollerContract, EdgeIsDeliveredOncePerArrival) {
  if (!this->poller().supports(Trigger::kEdge)) GTEST_SKIP() << "not supported";
  auto [near, far] = this->pair();
  this->send(far, "first");
  this->add(near, Events::kReadable, 1, Trigger::kEdge);
  EXPECT_EQ(this->wait_for_something().count(1), 1u) << "ready when it was added";
  EXPECT_TRUE(this->wait_now().empty()) << "not again, although nothing was read";
  this->send(far, "second");
  EXPECT_EQ(this->wait_for_something().count(1), 1u);
  EXPECT_TRUE(this->wait_now().empty());
  EXPECT_EQ(this->receive(near), "firstsecond");
}

TYPED_TEST_P(PollerContract, EdgeIsReportedAnewAfterModify) {
  if (!this->poller().supports(Trigger::kEdge)) GTEST_SKIP() << "not supported";
  auto [near, far] = this->pair();
  this->add(near, Events::kReadable, 1, Trigger::kEdge);
  this->send(far, "x");
  EXPECT_EQ(this->wait_for_something().count(1), 1u);
  this->modify(near, Events::kReadable, 2, Trigger::kEdge);
  EXPECT_EQ(this->wait_for_something().count(2), 1u);
}

TYPED_TEST_P(PollerContract, OneShotFiresOnceUntilArmedAgain) {
  if (!this->poller().supports(Trigger::kOneShot)) GTEST_SKIP() << "not supported";
  auto [near, far] = this->pair();
  this->add(near, Events::kReadable, 1, Trigger::kOneShot);
  this->send(far, "x");
  EXPECT_EQ(this->wait_for_something().count(1), 1u);
  this->send(far, "y");
  EXPECT_TRUE(this->wait_now().empty());
  this->modify(near, Events::kReadable, 2, Trigger::kOneShot);
  EXPECT_EQ(this->wait_for_something().count(2), 1u);
  EXPECT_TRUE(this->wait_now().empty());
  this->remove(near);
}

TYPED_TEST_P(PollerContract, ExclusiveCanBeModifiedAndRemoved) {
  if (!this->poller().supports(Trigger::kExclusive)) GTEST_SKIP() << "not supported";
  auto [near, far] = this->pair();
  this->add(near, Events::kReadable, 1, Trigger::kExclusive);
  this->send(far, "x");
  EXPECT_EQ(this->wait_for_something().count(1), 1u);
  this->modify(near, Events::kReadWrite, 2, Trigger::kExclusive);
  EXPECT_EQ(this->wait_for_something()[2], Events::kReadWrite);
  this->remove(near);
  EXPECT_TRUE(this->wait_now().empty());
}

REGISTER_TYPED_TEST_SUITE_P(PollerContract, NothingReadyIsNoEventAndNoWait, TimeoutIsNeverEarly,
                            ReadableCarriesTheToken, LevelIsDeliveredAgainUntilDrained,
                            BytesThatCameBeforeTheRegistrationAreReported, WritableAtOnceAndAgain,
                            OnlyWhatWasAskedFor, WritableWhenThePeerHasMadeRoom,
                            ModifyChangesTheToken, RemoveSilences, RemoveBeforeTheFirstWait,
                            AddedTwiceIsEexist, UnknownDescriptorIsEnoent,
                            AReusedDescriptorNumberIsANewRegistration,
                            HalfCloseIsReadableAgainAndAgain, HalfCloseDoesNotDisturbAWriter,
                            ResetIsReadableAndWritable, HangUpIsReadableAndWritable,
                            MoreReadyThanRoomStarvesNobody, ManyAtOnceEachOnce, AWakerWakes,
                            UnsupportedTriggersAreRefused, EdgeIsDeliveredOncePerArrival,
                            EdgeIsReportedAnewAfterModify, OneShotFiresOnceUntilArmedAgain,
                            ExclusiveCanBeModifiedAndRemoved);

}  // namespace ae::contract
