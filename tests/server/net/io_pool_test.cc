// The IO pool as its clients see it: the real server on the simulator, two IO threads, loops ticked
// in an order drawn anew each time. (Every transcript runs so too: transcript_test.cc.)
#include <gtest/gtest.h>

#include "tests/server/stage.h"

namespace millrace {
namespace {

using Command = std::initializer_list<std::string_view>;

std::string encoded(Command command) {
  return proto::encode_request(command);
}

std::string text(const std::optional<proto::ReplyValue>& reply) {
  return reply ? reply->text : "(none)";
}

// The thread of a client, by CLIENT INFO.
int thread_of(Talker& talker) {
  const std::string line = talker.ask({"CLIENT", "INFO"}).text;
  return std::atoi(line.c_str() + line.find("io-thread=") + 10);
}

class IoPoolTest : public testing::Test {
 protected:
  void TearDown() override {
    for (int i = 0; i < 20; ++i) stage_.tick();
    for (const std::string& misuse : stage_.misuses()) ADD_FAILURE() << misuse;
  }
  void settle() {
    for (int i = 0; i < 20; ++i) stage_.tick();
  }

  Stage stage_{{.completions = false, .io_threads = 2, .settings = {}}};
};

TEST_F(IoPoolTest, NewcomersAreSpreadOverTheThreads) {
  Talker a(stage_), b(stage_), c(stage_), d(stage_);
  const int first = thread_of(a), second = thread_of(b);
  EXPECT_EQ(first + second, 3);
  EXPECT_EQ(thread_of(c) + thread_of(d), 3);
}

TEST_F(IoPoolTest, APipelineIsAnsweredInOrder) {
  Talker talker(stage_);
  std::string requests;
  constexpr int kRequests = 10'000;  // more than a batch takes, and than a socket has room for
  for (int i = 0; i < kRequests; ++i) requests += encoded({"ECHO", std::to_string(i)});
  talker.send(requests);
  for (int i = 0; i < kRequests; ++i) ASSERT_EQ(text(talker.await()), std::to_string(i));
}

// What is pushed to a client and what is replied to it take the same way, in the order of the
// making.
TEST_F(IoPoolTest, PushesAndRepliesKeepTheirOrder) {
  Talker watcher(stage_), other(stage_);
  ASSERT_NE(thread_of(watcher), thread_of(other));
  watcher.ask({"MONITOR"});
  for (int i = 0; i < 100; ++i) other.ask({"SET", "key", std::to_string(i)});
  for (int i = 0; i < 100; ++i) {
    const std::string line = text(watcher.await());
    EXPECT_NE(line.find("\"SET\" \"key\" \"" + std::to_string(i) + "\""), std::string::npos)
        << line;
  }
}

TEST_F(IoPoolTest, AByteAtATime) {
  Talker talker(stage_);
  for (const char c : encoded({"SET", "key", "value"}) + encoded({"GET", "key"}))
    talker.send({&c, 1});
  EXPECT_EQ(text(talker.await()), "OK");
  EXPECT_EQ(text(talker.await()), "value");
}

TEST_F(IoPoolTest, WhatIsNotRespIsAnsweredBehindWhatCameBefore) {
  Talker talker(stage_);
  talker.send(encoded({"SET", "key", "1"}) + encoded({"INCR", "key"}) + "*1\r\n+x\r\n");
  EXPECT_EQ(text(talker.await()), "OK");
  EXPECT_EQ(talker.await()->integer, 2);
  EXPECT_EQ(text(talker.await()), "ERR Protocol error: expected '$', got '+'");
}

TEST_F(IoPoolTest, AClientKillsAnother) {
  Talker killer(stage_), victim(stage_);
  const std::string id = std::to_string(victim.ask({"CLIENT", "ID"}).integer);
  EXPECT_EQ(killer.ask({"CLIENT", "KILL", "ID", id}).integer, 1);
  settle();
  const std::string list = killer.ask({"CLIENT", "LIST"}).text;
  EXPECT_EQ(list.find("id=" + id + " "), std::string::npos) << list;
}

// Before its thread has told main which connection it is.
TEST_F(IoPoolTest, ANewcomerIsKilledBeforeItIsKnown) {
  Talker killer(stage_);
  killer.ask({"PING"});
  Talker victim(stage_);
  killer.send(encoded({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}));
  killer.await();
  settle();
  killer.send(encoded({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}));
  killer.await();
  settle();
  const std::string list = killer.ask({"CLIENT", "LIST"}).text;
  EXPECT_EQ(std::count(list.begin(), list.end(), '\n'), 1) << list;
}

TEST_F(IoPoolTest, TheNumberOfThreadsChanges) {
  Talker a(stage_), b(stage_);
  ASSERT_EQ(thread_of(a) + thread_of(b), 3);
  EXPECT_EQ(a.ask({"CONFIG", "SET", "io-threads", "5"}).text, "OK");
  EXPECT_EQ(stage_.threads(), 4u);
  Talker c(stage_);
  EXPECT_GE(thread_of(c), 3);

  // Nobody new for threads that are no longer wanted; who is there is served on.
  EXPECT_EQ(b.ask({"CONFIG", "SET", "io-threads", "1"}).text, "OK");
  Talker d(stage_);
  EXPECT_EQ(thread_of(d), 0);
  EXPECT_EQ(a.ask({"SET", "key", "value"}).text, "OK");
  EXPECT_EQ(d.ask({"GET", "key"}).text, "value");
}

TEST_F(IoPoolTest, AThreadEndsWithItsLastClient) {
  Talker stays(stage_);
  {
    Talker goes(stage_);
    thread_of(goes);
    stays.ask({"CONFIG", "SET", "io-threads", "1"});
    settle();
    EXPECT_EQ(stage_.threads(), 2u);
  }
  settle();
  EXPECT_EQ(stage_.threads(), 1u);
  EXPECT_EQ(stays.ask({"PING"}).text, "PONG");
}

TEST_F(IoPoolTest, AThreadIsWantedAgainWhileItStillHasClients) {
  Talker a(stage_), b(stage_);
  thread_of(a);
  a.ask({"CONFIG", "SET", "io-threads", "1"});
  a.ask({"CONFIG", "SET", "io-threads", "3"});
  EXPECT_EQ(stage_.threads(), 2u);
  Talker c(stage_);
  EXPECT_GT(thread_of(c), 0);
}

TEST_F(IoPoolTest, InfoTellsOfEachThread) {
  Talker talker(stage_);
  const std::string info = talker.ask({"INFO", "threads"}).text;
  EXPECT_NE(info.find("io_thread_1:clients="), std::string::npos) << info;
  EXPECT_NE(info.find("io_thread_2:clients="), std::string::npos) << info;
}

TEST_F(IoPoolTest, PasswordsNarrowTheLimitsUntilTheyAreGiven) {
  Talker admin(stage_);
  admin.ask({"CONFIG", "SET", "requirepass", "secret"});
  Talker talker(stage_);
  EXPECT_EQ(talker.ask({"GET", "key"}).text, "NOAUTH Authentication required.");
  // In one piece: the second is parsed when the first has been answered.
  talker.send(encoded({"AUTH", "secret"}) + encoded({"SET", "key", std::string(20'000, 'x')}));
  EXPECT_EQ(text(talker.await()), "OK");
  EXPECT_EQ(text(talker.await()), "OK");
  Talker stranger(stage_);
  stranger.send("*2\r\n$4\r\nECHO\r\n$20000\r\n");
  EXPECT_EQ(text(stranger.await()), "ERR Protocol error: unauthenticated bulk length");
}

// A request met a pause while the next one was half there: both come again in one piece, and what
// the parser remembered of the half counts from a byte that is the first no longer.
class HalfARequestBehindAPause : public testing::TestWithParam<size_t> {};

TEST_P(HalfARequestBehindAPause, BothRunWhenItEnds) {
  Stage stage({.completions = false, .io_threads = GetParam(), .settings = {}});
  Talker talker(stage), other(stage);
  other.ask({"CLIENT", "PAUSE", "100000", "WRITE"});
  const std::string second = encoded({"SET", "b", std::string(100, 'b')});
  talker.send(encoded({"SET", "a", "1"}) + second.substr(0, 40));
  for (int i = 0; i < 20; ++i) stage.tick();
  other.ask({"CLIENT", "UNPAUSE"});
  // The first one waits for nothing more, though the second misses sixty bytes.
  EXPECT_EQ(text(talker.await()), "OK");
  talker.send(second.substr(40));
  EXPECT_EQ(text(talker.await()), "OK");
  EXPECT_EQ(other.ask({"GET", "b"}).text, std::string(100, 'b'));
}
INSTANTIATE_TEST_SUITE_P(IoThreads, HalfARequestBehindAPause, testing::Values(0, 1, 2));

}  // namespace
}  // namespace millrace
