// Bytes that are no request: what is answered, that it is the last thing, and that what was right
// before them is served. The IO threads have their own way to it (io_pool_test.cc).
#include <gtest/gtest.h>

#include <string>

#include "tests/server/sim_server.h"

namespace millrace {
namespace {

TEST(RefusedBytes, AreAnsweredOnceBehindWhatWasRight) {
  const struct {
    const char* bytes;
    const char* answer;
  } kinds[] = {
      {"*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"},
      {"*2147483648\r\n", "-ERR Protocol error: invalid multibulk length\r\n"},
      {"*1\r\nPING\r\n", "-ERR Protocol error: expected '$', got 'P'\r\n"},
      {"*1\r\n$-5\r\n", "-ERR Protocol error: invalid bulk length\r\n"},
      {"*1\r\n$9999999999\r\n", "-ERR Protocol error: invalid bulk length\r\n"},
      {"SET \"k\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"},
  };
  for (const auto& kind : kinds) {
    SimServer server;
    SimClient client = server.dial();
    client.peer().send("*1\r\n$4\r\nPING\r\n" + std::string(kind.bytes) + "*1\r\n$4\r\nPING\r\n");
    server.spin(16);
    EXPECT_EQ(client.read(), "+PONG\r\n" + std::string(kind.answer)) << kind.bytes;
    EXPECT_TRUE(client.peer().saw_end()) << kind.bytes;
  }
}

// A web page can make a browser send a request to a port of its own machine.
TEST(RefusedBytes, ABrowserIsCutOffBeforeItsBody) {
  for (const std::string line : {"POST / HTTP/1.1\r\n", "Host: localhost\r\n"}) {
    SimServer server;
    SimClient client = server.dial();
    client.peer().send(line + "SET k v\r\n");
    server.spin(16);
    EXPECT_EQ(client.read(), "") << line;
    EXPECT_TRUE(client.peer().saw_end()) << line;
    EXPECT_EQ(server.dial().ask({"EXISTS", "k"}), ":0\r\n") << line;
  }
}

// MULTI's queue is the one place where requests pile up: it counts as what a client has sent.
TEST(QueuedRequests, BeyondTheQueryBufferTheClientIsClosed) {
  SimServer server({"--client-query-buffer-limit", "1mb"});
  SimClient client = server.dial();
  const std::string value(10'000, 'x');  // what a simulated socket takes at once
  EXPECT_EQ(client.ask({"MULTI"}), "+OK\r\n");
  int queued = 0;
  while (queued < 200 && client.ask({"SET", "k", value}) == "+QUEUED\r\n") ++queued;
  EXPECT_EQ(queued, 104) << "of 10,004 bytes each";
  EXPECT_TRUE(client.peer().saw_end());
  EXPECT_EQ(server.dial().ask({"EXISTS", "k"}), ":0\r\n");
}

}  // namespace
}  // namespace millrace
