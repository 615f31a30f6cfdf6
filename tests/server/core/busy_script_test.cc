// Scripts that do not end: the others are told so, one can kill them, and nothing they have done is
// seen before. The instructions are real, so the slices last real milliseconds; what the tests wait
// for they wait for by ticks.
#include <gtest/gtest.h>

#include <string>

#include "../stage.h"
#include "server/command/blocking.h"

namespace millrace {
namespace {

constexpr std::string_view kForEver = "while true do end";
constexpr std::string_view kBusy =
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
constexpr std::string_view kBusyFunction =
    "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";
constexpr std::string_view kKilled = "ERR Script killed by user with SCRIPT KILL...";

// With and without IO threads.
class BusyScript : public testing::TestWithParam<size_t> {
 protected:
  // Until somebody is told that a script is busy.
  static void await_busy(Talker& witness, std::string_view text = kBusy) {
    for (int tries = 0; tries < 10'000; ++tries) {
      if (witness.ask({"PING"}).text == text) return;
    }
    FAIL() << "no script is busy";
  }

  Stage stage_{{.io_threads = GetParam(), .settings = {"--busy-reply-threshold", "1"}}};
  Talker runner_{stage_}, other_{stage_};
};

TEST_P(BusyScript, OthersAreToldAndItCanBeKilled) {
  runner_.send(proto::encode_request({"EVAL", kForEver, "0"}));
  await_busy(other_);
  EXPECT_EQ(other_.ask({"SET", "k", "v"}).text, kBusy);
  EXPECT_EQ(other_.ask({"EVAL", "return 1", "0"}).text, kBusy);
  EXPECT_EQ(other_.ask({"MULTI"}).text, "OK");
  EXPECT_EQ(other_.ask({"DISCARD"}).text, "OK");
  EXPECT_EQ(other_.ask({"FUNCTION", "KILL"}).text, kBusy);
  EXPECT_EQ(other_.ask({"FUNCTION", "STATS"}).text, kBusy);
  EXPECT_EQ(other_.ask({"SHUTDOWN"}).text, kBusy);
  EXPECT_EQ(other_.ask({"SCRIPT", "KILL"}).text, "OK");
  EXPECT_TRUE(runner_.await()->text.starts_with(kKilled));
  EXPECT_EQ(other_.ask({"PING"}).text, "PONG");
  EXPECT_EQ(runner_.ask({"PING"}).text, "PONG");
  EXPECT_EQ(other_.ask({"SCRIPT", "KILL"}).text, "NOTBUSY No scripts in execution right now.");
}

TEST_P(BusyScript, WhatItsClientHasSentWaitsItsTurn) {
  runner_.send(proto::encode_request({"EVAL", kForEver, "0"}) +
               proto::encode_request({"ECHO", "after"}));
  await_busy(other_);
  runner_.send(proto::encode_request({"ECHO", "later"}));
  EXPECT_EQ(other_.ask({"SCRIPT", "KILL"}).text, "OK");
  EXPECT_TRUE(runner_.await()->text.starts_with(kKilled));
  EXPECT_EQ(runner_.await()->text, "after");
  EXPECT_EQ(runner_.await()->text, "later");
}

TEST_P(BusyScript, CannotCatchItsEnd) {
  runner_.send(proto::encode_request(
      {"EVAL", "while true do pcall(function() while true do end end) end", "0"}));
  await_busy(other_);
  EXPECT_EQ(other_.ask({"SCRIPT", "KILL"}).text, "OK");
  EXPECT_TRUE(runner_.await()->text.starts_with(kKilled));
}

// Where a coroutine of Lua could not be left.
TEST_P(BusyScript, StepsAsideWithinCallbacksOfTheLibrary) {
  for (const std::string_view script :
       {"string.gsub('x', 'x', function() while true do end end)",
        "table.sort({2, 1}, function() while true do end end)",
        "local t = setmetatable({}, {__index = function() while true do end end}) return t.x",
        "coroutine.wrap(function() while true do end end)()"}) {
    runner_.send(proto::encode_request({"EVAL", script, "0"}));
    await_busy(other_);
    EXPECT_EQ(other_.ask({"SCRIPT", "KILL"}).text, "OK");
    EXPECT_TRUE(runner_.await()->text.starts_with(kKilled)) << script;
  }
}

TEST_P(BusyScript, OneThatHasWrittenIsNotKilledAndNobodySeesWhatItDid) {
  Talker waiting(stage_);
  waiting.send(proto::encode_request({"BLPOP", "list", "0"}));
  while (stage_.server().services().blocking.client_count() == 0) stage_.tick();
  runner_.send(proto::encode_request(
      {"EVAL",
       "redis.call('RPUSH', 'list', 'a', 'b') local n = 0 while n < 2e7 do n = n + 1 end "
       "return redis.call('LPOP', 'list')",
       "0"}));
  await_busy(other_);
  EXPECT_TRUE(other_.ask({"SCRIPT", "KILL"}).text.starts_with("UNKILLABLE Sorry"));
  // 'a' is its own, though somebody has been waiting for the key all the time.
  EXPECT_EQ(runner_.await()->text, "a");
  const auto popped = waiting.await();
  ASSERT_TRUE(popped && popped->children.size() == 2);
  EXPECT_EQ(popped->children[1].text, "b");
}

TEST_P(BusyScript, WithinATransactionTheRestFollowsIt) {
  runner_.ask({"MULTI"});
  runner_.ask({"SET", "k", "1"});
  runner_.ask({"EVAL", kForEver, "0"});
  runner_.ask({"INCR", "k"});
  runner_.send(proto::encode_request({"EXEC"}));
  await_busy(other_);
  EXPECT_EQ(other_.ask({"SCRIPT", "KILL"}).text, "OK");
  const auto replies = runner_.await();
  ASSERT_EQ(replies->children.size(), 3u);
  EXPECT_EQ(replies->children[0].text, "OK");
  EXPECT_TRUE(replies->children[1].text.starts_with(kKilled));
  EXPECT_EQ(other_.ask({"GET", "k"}).text, "2");
}

TEST_P(BusyScript, FunctionsAreKilledByTheirOwnCommand) {
  other_.ask({"FUNCTION", "LOAD",
              "#!lua name=l\nredis.register_function('f', function() while true do end end)"});
  runner_.send(proto::encode_request({"FCALL", "f", "0"}));
  await_busy(other_, kBusyFunction);
  EXPECT_EQ(other_.ask({"SCRIPT", "KILL"}).text, kBusyFunction);
  const auto stats = other_.ask({"FUNCTION", "STATS"});
  ASSERT_EQ(stats.children[1].children.size(), 6u);
  EXPECT_EQ(stats.children[1].children[1].text, "f");
  EXPECT_EQ(stats.children[1].children[3].children[0].text, "FCALL");
  EXPECT_EQ(other_.ask({"FUNCTION", "KILL"}).text, "OK");
  EXPECT_TRUE(runner_.await()->text.starts_with(kKilled));
}

// The script's stack refers to the session.
TEST_P(BusyScript, OutlivesItsClient) {
  {
    Talker leaving(stage_);
    leaving.send(proto::encode_request({"EVAL", kForEver, "0"}));
    await_busy(other_);
  }
  for (int ticks = 0; ticks < 20; ++ticks) stage_.tick();
  EXPECT_EQ(other_.ask({"PING"}).text, kBusy);
  EXPECT_EQ(other_.ask({"SCRIPT", "KILL"}).text, "OK");
  for (int tries = 0; tries < 100; ++tries)
    if (other_.ask({"PING"}).text == "PONG") return;
  FAIL() << "it goes on";
}

TEST_P(BusyScript, TimeStandsStillForIt) {
  other_.ask({"SET", "k", "v", "PX", "5"});
  runner_.send(proto::encode_request(
      {"EVAL",
       "local a = redis.call('PTTL', 'k') local n = 0 while n < 2e7 do n = n + 1 end "
       "return a - redis.call('PTTL', 'k')",
       "0"}));
  await_busy(other_);
  stage_.pass(ae::Milliseconds(100));
  EXPECT_EQ(runner_.await()->integer, 0);
  EXPECT_EQ(other_.ask({"EXISTS", "k"}).integer, 0);
}

// The destructor of the stage has a stack to unwind; AddressSanitizer watches it.
TEST_P(BusyScript, TheServerEndsAllTheSame) {
  runner_.send(
      proto::encode_request({"EVAL", "redis.call('SET', 'k', 'v') while true do end", "0"}));
  await_busy(other_);
}

TEST_P(BusyScript, ZeroMeansNever) {
  other_.ask({"CONFIG", "SET", "busy-reply-threshold", "0"});
  EXPECT_EQ(
      runner_.ask({"EVAL", "local n = 0 while n < 1e7 do n = n + 1 end return n", "0"}).integer,
      10'000'000);
  EXPECT_EQ(other_.ask({"PING"}).text, "PONG");
}

INSTANTIATE_TEST_SUITE_P(Threads, BusyScript, testing::Values(0, 2));

}  // namespace
}  // namespace millrace
