// What a server makes of the point of a history that its snapshot names, in either role.
#include <gtest/gtest.h>

#include "ae/sim/sim_host.h"
#include "server/persist/snapshot_writer.h"
#include "tests/server/sim_server.h"

namespace millrace {
namespace {

const std::string kId(40, 'a');
const ReplicationPoint kPoint{.db = 5, .id = kId, .offset = 1000};

class Restart : public testing::Test {
 protected:
  // A disk with a snapshot of `point`.
  void save(const ReplicationPoint& point) {
    SimServer source;
    SimClient client = source.dial();
    client.ask({"SET", "k", "v"});
    StringSink sink;
    EXPECT_TRUE(write_snapshot(sink, source.services().databases, {}, {.replication = point}));
    disk_.put(source.services().config.dir + "/dump.rdb", sink.bytes);
  }
  void start(std::vector<std::string> arguments) {
    server_ = std::make_unique<SimServer>(arguments, SimServer::Options{.disk = &disk_});
  }
  // What the server asks of the master that the test plays.
  std::string psync() {
    start({"--replicaof", "127.0.0.1", "7000"});
    ae::sim::SimHost host(server_->os(), ae::Address::loopback(7000));
    std::optional<ae::sim::SimPeer> peer;
    for (int i = 0; !peer && i < 100; ++i) {
      server_->pass(ae::Milliseconds(100));
      peer = host.take();
    }
    if (!peer) return "nobody came";
    peer->send("+PONG\r\n+OK\r\n+OK\r\n");
    server_->spin(12);
    const std::string said = peer->read();
    return said.substr(std::min(said.size(), said.find("PSYNC")));
  }
  std::string info(const std::string& field) {
    SimClient client = server_->dial();
    const std::string all = client.ask({"INFO", "replication"});
    const size_t at = all.find("\n" + field + ":");
    if (at == std::string::npos) return "(none)";
    const size_t begin = at + field.size() + 2;
    return all.substr(begin, all.find('\r', begin) - begin);
  }

  fakes::SimStorage disk_;
  std::unique_ptr<SimServer> server_;
};

TEST_F(Restart, AReplicaAsksForWhatCameSince) {
  save(kPoint);
  EXPECT_EQ(psync(), "PSYNC\r\n$40\r\n" + kId + "\r\n$4\r\n1001\r\n");
  EXPECT_EQ(info("master_replid"), kId);
}

TEST_F(Restart, AReplicaWithoutASnapshotAsksForEverything) {
  EXPECT_EQ(psync(), "PSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n");
}

TEST_F(Restart, WhatIsNoPointIsNotBelieved) {
  for (const ReplicationPoint& bad :
       {ReplicationPoint{-1, kId, 1000}, ReplicationPoint{99, kId, 1000},
        ReplicationPoint{0, kId, -2}, ReplicationPoint{0, "abc", 1000}}) {
    save(bad);
    EXPECT_EQ(psync(), "PSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n") << bad.db << bad.id << bad.offset;
  }
}

TEST_F(Restart, AMasterTakesTheHistoryForItsSecond) {
  save(kPoint);
  start({});
  server_->spin();
  EXPECT_NE(info("master_replid"), kId);
  EXPECT_EQ(info("master_replid2"), kId);
  EXPECT_EQ(info("second_repl_offset"), "1001");
  EXPECT_EQ(info("master_repl_offset"), "1000");
  EXPECT_EQ(info("repl_backlog_active"), "1");
}

TEST_F(Restart, AMasterWithoutReplicasCountsNothing) {
  start({});
  server_->spin();
  EXPECT_EQ(info("repl_backlog_active"), "0");
  EXPECT_EQ(info("master_replid2"), std::string(40, '0'));
}

}  // namespace
}  // namespace millrace
