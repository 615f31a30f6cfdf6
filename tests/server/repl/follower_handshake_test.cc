#include "server/repl/follower_handshake.h"

#include <gtest/gtest.h>

#include "proto/request_writer.h"

namespace millrace {
namespace {

using Outcome = FollowerHandshake::Outcome;
const std::string kId(40, 'a');

struct Talk {
  Outcome outcome;
  std::string said;
  std::string rest;  // what the handshake left for whoever comes next
};

// The master's side of it, `piece` bytes at a time.
Talk talk(FollowerHandshake& handshake, std::string_view master, size_t piece) {
  Talk talk{Outcome::kPending, handshake.begin(), {}};
  while (!master.empty()) {
    std::string_view bytes = master.substr(0, piece);
    master.remove_prefix(bytes.size());
    while (!bytes.empty() && talk.outcome == Outcome::kPending) {
      const FollowerHandshake::Step step = handshake.feed(bytes);
      bytes.remove_prefix(step.consumed);
      talk.said += step.send;
      talk.outcome = step.outcome;
    }
    talk.rest += bytes;
  }
  return talk;
}

// However the bytes are cut.
void expect_talk(const FollowerHandshake::Terms& terms, std::string_view master, Outcome outcome,
                 std::string_view said) {
  for (size_t piece = 1; piece <= master.size(); ++piece) {
    FollowerHandshake handshake(terms);
    const Talk got = talk(handshake, master, piece);
    ASSERT_EQ(got.outcome, outcome) << "in pieces of " << piece << ": " << handshake.problem();
    ASSERT_EQ(got.said, said) << "in pieces of " << piece;
  }
}

std::string ping() {
  return proto::encode_request({"PING"});
}

std::string introduction() {
  return proto::encode_request({"REPLCONF", "listening-port", "6379"}) +
         proto::encode_request({"REPLCONF", "capa", "eof", "capa", "psync2"});
}

TEST(FollowerHandshake, AsksForEverything) {
  expect_talk({.listening_port = 6379}, "+PONG\r\n+OK\r\n+OK\r\n+FULLRESYNC " + kId + " 17\r\n",
              Outcome::kFullSync,
              ping() + introduction() + proto::encode_request({"PSYNC", "?", "-1"}));
}

TEST(FollowerHandshake, KnowsWhatItWasGranted) {
  FollowerHandshake handshake({.listening_port = 6379});
  const Talk got =
      talk(handshake, "+PONG\r\n+OK\r\n+OK\r\n\n\n+FULLRESYNC " + kId + " 17\r\n$5\r\nhello", 1000);
  EXPECT_EQ(got.outcome, Outcome::kFullSync);
  EXPECT_EQ(handshake.granted(), (ResumePoint{kId, 17}));
  EXPECT_EQ(got.rest, "$5\r\nhello");
}

TEST(FollowerHandshake, GoesOnWhereItStopped) {
  FollowerHandshake::Terms terms{.listening_port = 6379, .resume = ResumePoint{kId, 123}};
  const std::string said = ping() + introduction() + proto::encode_request({"PSYNC", kId, "123"});
  expect_talk(terms, "+PONG\r\n+OK\r\n+OK\r\n+CONTINUE\r\n", Outcome::kContinue, said);
  const std::string other(40, 'b');
  expect_talk(terms, "+PONG\r\n+OK\r\n+OK\r\n+CONTINUE " + other + "\r\n", Outcome::kContinue,
              said);
  FollowerHandshake handshake(terms);
  talk(handshake, "+PONG\r\n+OK\r\n+OK\r\n+CONTINUE " + other + "\r\n", 1000);
  EXPECT_EQ(handshake.granted().id, other);
}

TEST(FollowerHandshake, LogsIn) {
  const std::string rest = proto::encode_request({"PSYNC", "?", "-1"});
  const std::string answers = "-NOAUTH Authentication required.\r\n+OK\r\n+OK\r\n+OK\r\n";
  const std::string granted = "+FULLRESYNC " + kId + " 0\r\n";
  expect_talk({.password = "secret", .listening_port = 6379}, answers + granted, Outcome::kFullSync,
              ping() + proto::encode_request({"AUTH", "secret"}) + introduction() + rest);
  expect_talk({.user = "mill", .password = "secret", .listening_port = 6379}, answers + granted,
              Outcome::kFullSync,
              ping() + proto::encode_request({"AUTH", "mill", "secret"}) + introduction() + rest);
  FollowerHandshake handshake({.password = "wrong", .listening_port = 6379});
  EXPECT_EQ(talk(handshake, "-NOAUTH x\r\n-WRONGPASS no\r\n", 7).outcome, Outcome::kFailed);
  EXPECT_EQ(handshake.problem(), "Unable to AUTH to MASTER: -WRONGPASS no");
}

TEST(FollowerHandshake, ToldWhereItIs) {
  expect_talk({.listening_port = 1, .announced_ip = "10.0.0.9"},
              "+PONG\r\n-ERR old\r\n-ERR old\r\n-ERR old\r\n+FULLRESYNC " + kId + " 0\r\n",
              Outcome::kFullSync,
              ping() + proto::encode_request({"REPLCONF", "listening-port", "1"}) +
                  proto::encode_request({"REPLCONF", "ip-address", "10.0.0.9"}) +
                  proto::encode_request({"REPLCONF", "capa", "eof", "capa", "psync2"}) +
                  proto::encode_request({"PSYNC", "?", "-1"}));
}

TEST(FollowerHandshake, OldMastersAreAskedToSync) {
  expect_talk({.listening_port = 6379}, "+PONG\r\n+OK\r\n-ERR\r\n-ERR unknown command\r\n",
              Outcome::kOldSync,
              ping() + introduction() + proto::encode_request({"PSYNC", "?", "-1"}) +
                  proto::encode_request({"SYNC"}));
}

TEST(FollowerHandshake, GivesUpOnWhatCannotBe) {
  const std::string up_to_psync = "+PONG\r\n+OK\r\n+OK\r\n";
  for (const std::string& master :
       {std::string("-LOADING busy\r\n"), std::string("what?\r\n"),
        up_to_psync + "-NOMASTERLINK Can't SYNC while not connected with my master\r\n",
        up_to_psync + "-LOADING\r\n", up_to_psync + "+FULLRESYNC x 1\r\n",
        up_to_psync + "+FULLRESYNC " + kId + "\r\n", up_to_psync + "+FULLRESYNC " + kId + " -1\r\n",
        up_to_psync + "+CONTINUE\r\n",  // nobody asked
        up_to_psync + "+OK\r\n", std::string(3000, 'x')}) {
    for (size_t piece = 1; piece <= 64; ++piece) {
      FollowerHandshake handshake({.listening_port = 6379});
      ASSERT_EQ(talk(handshake, master, piece).outcome, Outcome::kFailed) << master;
      ASSERT_NE(handshake.problem(), "");
    }
  }
}

TEST(FollowerHandshake, TakesOver) {
  FollowerHandshake handshake(
      {.listening_port = 6379, .resume = ResumePoint{kId, 9}, .failover = true});
  const Talk got = talk(handshake, "+PONG\r\n+OK\r\n+OK\r\n-ERR no\r\n", 5);
  EXPECT_EQ(got.outcome, Outcome::kFailed);
  EXPECT_TRUE(got.said.ends_with(proto::encode_request({"PSYNC", kId, "9", "FAILOVER"})));
  EXPECT_EQ(handshake.problem(), "Failover target rejected psync request: -ERR no");
}

}  // namespace
}  // namespace millrace
