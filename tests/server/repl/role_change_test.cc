// A master that becomes a replica: who waited for its keys is told, and let go.
#include <gtest/gtest.h>

#include <string>

#include "tests/server/sim_server.h"

namespace millrace {
namespace {

constexpr std::string_view kUnblocked =
    "-UNBLOCKED force unblock from blocking operation, instance state changed (master -> "
    "replica?)\r\n";

TEST(RoleChange, WhoWaitsIsToldAndClosedBeforeWhatItSentBehind) {
  SimServer server;
  SimClient list = server.dial();
  SimClient stream = server.dial();
  SimClient acknowledged = server.dial();
  SimClient admin = server.dial();
  list.send({"BLPOP", "list", "0"});
  stream.send({"XREAD", "BLOCK", "0", "STREAMS", "stream", "$"});
  acknowledged.send({"WAIT", "1", "0"});
  server.spin(16);
  list.send({"SET", "k", "v"});  // in the belief that this is a master
  server.spin(16);
  EXPECT_EQ(admin.ask({"REPLICAOF", "127.0.0.1", "1"}), "+OK\r\n");
  server.spin(16);
  for (SimClient* client : {&list, &stream, &acknowledged}) {
    EXPECT_EQ(client->read(), kUnblocked);
    EXPECT_TRUE(client->peer().saw_end());
  }
  EXPECT_EQ(admin.ask({"EXISTS", "k"}), ":0\r\n");
}

}  // namespace
}  // namespace millrace
