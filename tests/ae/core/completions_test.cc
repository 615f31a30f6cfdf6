// The completion face of io_uring: bytes that arrive without being asked for, sends that are
// answered by the next wait. Skipped where this build or this kernel has none.
#include "ae/core/completions.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ae/base/clock.h"
#include "ae/base/prng.h"
#include "ae/core/poller.h"
#include "tests/contract/real_sockets.h"

namespace ae {
namespace {

class CompletionsTest : public ::testing::Test, protected CompletionSink {
 protected:
  void SetUp() override {
    Result<std::unique_ptr<Poller>> created = create_poller(Backend::kIoUring);
    if (!created) GTEST_SKIP() << created.error().message();
    poller_ = std::move(*created);
    completions_ = poller_->completions();
    if (completions_ == nullptr) GTEST_SKIP() << "no multishot receive here";
    completions_->set_sink(this);
  }
  void TearDown() override {
    poller_.reset();
    for (int fd : open_) real_os().close(fd);
  }

  void on_received(uint64_t token, MutableBytes data, uint16_t buffer) override {
    log_ += 'r';
    received_[token].append(data.data(), data.size());
    hold_ ? held_.push_back(buffer) : completions_->recycle(buffer);
  }
  void on_receive_ended(uint64_t token, IoResult why) override {
    log_ += 'e';
    EXPECT_TRUE(ended_.emplace(token, why).second) << "an end comes once";
    if (on_ended_) on_ended_(token);
  }
  void on_sent(uint64_t token, IoResult result) override {
    log_ += 's';
    sent_.emplace_back(token, result);
  }

  std::pair<int, int> pair() {
    const auto ends = contract::tcp_pair();
    open_.push_back(ends.first);
    open_.push_back(ends.second);
    return ends;
  }
  void forget(int fd) { std::erase(open_, fd); }
  void tick(std::optional<Nanoseconds> timeout = Nanoseconds::zero()) {
    std::array<ReadyEvent, 8> out;
    ASSERT_TRUE(poller_->wait(out, timeout).has_value());
    completions_->deliver();
  }
  // Ticks until it is so, for at most some seconds.
  void tick_until(const std::function<bool()>& done) {
    for (int i = 0; i < 5000 && !done(); ++i) tick(Milliseconds(1));
    ASSERT_TRUE(done());
  }
  void write(int fd, Bytes bytes) { ASSERT_EQ(real_os().write(fd, bytes).bytes, bytes.size()); }
  std::string read(int fd) {
    std::string bytes(4096, '\0');
    const IoResult got = real_os().read(fd, bytes);
    bytes.resize(got.bytes);
    return bytes;
  }

  std::unique_ptr<Poller> poller_;
  Completions* completions_ = nullptr;
  std::map<uint64_t, std::string> received_;
  std::map<uint64_t, IoResult> ended_;
  std::vector<std::pair<uint64_t, IoResult>> sent_;
  std::string log_;
  std::function<void(uint64_t)> on_ended_;
  bool hold_ = false;
  std::vector<uint16_t> held_;
  std::vector<int> open_;
};

// Tokens as the connection table makes them: generation and slot.
constexpr uint64_t token_of(uint32_t slot, uint32_t generation = 1) {
  return uint64_t{generation} << 32 | slot;
}

TEST_F(CompletionsTest, OneReceiveDeliversAgainAndAgain) {
  const auto [near, far] = pair();
  completions_->start_receive(near, token_of(3));
  for (const char* text : {"one", "two", "three"}) {
    write(far, text);
    tick_until([&] { return received_[token_of(3)].ends_with(text); });
  }
  EXPECT_EQ(received_[token_of(3)], "onetwothree");
  EXPECT_TRUE(ended_.empty());
}

TEST_F(CompletionsTest, WhatCameBeforeTheReceiveIsNotLost) {
  const auto [near, far] = pair();
  write(far, "early");
  completions_->start_receive(near, token_of(0));
  tick_until([&] { return received_[token_of(0)] == "early"; });
}

TEST_F(CompletionsTest, SendsAreAnsweredByTheNextWaitBeforeReceives) {
  const auto [near, far] = pair();
  completions_->start_receive(near, token_of(0));
  tick();
  write(far, "request");
  const std::string reply = "reply";
  completions_->send(near, token_of(0), reply);
  EXPECT_TRUE(sent_.empty());
  tick_until([&] { return log_.size() == 2; });
  EXPECT_EQ(log_, "sr");
  EXPECT_EQ(sent_[0].first, token_of(0));
  EXPECT_EQ(sent_[0].second.status, IoStatus::kOk);
  EXPECT_EQ(sent_[0].second.bytes, reply.size());
  EXPECT_EQ(read(far), "reply");
}

TEST_F(CompletionsTest, GatheredSendsKeepTheirOrder) {
  const auto [near, far] = pair();
  std::string a = "first ", b = "second ", c = "third";
  const std::array<iovec, 3> pieces = {iovec{a.data(), a.size()}, iovec{b.data(), b.size()},
                                       iovec{c.data(), c.size()}};
  completions_->sendv(near, token_of(1), pieces);
  tick();
  ASSERT_EQ(sent_.size(), 1u);
  EXPECT_EQ(sent_[0].second.bytes, a.size() + b.size() + c.size());
  EXPECT_EQ(read(far), "first second third");
}

TEST_F(CompletionsTest, ASendThatWouldBlockSaysSo) {
  const auto [near, far] = pair();
  const std::string block(1 << 20, 'x');
  for (int i = 0; i < 100 && (sent_.empty() || sent_.back().second.status == IoStatus::kOk); ++i) {
    completions_->send(near, token_of(0), block);
    tick();
    ASSERT_EQ(sent_.size(), static_cast<size_t>(i + 1)) << "answered within the wait";
  }
  EXPECT_EQ(sent_.back().second.status, IoStatus::kWouldBlock);
}

TEST_F(CompletionsTest, ASendToAVanishedPeerIsAnErrorAndNoSignal) {
  const auto [near, far] = pair();
  forget(far);
  contract::close_with_reset(far);
  const std::string text = "x";
  completions_->send(near, token_of(0), text);
  completions_->send(near, token_of(0), text);
  tick();
  ASSERT_EQ(sent_.size(), 2u);
  EXPECT_EQ(sent_[0].second.status, IoStatus::kError);
  EXPECT_EQ(sent_[1].second.error, EPIPE);
}

TEST_F(CompletionsTest, FinEndsTheReceiveAfterTheLastByte) {
  const auto [near, far] = pair();
  completions_->start_receive(near, token_of(0));
  write(far, "last");
  real_os().shutdown_write(far);
  tick_until([&] { return !ended_.empty(); });
  EXPECT_EQ(received_[token_of(0)], "last");
  EXPECT_EQ(ended_[token_of(0)].status, IoStatus::kEnd);
}

TEST_F(CompletionsTest, ResetEndsTheReceiveWithItsErrno) {
  const auto [near, far] = pair();
  completions_->start_receive(near, token_of(0));
  tick();
  forget(far);
  contract::close_with_reset(far);
  tick_until([&] { return !ended_.empty(); });
  EXPECT_EQ(ended_[token_of(0)].status, IoStatus::kError);
  EXPECT_EQ(ended_[token_of(0)].error, ECONNRESET);
}

TEST_F(CompletionsTest, StopEndsItAndItCanBeStartedAgain) {
  const auto [near, far] = pair();
  completions_->start_receive(near, token_of(0));
  tick();
  completions_->stop_receive(token_of(0));
  completions_->stop_receive(token_of(0));  // twice is once
  tick_until([&] { return !ended_.empty(); });
  EXPECT_EQ(ended_[token_of(0)].status, IoStatus::kOk);
  write(far, "while stopped");
  tick();
  EXPECT_EQ(received_[token_of(0)], "");
  completions_->start_receive(near, token_of(0));
  tick_until([&] { return received_[token_of(0)] == "while stopped"; });
}

TEST_F(CompletionsTest, StopBeforeTheFirstWait) {
  const auto [near, far] = pair();
  completions_->start_receive(near, token_of(0));
  completions_->stop_receive(token_of(0));
  tick_until([&] { return !ended_.empty(); });
  EXPECT_EQ(ended_[token_of(0)].status, IoStatus::kOk);
}

TEST_F(CompletionsTest, AReusedSlotIsAnotherReceive) {
  const auto [near, far] = pair();
  const auto [near2, far2] = pair();
  completions_->start_receive(near, token_of(5, 1));
  completions_->stop_receive(token_of(5, 1));
  tick_until([&] { return ended_.contains(token_of(5, 1)); });
  completions_->stop_receive(token_of(5, 1));  // it is gone: ignored
  completions_->start_receive(near2, token_of(5, 2));
  completions_->stop_receive(token_of(5, 1));  // nor is it its successor
  write(far, "old");
  write(far2, "new");
  tick_until([&] { return received_[token_of(5, 2)] == "new"; });
  EXPECT_FALSE(received_.contains(token_of(5, 1)));
}

TEST_F(CompletionsTest, ItMayBeStartedFromItsOwnEnd) {
  const auto [near, far] = pair();
  const int fd = near;
  on_ended_ = [&, again = false](uint64_t token) mutable {
    if (std::exchange(again, true)) return;
    completions_->start_receive(fd, token + (uint64_t{1} << 32));
  };
  completions_->start_receive(near, token_of(0));
  completions_->stop_receive(token_of(0));
  tick_until([&] { return !ended_.empty(); });
  write(far, "x");
  tick_until([&] { return received_[token_of(0, 2)] == "x"; });
}

// More ready connections than buffers, all of which the sink holds on to: nobody is told, and
// nothing is lost.
TEST_F(CompletionsTest, OutOfBuffersWaitsAndLosesNothing) {
  constexpr uint32_t kConnections = 1200;  // beyond the last buffer there can be
  std::vector<int> far_ends;
  for (uint32_t i = 0; i < kConnections; ++i) {
    const auto [near, far] = pair();
    far_ends.push_back(far);
    completions_->start_receive(near, token_of(i));
    write(far, std::to_string(i));
  }
  hold_ = true;
  size_t before = 0;
  do {
    before = held_.size();
    for (int i = 0; i < 5; ++i) tick(Milliseconds(2));
  } while (held_.size() > before);
  EXPECT_LT(held_.size(), kConnections);
  EXPECT_TRUE(ended_.empty());
  hold_ = false;
  for (uint16_t buffer : held_) completions_->recycle(buffer);
  tick_until([&] { return received_.size() == kConnections; });
  for (uint32_t i = 0; i < kConnections; ++i) EXPECT_EQ(received_[token_of(i)], std::to_string(i));
}

TEST_F(CompletionsTest, AStarvedReceiveCanBeStopped) {
  constexpr uint32_t kConnections = 1200;
  for (uint32_t i = 0; i < kConnections; ++i) {
    const auto [near, far] = pair();
    completions_->start_receive(near, token_of(i));
    write(far, "x");
  }
  hold_ = true;
  for (int i = 0; i < 50; ++i) tick(Milliseconds(1));
  for (uint32_t i = 0; i < kConnections; ++i) completions_->stop_receive(token_of(i));
  tick_until([&] { return ended_.size() == kConnections; });
  for (const auto& [token, why] : ended_) EXPECT_EQ(why.status, IoStatus::kOk);
}

// A long stream in pieces of any size comes through whole and in order.
TEST_F(CompletionsTest, AStreamArrivesWhole) {
  constexpr uint64_t kSeed = 4711;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  Prng random(kSeed);
  const auto [near, far] = pair();
  completions_->start_receive(near, token_of(0));
  std::string expected;
  while (expected.size() < 2'000'000) {
    std::string piece(random.between(1, 60'000), '\0');
    for (char& byte : piece) byte = static_cast<char>(random.next());
    Bytes rest = piece;
    while (!rest.empty()) {
      rest.remove_prefix(real_os().write(far, rest).bytes);
      tick();
    }
    expected += piece;
  }
  tick_until([&] { return received_[token_of(0)].size() == expected.size(); });
  EXPECT_EQ(received_[token_of(0)], expected);
}

// More sends in one tick than the submission ring holds.
TEST_F(CompletionsTest, MoreSendsThanTheRingHolds) {
  const auto [near, far] = pair();
  constexpr size_t kSends = 3000;
  const std::string one = "x";
  for (size_t i = 0; i < kSends; ++i) completions_->send(near, token_of(0), one);
  tick();
  tick_until([&] { return sent_.size() == kSends; });
  std::string all;
  tick_until([&, far = far] {
    all += read(far);
    return all.size() == kSends;
  });
}

TEST_F(CompletionsTest, WithoutASinkNothingHappens) {
  const auto [near, far] = pair();
  completions_->start_receive(near, token_of(0));
  completions_->set_sink(nullptr);
  write(far, "x");
  tick(Milliseconds(50));
  EXPECT_TRUE(received_.empty());
}

}  // namespace
}  // namespace ae
