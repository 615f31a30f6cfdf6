// A failover by hand, seen from the master that gives up its role: who may be chosen, that writes
// wait, and the ways it ends. The replica is a client that says what replicas say.
#include "server/repl/failover.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/server/sim_server.h"

namespace millrace {
namespace {

class FailoverTest : public testing::Test {
 protected:
  FailoverTest() {
    replica_.ask({"REPLCONF", "listening-port", "6390", "capa", "psync2"});
    admin_.ask({"SET", "k", "v"});
  }

  // A snapshot is made by a child behind a pipe, which the simulated world has not: the first who
  // asks for one gets none, but from then on changes are kept, and the replica goes on from there.
  void synchronize() {
    server_.dial().ask({"PSYNC", "?", "-1"});
    const std::string next = std::to_string(std::stoll(info("master_repl_offset")) + 1);
    const std::string granted = replica_.ask({"PSYNC", info("master_replid"), next});
    ASSERT_TRUE(granted.starts_with("+CONTINUE")) << granted;
    ASSERT_EQ(info("connected_slaves"), "1");
  }
  void acknowledge() {
    replica_.send({"REPLCONF", "ACK", info("master_repl_offset")});
    server_.spin();
  }
  std::string info(const std::string& field) {
    const std::string all = admin_.ask({"INFO", "replication"});
    const size_t at = all.find("\n" + field + ":");
    if (at == std::string::npos) return "(none)";
    const size_t begin = at + field.size() + 2;
    return all.substr(begin, all.find('\r', begin) - begin);
  }

  SimServer server_{{"--repl-diskless-sync", "no"}};
  SimClient replica_ = server_.dial();
  SimClient admin_ = server_.dial();
};

TEST_F(FailoverTest, ToWhomIsARefusedQuestionUntilOneIsOnline) {
  server_.forker().hold = true;
  replica_.ask({"PSYNC", "?", "-1"});
  EXPECT_EQ(admin_.ask({"FAILOVER", "TO", "127.0.0.1", "6390"}),
            "-ERR FAILOVER target replica is not online.\r\n");
  EXPECT_EQ(admin_.ask({"FAILOVER", "TO", "127.0.0.1", "1"}),
            "-ERR FAILOVER target HOST and PORT is not a replica.\r\n");
  // 6390 and 65536: a port that does not exist is nobody's, not another's.
  EXPECT_EQ(admin_.ask({"FAILOVER", "TO", "127.0.0.1", "71926"}),
            "-ERR FAILOVER target HOST and PORT is not a replica.\r\n");
  EXPECT_EQ(admin_.ask({"FAILOVER", "TO", "127.0.0.1", "6390", "FORCE"}),
            "-ERR FAILOVER with force option requires both a timeout and target HOST and IP.\r\n");
  EXPECT_EQ(admin_.ask({"FAILOVER", "FORCE", "TIMEOUT", "100"}),
            "-ERR FAILOVER with force option requires both a timeout and target HOST and IP.\r\n");
}

TEST_F(FailoverTest, WritesWaitForItAndGoOnWhenItIsCalledOff) {
  synchronize();
  EXPECT_EQ(info("master_failover_state"), "no-failover");
  EXPECT_EQ(admin_.ask({"FAILOVER"}), "+OK\r\n");
  EXPECT_EQ(info("master_failover_state"), "waiting-for-sync");
  EXPECT_NE(replica_.read().find("GETACK"), std::string::npos) << "it is asked how far it is";
  SimClient writer = server_.dial();
  EXPECT_EQ(writer.ask({"SET", "k", "w"}), "");
  EXPECT_EQ(writer.read(), "");
  EXPECT_EQ(admin_.ask({"GET", "k"}), "$1\r\nv\r\n") << "reads do not";
  EXPECT_EQ(admin_.ask({"FAILOVER"}), "-ERR FAILOVER already in progress.\r\n");
  EXPECT_EQ(admin_.ask({"REPLICAOF", "NO", "ONE"}),
            "-ERR REPLICAOF not allowed while failing over.\r\n");
  EXPECT_EQ(admin_.ask({"FAILOVER", "ABORT"}), "+OK\r\n");
  server_.pass(ae::Milliseconds(200));
  EXPECT_EQ(writer.read(), "+OK\r\n");
  EXPECT_EQ(info("master_failover_state"), "no-failover");
  EXPECT_EQ(info("role"), "master");
}

TEST_F(FailoverTest, ItsTimeEndsIt) {
  synchronize();
  EXPECT_EQ(admin_.ask({"SET", "k", "w"}), "+OK\r\n");  // which the replica does not confirm
  EXPECT_EQ(admin_.ask({"FAILOVER", "TIMEOUT", "1000"}), "+OK\r\n");
  server_.pass(ae::Milliseconds(800));
  EXPECT_EQ(info("master_failover_state"), "waiting-for-sync");
  server_.pass(ae::Milliseconds(400));
  EXPECT_EQ(info("master_failover_state"), "no-failover");
  EXPECT_EQ(info("role"), "master");
  EXPECT_EQ(admin_.ask({"SET", "k", "x"}), "+OK\r\n");
}

TEST_F(FailoverTest, ByForceItHandsOverToOneThatIsBehind) {
  synchronize();
  EXPECT_EQ(admin_.ask({"SET", "k", "w"}), "+OK\r\n");
  EXPECT_EQ(admin_.ask({"FAILOVER", "TO", "127.0.0.1", "6390", "FORCE", "TIMEOUT", "1000"}),
            "+OK\r\n");
  server_.pass(ae::Milliseconds(1200));
  EXPECT_EQ(info("role"), "slave");
  EXPECT_EQ(info("master_port"), "6390");
}

TEST_F(FailoverTest, OneThatHasEverythingBecomesOurMaster) {
  synchronize();
  EXPECT_EQ(admin_.ask({"FAILOVER"}), "+OK\r\n");
  acknowledge();
  server_.pass(ae::Milliseconds(500));
  EXPECT_EQ(info("role"), "slave");
  EXPECT_EQ(info("master_host"), "127.0.0.1");
  EXPECT_EQ(info("master_port"), "6390");
  EXPECT_EQ(info("master_failover_state"), "failover-in-progress");
  // Nobody listens there: whoever ends it takes the role back, and what was waiting is written.
  EXPECT_EQ(admin_.ask({"FAILOVER", "ABORT"}), "+OK\r\n");
  EXPECT_EQ(info("role"), "master");
  EXPECT_EQ(admin_.ask({"SET", "k", "w"}), "+OK\r\n");
}

// What a replica may not say, once it is one.
TEST_F(FailoverTest, AReplicaGivesNoOrders) {
  synchronize();
  replica_.send({"REPLICAOF", "127.0.0.1", "1"});
  server_.spin();
  EXPECT_EQ(info("role"), "master");
  EXPECT_EQ(info("connected_slaves"), "1");
}

}  // namespace
}  // namespace millrace
