// What a connection promises, whatever carries it: readiness over each poller, completions, or the
// simulation. The same tests over all of them.
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <string>

#include "ae/sim/audit.h"
#include "tests/contract/stream_worlds.h"

namespace ae::contract {
namespace {

// Writes down what happens; a test replaces what it needs.
struct Recorder final : ConnectionHandler {
  size_t on_data(Connection connection, MutableBytes data) override {
    const Bytes bytes(data.data(), data.size());
    const size_t consumed = consume ? consume(connection, bytes) : data.size();
    received += bytes.substr(0, consumed);
    ++calls;
    return consumed;
  }
  void on_half_closed(Connection connection) override {
    ++half_closes;
    if (half_closed) return half_closed(connection);
    ConnectionHandler::on_half_closed(connection);
  }
  void on_hang_up(Connection) override { ++hang_ups; }
  void on_drained(Connection) override { ++drains; }
  void on_high_watermark(Connection) override { ++high_watermarks; }
  void on_closed(Connection, CloseReason why) override {
    ++closes;
    reason = why;
  }

  std::function<size_t(Connection, Bytes)> consume;
  std::function<void(Connection)> half_closed;
  std::string received;
  size_t calls = 0, half_closes = 0, hang_ups = 0, drains = 0, high_watermarks = 0, closes = 0;
  CloseReason reason = CloseReason::kNone;
};

// Bytes in which every place is recognisable.
std::string pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = char('a' + (i * 7 + i / 251) % 26);
  return bytes;
}

class StreamContract : public ::testing::TestWithParam<NamedStreamWorld> {
 protected:
  static constexpr size_t kMoreThanTheKernelTakes = 16 * 1024 * 1024;

  void SetUp() override {
    auto world = GetParam().create();
    if (!world) GTEST_SKIP() << world.error().message();
    world_ = std::move(*world);
    options_.use_completions = world_->use_completions();
    table_ = std::make_unique<ConnectionTable>(world_->loop(), options_);
    connect();
  }
  void TearDown() override {
    if (world_ == nullptr) return;
    if (connection_.alive()) connection_.close(CloseReason::kShutdown);
    far_.reset();
    eventually([&] { return table_->size() == 0; });
    EXPECT_EQ(recorder_.closes, 1u);
    EXPECT_EQ(audited_.violations(), "");
    EXPECT_EQ(world_->loop().watched(), 0u);
    EXPECT_EQ(world_->loop().pending_timers(), 0u);
    EXPECT_EQ(table_->stats().kept_input_bytes, 0u);
    EXPECT_EQ(table_->stats().queued_output_bytes, 0u);
  }

  void connect() {
    auto [fd, far] = world_->connect();
    far_ = std::move(far);
    connection_ = *table_->adopt(fd, audited_);
    audited_.born(connection_);
  }

  // Ticks until it holds; a test that waits for what never comes fails here.
  void eventually(const std::function<bool()>& condition) {
    for (int ticks = 0; ticks < 3000 && !condition(); ++ticks) world_->tick();
    EXPECT_TRUE(condition());
  }
  // For what must not happen: some ticks in which it could.
  void meanwhile() {
    for (int ticks = 0; ticks < 10; ++ticks) world_->tick();
  }
  void send_all(Bytes bytes) {
    eventually([&] {
      bytes.remove_prefix(far_->send(bytes));
      return bytes.empty();
    });
  }
  void receive_until(size_t size) {
    eventually([&] {
      arrived_ += far_->receive(64 * 1024);
      return arrived_.size() >= size;
    });
  }
  void receive_to_the_end() {
    eventually([&] {
      arrived_ += far_->receive(64 * 1024);
      return far_->at_end();
    });
  }
  void wait_for_close(CloseReason reason) {
    eventually([&] { return recorder_.closes == 1; });
    EXPECT_EQ(name(recorder_.reason), name(reason));
  }

  std::unique_ptr<StreamWorld> world_;
  ConnectionOptions options_ = {.high_watermark = 64 * 1024, .low_watermark = 16 * 1024};
  Recorder recorder_;
  sim::AuditedHandler audited_{recorder_};
  std::unique_ptr<ConnectionTable> table_;
  std::unique_ptr<FarEnd> far_;
  Connection connection_;
  std::string arrived_;
};

INSTANTIATE_TEST_SUITE_P(Worlds, StreamContract, ::testing::ValuesIn(stream_worlds()),
                         [](const auto& info) { return info.param.name; });

// --- input

TEST_P(StreamContract, BytesArriveInOrderAndOnce) {
  const std::string sent = pattern(1'000'000);
  send_all(sent);
  eventually([&] { return recorder_.received.size() == sent.size(); });
  EXPECT_TRUE(recorder_.received == sent);
}

TEST_P(StreamContract, AHalfPacketIsKeptAndPresentedAgain) {
  recorder_.consume = [](Connection, Bytes bytes) {
    const size_t end = bytes.find('\n');
    return end == Bytes::npos ? 0 : end + 1;
  };
  for (const Bytes piece : {"he", "ll", "o\nwor"}) {
    send_all(piece);
    meanwhile();
  }
  EXPECT_EQ(recorder_.received, "hello\n");
  EXPECT_EQ(table_->stats().kept_input_bytes, 3u);
  send_all("ld\n");
  eventually([&] { return recorder_.received == "hello\nworld\n"; });
  EXPECT_EQ(table_->stats().kept_input_bytes, 0u);
}

TEST_P(StreamContract, KeepAtLeastSavesTheCallsThatCannotSucceed) {
  const std::string sent = pattern(300'000);
  recorder_.consume = [&](Connection connection, Bytes bytes) -> size_t {
    if (bytes.size() == sent.size()) return bytes.size();
    connection.table().keep_at_least(connection.id(), sent.size());
    return 0;
  };
  send_all(sent);
  eventually([&] { return !recorder_.received.empty(); });
  EXPECT_TRUE(recorder_.received == sent);
  EXPECT_LE(recorder_.calls, 2u);
}

TEST_P(StreamContract, PausedMeansNoData) {
  connection_.pause(PauseReason::kUser);
  send_all("x");
  meanwhile();
  EXPECT_EQ(recorder_.calls, 0u);
  connection_.resume(PauseReason::kUser);
  eventually([&] { return recorder_.received == "x"; });
}

TEST_P(StreamContract, PausedInOnDataStopsBehindTheFirstRequest) {
  recorder_.consume = [](Connection connection, Bytes) {
    connection.pause(PauseReason::kBusy);
    return size_t{1};
  };
  send_all("abc");
  eventually([&] { return recorder_.calls == 1; });
  meanwhile();
  EXPECT_EQ(recorder_.received, "a");
  for (const char* expected : {"ab", "abc"}) {
    connection_.resume(PauseReason::kBusy);
    eventually([&] { return recorder_.received == expected; });
    meanwhile();
    EXPECT_EQ(recorder_.received, expected);
  }
}

TEST_P(StreamContract, UnreadBytesComeAgainBeforeTheOthers) {
  recorder_.consume = [first = true](Connection connection, Bytes bytes) mutable {
    if (!std::exchange(first, false)) return bytes.size();
    connection.unread(bytes.substr(0, 2));
    connection.pause(PauseReason::kBlocked);
    return size_t{2};
  };
  send_all("abcd");
  eventually([&] { return recorder_.calls == 1; });
  recorder_.received.clear();
  connection_.resume(PauseReason::kBlocked);
  eventually([&] { return recorder_.received == "abcd"; });
}

// --- ends

TEST_P(StreamContract, FinComesBehindTheLastByte) {
  send_all("last words");
  far_->fin();
  wait_for_close(CloseReason::kPeerClosed);
  EXPECT_EQ(recorder_.received, "last words");
  EXPECT_EQ(recorder_.half_closes, 1u);
}

TEST_P(StreamContract, WhatIsPendingAtAHalfCloseIsDelivered) {
  const std::string reply = pattern(3'000'000);
  recorder_.consume = [&](Connection connection, Bytes bytes) {
    connection.send(reply);
    return bytes.size();
  };
  send_all("x");
  far_->fin();
  receive_to_the_end();
  EXPECT_TRUE(arrived_ == reply) << arrived_.size();
  wait_for_close(CloseReason::kPeerClosed);
}

TEST_P(StreamContract, AReplyMayComeLongAfterTheHalfClose) {
  recorder_.half_closed = [](Connection) {};
  far_->fin();
  eventually([&] { return recorder_.half_closes == 1; });
  meanwhile();
  EXPECT_EQ(recorder_.closes, 0u);
  connection_.send("at last");
  connection_.close_after_flush(CloseReason::kPeerClosed);
  receive_to_the_end();
  EXPECT_EQ(arrived_, "at last");
}

TEST_P(StreamContract, FinWhilePausedIsTold) {
  connection_.pause(PauseReason::kUser);
  send_all("x");
  far_->fin();
  meanwhile();
  EXPECT_EQ(recorder_.half_closes, 0u);
  connection_.resume(PauseReason::kUser);
  wait_for_close(CloseReason::kPeerClosed);
  EXPECT_EQ(recorder_.received, "x");
}

TEST_P(StreamContract, WhoLeavesWhileBlockedIsNoticed) {
  connection_.pause(PauseReason::kBlocked);
  far_->fin();
  eventually([&] { return recorder_.hang_ups == 1; });
  EXPECT_EQ(recorder_.half_closes, 0u);
  connection_.resume(PauseReason::kBlocked);
  wait_for_close(CloseReason::kPeerClosed);
  EXPECT_EQ(recorder_.half_closes, 1u);
}

TEST_P(StreamContract, ResetIsPeerReset) {
  far_->reset();
  wait_for_close(CloseReason::kPeerReset);
  EXPECT_EQ(recorder_.half_closes, 0u);
}

TEST_P(StreamContract, ResetDuringALongReplyIsPeerReset) {
  connection_.send(pattern(kMoreThanTheKernelTakes));
  meanwhile();
  EXPECT_GT(connection_.pending_output(), 0u);
  far_->reset();
  wait_for_close(CloseReason::kPeerReset);
}

TEST_P(StreamContract, SendingToOneWhoHasLeftEndsInPeerReset) {
  recorder_.half_closed = [](Connection) {};
  far_->close();
  eventually([&] { return recorder_.half_closes == 1; });
  eventually([&] {
    connection_.send("anybody there?");
    return recorder_.closes == 1;
  });
  EXPECT_EQ(name(recorder_.reason), name(CloseReason::kPeerReset));
}

// --- output

TEST_P(StreamContract, AnEchoOfAMegabyte) {
  recorder_.consume = [](Connection connection, Bytes bytes) {
    connection.send(bytes);
    return bytes.size();
  };
  const std::string sent = pattern(1'000'000);
  Bytes left = sent;
  eventually([&] {
    left.remove_prefix(far_->send(left));
    arrived_ += far_->receive(64 * 1024);
    return arrived_.size() >= sent.size();
  });
  EXPECT_TRUE(arrived_ == sent);
}

TEST_P(StreamContract, ASlowReaderPausesReading) {
  size_t requests = 0;
  recorder_.consume = [&](Connection connection, Bytes bytes) {
    if (requests++ == 0) connection.send(pattern(kMoreThanTheKernelTakes));
    return bytes.size();
  };
  send_all("1");
  eventually([&] { return recorder_.high_watermarks == 1; });
  send_all("2");
  meanwhile();
  EXPECT_EQ(requests, 1u);
  EXPECT_TRUE(connection_.paused(PauseReason::kOutput));
  receive_until(kMoreThanTheKernelTakes);
  EXPECT_TRUE(arrived_ == pattern(kMoreThanTheKernelTakes));
  eventually([&] { return requests == 2; });
  EXPECT_EQ(recorder_.high_watermarks, 1u);
  EXPECT_EQ(recorder_.drains, 1u);
}

TEST_P(StreamContract, ViewsAndCopiesKeepTheirOrder) {
  const std::string first = pattern(200'000);
  const std::string second = "copied";
  std::string expected;
  bool flushed = true;
  table_->set_on_flushed([&] { flushed = true; });
  for (int round = 0; round < 30; ++round) {
    eventually([&] { return flushed; });
    flushed = false;
    table_->send_view(connection_.id(), first);
    connection_.send(second);
    table_->send_view(connection_.id(), first);
    expected += first + second + first;
    world_->tick();
  }
  receive_until(expected.size());
  EXPECT_TRUE(arrived_ == expected);
}

TEST_P(StreamContract, OutputShutDownStillReads) {
  connection_.send("done");
  connection_.shutdown_output();
  connection_.send("dropped");
  receive_to_the_end();
  EXPECT_EQ(arrived_, "done");
  send_all("thanks");
  eventually([&] { return recorder_.received == "thanks"; });
  EXPECT_EQ(recorder_.closes, 0u);
  far_->fin();
  wait_for_close(CloseReason::kPeerClosed);
}

// --- closing

TEST_P(StreamContract, CloseTwiceInsideOnDataIsOneClose) {
  recorder_.consume = [](Connection connection, Bytes bytes) {
    connection.send("never mind");
    connection.close(CloseReason::kRequested);
    connection.close(CloseReason::kShutdown);
    return bytes.size();
  };
  send_all("bye");
  wait_for_close(CloseReason::kRequested);
  meanwhile();
  receive_to_the_end();
}

TEST_P(StreamContract, CloseAfterFlushDeliversEverything) {
  const std::string reply = pattern(5'000'000);
  recorder_.consume = [&](Connection connection, Bytes bytes) {
    connection.send(reply);
    connection.close_after_flush(CloseReason::kRequested);
    return bytes.size();
  };
  send_all("x");
  eventually([&] { return recorder_.calls == 1; });
  (void)far_->send("input that nobody will read, which must not become a reset");
  receive_to_the_end();
  EXPECT_TRUE(arrived_ == reply) << arrived_.size();
  wait_for_close(CloseReason::kRequested);
}

TEST_P(StreamContract, CloseAfterFlushHasADeadline) {
  const TimePoint start = world_->loop().now();
  connection_.send(pattern(kMoreThanTheKernelTakes));
  connection_.close_after_flush(CloseReason::kRequested, Milliseconds(20));
  world_->pass(Milliseconds(30));
  wait_for_close(CloseReason::kDrainDeadline);
  EXPECT_GE(world_->loop().now() - start, Milliseconds(20));
}

TEST_P(StreamContract, CloseDropsWhatIsPending) {
  connection_.send(pattern(kMoreThanTheKernelTakes));
  meanwhile();
  connection_.close(CloseReason::kOutputLimit);
  wait_for_close(CloseReason::kOutputLimit);
  receive_to_the_end();
  EXPECT_LT(arrived_.size(), kMoreThanTheKernelTakes);
}

TEST_P(StreamContract, AClosedConnectionIsDeafAndDumb) {
  connection_.close(CloseReason::kRequested);
  wait_for_close(CloseReason::kRequested);
  EXPECT_FALSE(connection_.alive());
  EXPECT_EQ(connection_.state(), ConnectionState::kClosed);
  EXPECT_EQ(connection_.fd(), -1);
  connection_.send("x");
  connection_.pause(PauseReason::kUser);
  connection_.resume(PauseReason::kUser);
  connection_.close_after_flush(CloseReason::kShutdown);
  meanwhile();
  EXPECT_EQ(recorder_.closes, 1u);
}

}  // namespace
}  // namespace ae::contract
