// Invalidation messages that go to another connection, and the bound on what is remembered: what
// needs the number of a connection or of the keys, which transcripts cannot know.
#include <gtest/gtest.h>

#include <string>

#include "tests/server/sim_server.h"

namespace millrace {
namespace {

std::string id_of(SimClient& client) {
  const std::string reply = client.ask({"CLIENT", "ID"});
  return reply.substr(1, reply.find('\r') - 1);
}

constexpr std::string_view kMessageOfK =
    "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n";
constexpr std::string_view kPushOfK = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n";

class Redirect : public testing::Test {
 protected:
  // The reader's messages go to `listener`, which speaks RESP2 and hence subscribes.
  void redirect(SimClient& reader, SimClient& listener) {
    listener.ask({"SUBSCRIBE", "__redis__:invalidate"});
    EXPECT_EQ(reader.ask({"CLIENT", "TRACKING", "ON", "REDIRECT", listener_id_}), "+OK\r\n");
    reader.ask({"GET", "k"});
  }
  SimClient dial_listener() {
    SimClient listener = server_.dial();
    listener_id_ = id_of(listener);
    return listener;
  }

  SimServer server_;
  std::string listener_id_;
};

TEST_F(Redirect, ASubscriberOfRespTwoGetsAMessage) {
  SimClient listener = dial_listener();
  SimClient reader = server_.dial();
  redirect(reader, listener);
  EXPECT_EQ(reader.ask({"CLIENT", "GETREDIR"}), ":" + listener_id_ + "\r\n");
  server_.dial().ask({"SET", "k", "v"});
  server_.spin();
  EXPECT_EQ(listener.read(), kMessageOfK);
  EXPECT_EQ(reader.read(), "") << "nothing for the one who read";
}

TEST_F(Redirect, AFlushIsAMessageWithoutKeys) {
  SimClient listener = dial_listener();
  SimClient reader = server_.dial();
  redirect(reader, listener);
  server_.dial().ask({"FLUSHALL"});
  server_.spin();
  EXPECT_EQ(listener.read(), "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*-1\r\n");
}

TEST_F(Redirect, OneWhoDoesNotSubscribeGetsNothingInRespTwo) {
  SimClient listener = dial_listener();
  SimClient reader = server_.dial();
  reader.ask({"CLIENT", "TRACKING", "ON", "REDIRECT", listener_id_});
  reader.ask({"GET", "k"});
  server_.dial().ask({"SET", "k", "v"});
  server_.spin();
  EXPECT_EQ(listener.read(), "");
}

TEST_F(Redirect, InRespThreeItIsAPush) {
  SimClient listener = dial_listener();
  listener.ask({"HELLO", "3"});
  SimClient reader = server_.dial();
  reader.ask({"CLIENT", "TRACKING", "ON", "REDIRECT", listener_id_});
  reader.ask({"GET", "k"});
  server_.dial().ask({"SET", "k", "v"});
  server_.spin();
  EXPECT_EQ(listener.read(), kPushOfK);
}

TEST_F(Redirect, ThatTheListenerLeftIsToldOnce) {
  SimClient reader = server_.dial();
  reader.ask({"HELLO", "3"});
  SimClient writer = server_.dial();
  {
    SimClient listener = dial_listener();
    redirect(reader, listener);
    reader.ask({"GET", "l"});
  }
  server_.spin();
  writer.ask({"SET", "k", "v"});
  server_.spin();
  EXPECT_EQ(reader.read(), ">2\r\n$21\r\ntracking-redir-broken\r\n:" + listener_id_ + "\r\n");
  writer.ask({"SET", "l", "v"});
  server_.spin();
  EXPECT_EQ(reader.read(), "") << "once";
  EXPECT_NE(reader.ask({"CLIENT", "TRACKINGINFO"}).find("broken_redirect"), std::string::npos);
}

TEST_F(Redirect, ThereIsOneListenerOnly) {
  SimClient listener = dial_listener();
  SimClient reader = server_.dial();
  EXPECT_EQ(
      reader.ask({"CLIENT", "TRACKING", "ON", "REDIRECT", listener_id_, "REDIRECT", listener_id_}),
      "-ERR A client can only redirect to a single other client\r\n");
}

TEST(TrackingTable, BeyondItsLimitAKeyIsForgottenAndItsReaderTold) {
  SimServer server({"--tracking-table-max-keys", "2"});
  SimClient reader = server.dial();
  reader.ask({"HELLO", "3"});
  reader.ask({"CLIENT", "TRACKING", "ON"});
  std::string pushed;
  for (const std::string_view key : {"a", "b", "c", "d"}) pushed += reader.ask({"GET", key});
  server.pass(ae::Milliseconds(200));
  pushed += reader.read();
  size_t messages = 0;
  for (size_t at = 0; (at = pushed.find("invalidate", at)) != std::string::npos; ++at) ++messages;
  EXPECT_EQ(messages, 2u) << pushed;
  EXPECT_NE(reader.ask({"INFO", "stats"}).find("tracking_total_keys:2\r\n"), std::string::npos);
}

}  // namespace
}  // namespace millrace
