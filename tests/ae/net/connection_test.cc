// What a connection does with bytes, over real sockets: keeping, unreading, pausing, short writes,
// watermarks, half-close, errors, budgets.
#include "ae/net/connection.h"

#include <gtest/gtest.h>

#include "ae/base/prng.h"
#include "ae/net/connection_state.h"
#include "net_support.h"

namespace ae::test {
namespace {

std::string pattern(size_t bytes, uint64_t seed = 1) {
  std::string text(bytes, '\0');
  Prng prng(seed);
  for (char& c : text) c = char('a' + prng.next() % 26);
  return text;
}

// Consumes whole lines only.
size_t consume_lines(Connection, MutableBytes data) {
  const auto end = Bytes(data.data(), data.size()).rfind('\n');
  return end == Bytes::npos ? 0 : end + 1;
}

// What holds whatever lies below the table. The rest counts calls, which is a matter of readiness.
class StreamTest : public ::testing::TestWithParam<Face> {};

TEST(ConnectionStateTest, TableIsTheDrawing) {
  using S = ConnectionState;
  const S all[] = {S::kConnecting, S::kOpen, S::kDraining, S::kClosing, S::kClosed};
  std::string drawn;
  for (S from : all) {
    for (S to : all) drawn += may_follow(from, to) ? 'x' : '.';
    drawn += ' ';
  }
  EXPECT_EQ(drawn, ".x.x. ..xx. ...x. ....x ..... ");
  EXPECT_EQ(name(S::kDraining), "draining");
  EXPECT_EQ(name(CloseReason::kPeerReset), "peer-reset");
}

TEST(ConnectionStateDeathTest, ForbiddenStepAborts) {
  ConnectionState state = ConnectionState::kClosed;
  EXPECT_DEATH(enter(state, ConnectionState::kOpen), "may_follow");
}

TEST_P(StreamTest, EchoesAndKeepsTheHalfLine) {
  Wheel wheel({}, GetParam());
  auto ends = wheel.connect(42);
  Connection connection = ends.first;
  Peer& peer = ends.second;
  wheel.handler.data = consume_lines;
  EXPECT_EQ(connection.user(), 42u);
  peer.send("one\ntw");
  wheel.spin();
  EXPECT_EQ(wheel.handler.received, "one\n");
  EXPECT_EQ(wheel.table->stats().kept_input_bytes, 2u);
  peer.send("o\n");
  wheel.spin();
  EXPECT_EQ(wheel.handler.received, "one\ntwo\n");
  EXPECT_EQ(wheel.table->stats().kept_input_bytes, 0u);
  EXPECT_EQ(wheel.table->stats().extensions, 0u);
}

TEST(ConnectionTest, KeepAtLeastSavesTheCallsThatCannotSucceed) {
  Wheel wheel;
  auto ends = wheel.connect();
  Peer& peer = ends.second;
  wheel.handler.data = [&](Connection c, MutableBytes data) -> size_t {
    if (data.size() >= 100) return data.size();
    wheel.table->keep_at_least(c.id(), 100);
    return 0;
  };
  for (int i = 0; i < 100; ++i) {
    peer.send("x");
    wheel.spin(1);
  }
  wheel.spin();
  EXPECT_EQ(wheel.handler.received.size(), 100u);
  EXPECT_EQ(wheel.handler.count("data"), 2u);
}

// A large bulk is presented twice: when its length is known and when it is whole.
TEST(ConnectionTest, LargeBulkIsReadIntoOneBlock) {
  ConnectionOptions options;
  options.read_budget = 1 << 20;
  Wheel wheel(options);
  const std::string bulk = pattern(20 << 20);
  auto ends = wheel.connect();
  Peer& peer = ends.second;
  size_t presented = 0;
  wheel.handler.data = [&](Connection c, MutableBytes data) -> size_t {
    presented += data.size();
    if (data.size() >= bulk.size()) return bulk.size();
    wheel.table->keep_at_least(c.id(), bulk.size());
    return 0;
  };
  size_t sent = 0;
  ASSERT_TRUE(wheel.until([&] {
    sent += peer.send_some(Bytes(bulk).substr(sent));
    return wheel.handler.received.size() == bulk.size();
  }));
  EXPECT_TRUE(wheel.handler.received == bulk);
  EXPECT_EQ(wheel.handler.count("data"), 2u);
  EXPECT_LE(presented, bulk.size() + options.read_budget);
  EXPECT_EQ(wheel.table->stats().kept_input_bytes, 0u);
}

TEST_P(StreamTest, HalfPacketBeyondTheLimitCloses) {
  ConnectionOptions options;
  options.max_kept_input = 1000;
  Wheel wheel(options, GetParam());
  auto ends = wheel.connect();
  Connection connection = ends.first;
  Peer& peer = ends.second;
  wheel.handler.data = [](Connection, MutableBytes) -> size_t { return 0; };
  peer.send(pattern(600));
  wheel.spin();
  EXPECT_EQ(connection.state(), ConnectionState::kOpen);
  peer.send(pattern(600));
  wheel.spin();
  EXPECT_EQ(wheel.handler.reason, CloseReason::kInputLimit);
}

// Any split of the input into reads gives the same lines, whatever the handler holds or unreads.
TEST_P(StreamTest, RandomSplitsPausesAndUnreadsKeepTheStream) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Prng prng(seed);
    ConnectionOptions options;
    options.scratch_bytes = 256 << (prng.next() % 8);
    options.read_budget = 1 + prng.next() % 5000;
    Wheel wheel(options, GetParam());
    wheel.os.most_per_read = 1 + prng.next() % 3000;
    auto ends = wheel.connect();
    Connection connection = ends.first;
    Peer& peer = ends.second;
    std::string got, scratch_copy;
    std::vector<Bytes> held;  // read at release: they must not have moved
    const auto run_batch = [&] {
      for (Bytes bytes : held) got.append(bytes);
      held.clear();
      wheel.table->release_input();
    };
    wheel.table->set_on_input_full(run_batch);
    wheel.handler.data = [&](Connection c, MutableBytes data) -> size_t {
      const size_t consumed = prng.next() % (data.size() + 1);
      const size_t kept_back = prng.next() % 4 == 0 ? prng.next() % (consumed + 1) : 0;
      if (prng.next() % 3 == 0) wheel.table->keep_at_least(c.id(), 1 + prng.next() % 2000);
      wheel.table->hold_input();
      held.push_back({data.data(), consumed - kept_back});
      if (kept_back > 0) c.unread({data.data() + consumed - kept_back, kept_back});
      if (prng.next() % 8 == 0) c.pause(PauseReason::kUser);
      if (prng.next() % 8 == 0) c.pause(PauseReason::kBlocked);
      return consumed;
    };
    const std::string all = pattern(30000, seed);
    size_t sent = 0;
    for (int tick = 0; tick < 20000 && got.size() < all.size(); ++tick) {
      if (prng.next() % 2 == 0) sent += peer.send_some(Bytes(all).substr(sent, prng.next() % 5000));
      wheel.spin(1);
      if (prng.next() % 2 == 0) run_batch();
      if (prng.next() % 3 == 0) connection.resume(PauseReason::kUser);
      if (prng.next() % 3 == 0) connection.resume(PauseReason::kBlocked);
      // A wish for more than there will ever be: the end of the stream would wait for ever.
      if (sent == all.size()) wheel.table->keep_at_least(connection.id(), 0);
      if (sent == all.size() && !held.empty()) run_batch();
      if (sent == all.size() && tick % 50 == 49) {
        connection.pause(PauseReason::kAdmission);
        connection.resume(PauseReason::kAdmission);
      }
    }
    run_batch();
    ASSERT_TRUE(got == all) << got.size() << " of " << all.size();
    connection.close(CloseReason::kRequested);
    wheel.spin();
    EXPECT_EQ(wheel.handler.closed_calls, 1u);
    EXPECT_EQ(wheel.table->stats().kept_input_bytes, 0u);
    EXPECT_EQ(wheel.table->stats().extensions, 0u);
  }
}

TEST_P(StreamTest, UnreadComesBackAfterResumeWithoutThePeer) {
  Wheel wheel({}, GetParam());
  auto ends = wheel.connect();
  Connection connection = ends.first;
  Peer& peer = ends.second;
  bool blocked = false;
  wheel.handler.data = [&](Connection c, MutableBytes data) -> size_t {
    if (!blocked) {
      c.unread({data.data() + 2, data.size() - 2});
      c.pause(PauseReason::kBlocked);
    }
    blocked = true;
    return data.size();
  };
  peer.send("ab");
  peer.send("cd");
  wheel.spin();
  EXPECT_EQ(wheel.handler.count("data"), 1u);
  wheel.handler.received.clear();
  connection.resume(PauseReason::kBlocked);
  wheel.spin(1);
  EXPECT_EQ(wheel.handler.received, "cd");
}

TEST(ConnectionTest, PausedConnectionIsNotReadAndLosesInterestLazily) {
  Wheel wheel;
  auto ends = wheel.connect();
  Connection connection = ends.first;
  Peer& peer = ends.second;
  connection.pause(PauseReason::kUser);
  connection.pause(PauseReason::kBusy);
  peer.send("hello");
  wheel.spin();
  EXPECT_EQ(wheel.os.reads, 0u);
  EXPECT_EQ(wheel.loop->stats().interest_changes, 2u);  // added, removed
  const uint64_t events = wheel.loop->stats().events;
  wheel.spin(10);
  EXPECT_EQ(wheel.loop->stats().events, events);  // no spinning on what is not wanted
  connection.resume(PauseReason::kUser);
  wheel.spin();
  EXPECT_EQ(wheel.handler.received, "");
  connection.resume(PauseReason::kBusy);
  wheel.spin();
  EXPECT_EQ(wheel.handler.received, "hello");
}

TEST_P(StreamTest, BlockedReadsAheadSoThatAHangUpIsNoticed) {
  Wheel wheel({}, GetParam());
  auto ends = wheel.connect();
  Connection connection = ends.first;
  Peer& peer = ends.second;
  connection.pause(PauseReason::kBlocked);
  peer.send("pipelined");
  peer.finish();
  wheel.spin();
  EXPECT_EQ(wheel.handler.calls, (std::vector<std::string>{"hang_up"}));
  connection.resume(PauseReason::kBlocked);
  wheel.spin(4);
  EXPECT_EQ(wheel.handler.calls,
            (std::vector<std::string>{"hang_up", "data", "half_closed", "closed"}));
  EXPECT_EQ(wheel.handler.received, "pipelined");
}

TEST(ConnectionTest, ReadAheadOfABlockedConnectionIsBounded) {
  ConnectionOptions options;
  options.read_budget = 4096;
  Wheel wheel(options);
  auto ends = wheel.connect();
  Connection connection = ends.first;
  Peer& peer = ends.second;
  connection.pause(PauseReason::kBlocked);
  const std::string all = pattern(100'000);
  EXPECT_EQ(peer.send_some(all), all.size());
  wheel.spin(50);
  EXPECT_LE(wheel.table->stats().kept_input_bytes, 2 * options.read_budget);
  connection.resume(PauseReason::kBlocked);
  ASSERT_TRUE(wheel.until([&] { return wheel.handler.received.size() == all.size(); }));
  EXPECT_TRUE(wheel.handler.received == all);
}

TEST(ConnectionTest, BudgetLetsNobodyStarve) {
  ConnectionOptions options;
  options.read_budget = 4096;
  Wheel wheel(options);
  auto ends = wheel.connect(1);
  Peer& hog_peer = ends.second;
  auto ends2 = wheel.connect(2);
  Peer& small_peer = ends2.second;
  std::vector<size_t> of_hog, of_small;
  wheel.handler.data = [&](Connection c, MutableBytes data) {
    (c.user() == 1 ? of_hog : of_small).push_back(data.size());
    return data.size();
  };
  hog_peer.send_some(pattern(1 << 20));
  small_peer.send("x");
  wheel.spin(1);
  EXPECT_EQ(of_small.size(), 1u);
  size_t in_one_tick = 0;
  for (size_t bytes : of_hog) in_one_tick += bytes;
  EXPECT_LE(in_one_tick, options.read_budget);
}

// --- output

TEST(ConnectionTest, ViewsAndCopiesKeepTheirOrderInOneWrite) {
  Wheel wheel;
  auto ends = wheel.connect();
  Connection connection = ends.first;
  Peer& peer = ends.second;
  const std::string view = "view1 ", second = "view2 ", third = "view3 ";
  wheel.table->send_view(connection.id(), view);
  wheel.table->send_view(connection.id(), second);
  connection.send("copy1 ");
  wheel.table->send_view(connection.id(), third);
  connection.send("copy2");
  EXPECT_EQ(connection.pending_output(), 29u);
  wheel.os.reset();
  wheel.spin(1);
  EXPECT_EQ(peer.receive(), "view1 view2 copy1 view3 copy2");
  EXPECT_EQ(wheel.os.writes + wheel.os.writevs, 1u);
  EXPECT_EQ(connection.pending_output(), 0u);
}

// The kernel takes n bytes at a time, for every n: the stream is the same.
TEST(ConnectionTest, ShortWritesAtEveryByte) {
  const std::string one = "the view, ", two = "the other view, ", three = "the copy.";
  for (size_t most = 1; most <= one.size() + two.size() + three.size(); ++most) {
    Wheel wheel;
    wheel.os.most_per_write = most;
    auto ends = wheel.connect();
    Connection connection = ends.first;
    Peer& peer = ends.second;
    int flushed = 0;
    wheel.table->set_on_flushed([&] { ++flushed; });
    {
      const std::string first = one, second = two;  // gone after the flush
      wheel.table->send_view(connection.id(), first);
      wheel.table->send_view(connection.id(), second);
      connection.send(three);
      wheel.table->flush();
      EXPECT_EQ(flushed, 1);
    }
    ASSERT_TRUE(wheel.until([&] { return connection.pending_output() == 0; }));
    EXPECT_EQ(peer.receive(), one + two + three);
    EXPECT_EQ(wheel.handler.count("drained"), most < 35 ? 1u : 0u);
    EXPECT_EQ(wheel.table->stats().extensions, 0u);
    EXPECT_EQ(wheel.table->stats().queued_output_bytes, 0u);
  }
}

TEST(ConnectionTest, WriteInterestOnlyAfterTheKernelRefused) {
  Wheel wheel;
  auto ends = wheel.connect();
  Connection connection = ends.first;
  Peer& peer = ends.second;
  wheel.spin();
  const uint64_t before = wheel.loop->stats().interest_changes;
  connection.send("a");
  wheel.spin();
  EXPECT_EQ(wheel.loop->stats().interest_changes, before);
  wheel.os.writes_until_full = 0;
  connection.send("b");
  wheel.loop->run_once(Nanoseconds::zero());
  EXPECT_EQ(wheel.loop->stats().interest_changes, before + 1);
  wheel.os.writes_until_full = SIZE_MAX;
  wheel.spin();
  EXPECT_EQ(wheel.loop->stats().interest_changes, before + 2);
  EXPECT_EQ(peer.receive(), "ab");
  EXPECT_EQ(wheel.handler.count("drained"), 1u);
}

TEST_P(StreamTest, WatermarksPauseReadingOncePerCrossing) {
  ConnectionOptions options;
  options.high_watermark = 100'000;
  options.low_watermark = 10'000;
  Wheel wheel(options, GetParam());
  auto ends = wheel.connect();
  Connection connection = ends.first;
  Peer& peer = ends.second;
  const std::string reply = pattern(30 << 20);  // more than the kernel's buffers take
  connection.send(reply);
  EXPECT_TRUE(connection.paused(PauseReason::kOutput));
  peer.send("ignored until drained");
  wheel.spin(5);
  EXPECT_EQ(wheel.handler.calls, (std::vector<std::string>{"high"}));
  std::string got;
  ASSERT_TRUE(wheel.until([&] {
    got += peer.receive();
    return got.size() == reply.size() && wheel.handler.count("data") == 1;
  }));
  EXPECT_TRUE(got == reply);
  EXPECT_FALSE(connection.paused(PauseReason::kOutput));
  EXPECT_EQ(wheel.handler.count("high"), 1u);
  EXPECT_EQ(wheel.handler.count("drained"), 1u);
}

TEST(ConnectionTest, HandlerThatAlwaysHasMoreDoesNotKeepTheLoop) {
  Wheel wheel;
  auto ends = wheel.connect();
  Connection connection = ends.first;
  wheel.os.most_per_write = 10;
  wheel.handler.drained = [](Connection c) { c.send("more than ten bytes"); };
  connection.send("more than ten bytes");
  wheel.spin(20);
  EXPECT_LE(wheel.os.writes, 21u);
  EXPECT_GE(wheel.os.writes, 19u);
}

TEST_P(StreamTest, SentFromALaterHookOrTimerIsNotSleptOn) {
  Wheel wheel({}, GetParam());
  auto ends = wheel.connect();
  Connection connection = ends.first;
  Peer& peer = ends.second;
  bool once = false;
  wheel.loop->before_sleep([&, c = connection]() mutable {
    if (!std::exchange(once, true)) c.send("late");
  });
  const TimePoint start = real_clock().now();
  wheel.loop->run_once(Seconds(10));
  wheel.loop->run_once(Nanoseconds::zero());
  EXPECT_LT(real_clock().now() - start, Seconds(5));
  EXPECT_EQ(peer.receive(), "late");
}

// --- the ends

TEST_P(StreamTest, HalfCloseDeliversAllPendingOutput) {
  Wheel wheel({}, GetParam());
  auto ends = wheel.connect();
  Peer& peer = ends.second;
  const std::string reply = pattern(3 << 20);
  wheel.handler.data = [&](Connection c, MutableBytes data) {
    c.send(reply);
    return data.size();
  };
  peer.send("GET everything\n");
  peer.finish();
  std::string got;
  ASSERT_TRUE(wheel.until([&] {
    got += peer.receive();
    return wheel.handler.closed_calls == 1;
  }));
  got += peer.receive();
  EXPECT_TRUE(got == reply);
  EXPECT_TRUE(peer.ended());
  EXPECT_EQ(wheel.handler.reason, CloseReason::kPeerClosed);
}

// The reply is made behind the events, the FIN was read with the request.
TEST_P(StreamTest, ReplyOfABatchPrecedesTheHalfClose) {
  Wheel wheel({}, GetParam());
  auto ends = wheel.connect();
  Connection connection = ends.first;
  Peer& peer = ends.second;
  bool asked = false;
  wheel.handler.data = [&](Connection, MutableBytes data) {
    asked = true;
    return data.size();
  };
  wheel.loop->after_events([&, c = connection]() mutable {
    if (std::exchange(asked, false)) c.send("reply");
  });
  peer.send("request");
  peer.finish();
  ASSERT_TRUE(wheel.until([&] { return wheel.handler.closed_calls == 1; }));
  EXPECT_EQ(peer.receive(), "reply");
}

TEST_P(StreamTest, ShutdownOutputSendsFinBehindTheLastByteAndReadsOn) {
  Wheel wheel({}, GetParam());
  auto ends = wheel.connect();
  Connection connection = ends.first;
  Peer& peer = ends.second;
  connection.send("last words");
  connection.shutdown_output();
  connection.send("too late");
  wheel.spin();
  EXPECT_EQ(peer.receive(), "last words");
  EXPECT_TRUE(peer.ended());
  peer.send("still listening");
  wheel.spin();
  EXPECT_EQ(wheel.handler.received, "still listening");
  peer.finish();
  ASSERT_TRUE(wheel.until([&] { return wheel.handler.closed_calls == 1; }));
  EXPECT_EQ(wheel.handler.reason, CloseReason::kPeerClosed);
}

TEST_P(StreamTest, ResetIsReportedWithItsErrno) {
  Wheel wheel({}, GetParam());
  auto ends = wheel.connect();
  Peer& peer = ends.second;
  int error = 0;
  wheel.handler.closed = [&](Connection c, CloseReason) { error = c.error(); };
  peer.reset();
  ASSERT_TRUE(wheel.until([&] { return wheel.handler.closed_calls == 1; }));
  EXPECT_EQ(wheel.handler.reason, CloseReason::kPeerReset);
  EXPECT_EQ(error, ECONNRESET);
}

TEST_P(StreamTest, WritingToAVanishedPeerIsPeerReset) {
  Wheel wheel({}, GetParam());
  auto ends = wheel.connect();
  Connection connection = ends.first;
  Peer& peer = ends.second;
  connection.pause(PauseReason::kUser);  // so that only writing can find out
  peer.reset();
  for (int i = 0; i < 3 && wheel.handler.closed_calls == 0; ++i) {
    connection.send("anyone?");
    wheel.spin();
  }
  EXPECT_EQ(wheel.handler.closed_calls, 1u);
  EXPECT_EQ(wheel.handler.reason, CloseReason::kPeerReset);
}

TEST_P(StreamTest, ErrorReplySurvivesUnreadInput) {
  Wheel wheel({}, GetParam());
  auto ends = wheel.connect();
  Peer& peer = ends.second;
  wheel.handler.data = [](Connection c, MutableBytes data) {
    c.send("-ERR Protocol error\r\n");
    c.close_after_flush(CloseReason::kProtocolError);
    return data.size();
  };
  peer.send("garbage");
  wheel.spin();
  EXPECT_EQ(peer.receive(), "-ERR Protocol error\r\n");
  EXPECT_TRUE(peer.ended());
  EXPECT_EQ(wheel.handler.reason, CloseReason::kProtocolError);
}

TEST_P(StreamTest, DrainDeadlineCloses) {
  if (!writes_through_os(GetParam())) GTEST_SKIP() << "the test's Os cannot fill the kernel";
  Wheel wheel({}, GetParam());
  auto ends = wheel.connect();
  Connection connection = ends.first;
  wheel.os.writes_until_full = 0;
  connection.send("never taken");
  connection.close_after_flush(CloseReason::kRequested, Milliseconds(1));
  EXPECT_EQ(connection.state(), ConnectionState::kDraining);
  ASSERT_TRUE(wheel.until([&] { return wheel.handler.closed_calls == 1; }));
  EXPECT_EQ(wheel.handler.reason, CloseReason::kDrainDeadline);
}

TEST_P(StreamTest, StaleHandleDoesNothing) {
  Wheel wheel({}, GetParam());
  auto ends = wheel.connect();
  Connection connection = ends.first;
  connection.close(CloseReason::kRequested);
  EXPECT_EQ(connection.state(), ConnectionState::kClosing);
  EXPECT_GE(connection.fd(), 0);
  wheel.spin();
  auto ends2 = wheel.connect();
  Connection second = ends2.first;
  Peer& second_peer = ends2.second;
  EXPECT_EQ(second.id().slot, connection.id().slot);
  connection.send("into the void");
  connection.pause(PauseReason::kUser);
  connection.close(CloseReason::kRequested);
  wheel.spin();
  EXPECT_FALSE(connection.alive());
  EXPECT_EQ(connection.fd(), -1);
  EXPECT_FALSE(connection.peer_address());
  EXPECT_EQ(second.state(), ConnectionState::kOpen);
  EXPECT_EQ(second_peer.receive(), "");
  EXPECT_TRUE(second.peer_address().has_value());
}

TEST_P(StreamTest, AdoptConnectingOpensOrFails) {
  Wheel wheel({}, GetParam());
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  Address address = Address::loopback(0);
  ::bind(listener, address.data(), address.length());
  ::listen(listener, 5);
  address = *real_os().local_address(listener);
  const int good = *real_os().socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_TRUE(real_os().connect(good, address));
  Connection connection = *wheel.table->adopt_connecting(good, wheel.handler);
  EXPECT_EQ(connection.state(), ConnectionState::kConnecting);
  connection.send("queued before it was open");
  ASSERT_TRUE(wheel.until([&] { return wheel.handler.count("open") == 1; }));
  wheel.spin();
  Peer peer(::accept(listener, nullptr, nullptr));
  EXPECT_EQ(peer.receive(), "queued before it was open");
  peer.send("welcome");
  ASSERT_TRUE(wheel.until([&] { return wheel.handler.received == "welcome"; }));
  ::close(listener);

  const int bad = *real_os().socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_TRUE(real_os().connect(bad, address));  // in progress; nobody listens any more
  Recorder failed;
  ASSERT_TRUE(wheel.table->adopt_connecting(bad, failed));
  ASSERT_TRUE(wheel.until([&] { return failed.closed_calls == 1; }));
  EXPECT_EQ(failed.reason, CloseReason::kConnectFailed);
  EXPECT_EQ(failed.count("open"), 0u);
}

TEST(ConnectionTest, FailedAdoptClosesTheDescriptor) {
  Wheel wheel;
  const size_t before = open_descriptors();
  int regular = ::open("/proc/self/status", O_RDONLY);  // epoll refuses it: EPERM
  EXPECT_FALSE(wheel.table->adopt(regular, wheel.handler));
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(wheel.table->size(), 0u);
}

TEST_P(StreamTest, DestructorClosesEverythingAndCallsNobody) {
  const size_t before = open_descriptors();
  {
    Wheel wheel({}, GetParam());
    auto ends = wheel.connect();
    Connection a = ends.first;
    auto ends2 = wheel.connect();
    Connection b = ends2.first;
    a.send("queued");
    b.close(CloseReason::kRequested);
    wheel.table.reset();
    EXPECT_EQ(wheel.handler.closed_calls, 0u);
  }
  EXPECT_EQ(open_descriptors(), before);
}

INSTANTIATE_TEST_SUITE_P(Faces, StreamTest, ::testing::ValuesIn(faces()),
                         [](const auto& info) { return face_name(info.param); });

}  // namespace
}  // namespace ae::test
