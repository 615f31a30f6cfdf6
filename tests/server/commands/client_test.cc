// CLIENT and the connection commands, as far as they need more than one client or the clock.
// Replies and errors of each are in tests/transcripts/connection.
#include <gtest/gtest.h>

#include "tests/server/commands/command_rig.h"

namespace millrace {
namespace {

class ClientCommandTest : public testing::Test {
 protected:
  std::string run(Session& session, std::vector<std::string_view> args) {
    return rig_.run(session, std::move(args));
  }
  bool closed(const Session& session) { return rig_.link.clients[session.id].closed; }

  CommandRig rig_;
  Session& alice_ = rig_.connect();
  Session& bob_ = rig_.connect();
};

TEST_F(ClientCommandTest, ListShowsEveryClientOnceInOrder) {
  run(alice_, {"CLIENT", "SETNAME", "alice"});
  run(bob_, {"SELECT", "3"});
  rig_.advance(5000);
  rig_.link.unread = 7;
  EXPECT_EQ(run(alice_, {"CLIENT", "INFO"}).find("$"), 0u);
  const std::string list = run(alice_, {"CLIENT", "LIST"});
  const std::string line_of_bob =
      "id=2 addr=10.0.0.1:1002 laddr=10.0.0.2:6379 fd=12 name= age=5 idle=5 flags=N db=3 sub=0 "
      "psub=0 ssub=0 multi=-1 qbuf=7 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 "
      "omem=0 tot-mem=";
  EXPECT_NE(list.find("id=1 addr=10.0.0.1:1001 laddr=10.0.0.2:6379 fd=11 name=alice"),
            std::string::npos);
  EXPECT_NE(list.find(line_of_bob), std::string::npos) << list;
  EXPECT_NE(
      list.find(
          "events=r cmd=select user=default redir=-1 resp=2 lib-name= lib-ver= io-thread=0\n"),
      std::string::npos);
  EXPECT_LT(list.find("id=1 "), list.find("id=2 "));
}

TEST_F(ClientCommandTest, ListByIdKeepsTheOrderOfTheIds) {
  const std::string list = run(alice_, {"CLIENT", "LIST", "ID", "2", "99", "1"});
  EXPECT_LT(list.find("id=2 "), list.find("id=1 "));
  EXPECT_EQ(list.find("id=99"), std::string::npos);
}

TEST_F(ClientCommandTest, FlagsAreShown) {
  run(bob_, {"CLIENT", "NO-EVICT", "ON"});
  run(bob_, {"CLIENT", "NO-TOUCH", "ON"});
  EXPECT_NE(run(alice_, {"CLIENT", "LIST"}).find("flags=eT "), std::string::npos);
  run(bob_, {"CLIENT", "NO-EVICT", "OFF"});
  EXPECT_NE(run(alice_, {"CLIENT", "LIST"}).find("flags=T "), std::string::npos);
}

TEST_F(ClientCommandTest, KillByAddress) {
  EXPECT_EQ(run(alice_, {"CLIENT", "KILL", "10.0.0.1:1002"}), "+OK\r\n");
  EXPECT_TRUE(closed(bob_));
  EXPECT_FALSE(closed(alice_));
}

TEST_F(ClientCommandTest, KillingOneselfAnswersFirst) {
  EXPECT_EQ(run(alice_, {"CLIENT", "KILL", "10.0.0.1:1001"}), "+OK\r\n");
  EXPECT_FALSE(closed(alice_));  // the executor closes behind the reply
  EXPECT_TRUE(alice_.has(SessionFlag::kClosing));
}

TEST_F(ClientCommandTest, KillFiltersAreAConjunctionThatSparesTheCaller) {
  EXPECT_EQ(run(alice_, {"CLIENT", "KILL", "TYPE", "normal", "ID", "1"}), ":0\r\n");
  EXPECT_EQ(run(alice_, {"CLIENT", "KILL", "ID", "2", "ADDR", "10.0.0.1:1"}), ":0\r\n");
  EXPECT_EQ(run(alice_, {"CLIENT", "KILL", "LADDR", "10.0.0.2:6379"}), ":1\r\n");
  EXPECT_TRUE(closed(bob_));
  EXPECT_EQ(run(alice_, {"CLIENT", "KILL", "ID", "2"}), ":0\r\n") << "it is closing already";
  EXPECT_EQ(run(alice_, {"CLIENT", "KILL", "ID", "1", "SKIPME", "no"}), ":1\r\n");
  EXPECT_TRUE(alice_.has(SessionFlag::kClosing));
}

TEST_F(ClientCommandTest, PauseOfWritesEndsByItself) {
  EXPECT_EQ(run(alice_, {"CLIENT", "PAUSE", "1000", "WRITE"}), "+OK\r\n");
  EXPECT_EQ(run(bob_, {"SET", "k", "v"}), "(waits)");
  EXPECT_EQ(run(bob_, {"GET", "k"}), "$-1\r\n");
  rig_.advance(999);
  EXPECT_EQ(run(bob_, {"SET", "k", "v"}), "(waits)");
  rig_.advance(1);
  EXPECT_EQ(run(bob_, {"SET", "k", "v"}), "+OK\r\n");
}

TEST_F(ClientCommandTest, PauseOfAllEndsWithUnpause) {
  run(alice_, {"CLIENT", "PAUSE", "100000"});
  EXPECT_EQ(run(bob_, {"GET", "k"}), "(waits)");
  rig_.clients.park(bob_, "");
  EXPECT_TRUE(rig_.link.clients[bob_.id].suspended);
  EXPECT_EQ(run(alice_, {"CLIENT", "UNPAUSE"}), "+OK\r\n");
  EXPECT_FALSE(rig_.link.clients[bob_.id].suspended);
  EXPECT_EQ(run(bob_, {"GET", "k"}), "$-1\r\n");
}

TEST_F(ClientCommandTest, PauseTimesThatDoNotFit) {
  EXPECT_EQ(run(alice_, {"CLIENT", "PAUSE", "9223372036854775807"}),
            "-ERR timeout is out of range\r\n");
}

TEST_F(ClientCommandTest, ReplySkipHidesItselfAndOneMore) {
  EXPECT_EQ(run(alice_, {"CLIENT", "REPLY", "SKIP"}), "");
  EXPECT_EQ(run(alice_, {"PING"}), "");
  EXPECT_EQ(run(alice_, {"PING"}), "+PONG\r\n");
}

TEST_F(ClientCommandTest, ReplyOffHidesUpToOn) {
  EXPECT_EQ(run(alice_, {"CLIENT", "REPLY", "OFF"}), "");
  EXPECT_EQ(run(alice_, {"PING"}), "");
  EXPECT_EQ(run(alice_, {"CLIENT", "REPLY", "SKIP"}), "");
  EXPECT_EQ(run(alice_, {"CLIENT", "REPLY", "ON"}), "+OK\r\n") << "SKIP means nothing while OFF";
}

TEST_F(ClientCommandTest, ResetForgetsAllButTheLibrary) {
  run(alice_, {"HELLO", "3", "SETNAME", "alice"});
  run(alice_, {"CLIENT", "SETINFO", "lib-name", "lib"});
  run(alice_, {"SELECT", "2"});
  run(alice_, {"CLIENT", "NO-TOUCH", "ON"});
  run(alice_, {"MONITOR"});
  EXPECT_TRUE(rig_.monitors.watched());
  EXPECT_EQ(run(alice_, {"RESET"}), "+RESET\r\n");
  EXPECT_FALSE(rig_.monitors.watched());
  const std::string line = run(alice_, {"CLIENT", "INFO"});
  EXPECT_NE(line.find(" name= "), std::string::npos);
  EXPECT_NE(line.find(" flags=N db=0 "), std::string::npos);
  EXPECT_NE(line.find(" resp=2 lib-name=lib lib-ver= io-thread=0\n"), std::string::npos);
}

TEST_F(ClientCommandTest, AuthenticationOpensTheGate) {
  const Setting password[] = {{"requirepass", "secret"}};
  ASSERT_FALSE(rig_.store.set(password, ClientPlace::kLocal));
  alice_.clear(SessionFlag::kAuthenticated);
  EXPECT_EQ(run(alice_, {"GET", "k"}), "-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(run(alice_, {"HELLO", "3"}).find("-NOAUTH HELLO must be called"), 0u);
  EXPECT_EQ(run(alice_, {"AUTH", "secre"}).find("-WRONGPASS"), 0u);
  EXPECT_EQ(run(alice_, {"AUTH", "secretsecret"}).find("-WRONGPASS"), 0u);
  EXPECT_EQ(run(alice_, {"AUTH", ""}).find("-WRONGPASS"), 0u);
  EXPECT_EQ(run(alice_, {"AUTH", "bob", "secret"}).find("-WRONGPASS"), 0u);
  EXPECT_EQ(run(alice_, {"AUTH", "secret"}), "+OK\r\n");
  EXPECT_EQ(run(alice_, {"GET", "k"}), "$-1\r\n");
  EXPECT_EQ(run(alice_, {"RESET"}), "+RESET\r\n");
  EXPECT_EQ(run(alice_, {"GET", "k"}), "-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(run(alice_, {"HELLO", "3", "AUTH", "default", "secret"}).find("%7\r\n"), 0u);
}

TEST_F(ClientCommandTest, ShutdownEndsTheConnectionAndCanBeAborted) {
  rig_.lifecycle.refuses = true;
  EXPECT_EQ(run(alice_, {"SHUTDOWN", "SAVE"}), "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
  EXPECT_FALSE(alice_.has(SessionFlag::kClosing));
  rig_.lifecycle.refuses = false;
  EXPECT_EQ(run(alice_, {"SHUTDOWN", "NOSAVE", "NOW", "FORCE"}), "");
  EXPECT_TRUE(rig_.lifecycle.request.now && rig_.lifecycle.request.force);
  EXPECT_TRUE(alice_.has(SessionFlag::kClosing));
  EXPECT_EQ(run(bob_, {"SHUTDOWN", "ABORT"}), "+OK\r\n");
  EXPECT_EQ(run(bob_, {"SHUTDOWN", "ABORT"}), "-ERR No shutdown in progress.\r\n");
}

}  // namespace
}  // namespace millrace
