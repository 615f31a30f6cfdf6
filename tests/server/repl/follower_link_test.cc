// A whole server follows a master that is played by the test, on simulated sockets, clock and disk:
// the link is cut at every byte of handshake, snapshot and stream.
#include "server/repl/follower_link.h"

#include <gtest/gtest.h>

#include "ae/sim/sim_host.h"
#include "server/persist/snapshot_writer.h"
#include "tests/server/sim_server.h"

namespace millrace {
namespace {

const std::string kId(40, 'a');
const std::string kMark(40, 'e');
constexpr int64_t kSnapshotOffset = 1000;

std::string snapshot_of_a_key() {
  SimServer source;
  source.dial().ask({"SET", "from-snapshot", "1"});
  struct : ByteSink {
    ae::Status write(ae::Bytes more) override {
      bytes.append(more);
      return {};
    }
    std::string bytes;
  } sink;
  EXPECT_TRUE(write_snapshot(sink, source.services().databases, {}, SnapshotFacts{}));
  return sink.bytes;
}

std::string stream_of_changes() {
  return proto::encode_request({"SELECT", "0"}) + proto::encode_request({"INCR", "count"}) +
         proto::encode_request({"MULTI"}) + proto::encode_request({"INCR", "count"}) +
         proto::encode_request({"INCR", "count"}) + proto::encode_request({"EXEC"}) +
         proto::encode_request({"INCR", "count"});
}

const std::string kGreeting = "+PONG\r\n+OK\r\n+OK\r\n";

class FollowedByTest {
 public:
  FollowedByTest()
      : host_(server.os(), ae::Address::loopback(7000)),
        snapshot_(snapshot_of_a_key()),
        stream_(stream_of_changes()) {
    client.ask({"SET", "old", "1"});
    EXPECT_EQ(client.ask({"REPLICAOF", "127.0.0.1", "7000"}), "+OK\r\n");
    server.spin();
  }

  std::string whole() const {
    return kGreeting + "+FULLRESYNC " + kId + " " + std::to_string(kSnapshotOffset) + "\r\n" +
           framed() + stream_;
  }
  std::string framed() const { return "$EOF:" + kMark + "\r\n" + snapshot_ + kMark; }

  // The next connection of the follower; it says what is given, and what it was told comes back.
  std::string answer(std::string_view bytes) {
    std::optional<ae::sim::SimPeer> peer = host_.take();
    for (int i = 0; !peer && i < 100; ++i) {
      server.pass(ae::Milliseconds(100));
      peer = host_.take();
    }
    if (!peer) return "nobody came";
    peer->send(bytes);
    server.spin(12);
    std::string said = peer->read();
    peer->close();
    server.spin();
    return said;
  }

  // After a cut: answers what is asked for until the data is whole.
  void bring_to_the_end() {
    for (int round = 0; round < 3; ++round) {
      std::optional<ae::sim::SimPeer> peer = host_.take();
      for (int i = 0; !peer && i < 100; ++i) {
        server.pass(ae::Milliseconds(100));
        peer = host_.take();
      }
      ASSERT_TRUE(peer);
      peer->send(kGreeting);
      server.spin(8);
      const std::string said = peer->read();
      const std::string goes_on = "$40\r\n" + kId + "\r\n";
      const size_t at = said.rfind(goes_on);
      if (at == std::string::npos) {
        peer->send(whole().substr(kGreeting.size()));
      } else {
        const size_t number = said.find("\r\n", at + goes_on.size()) + 2;
        const int64_t from = std::stoll(said.substr(number));
        ASSERT_GT(from, kSnapshotOffset);
        peer->send("+CONTINUE\r\n" + stream_.substr(size_t(from - kSnapshotOffset - 1)));
      }
      server.spin(12);
      last_peer = std::move(*peer);
      return;
    }
  }

  SimServer server;
  SimClient client = server.dial();
  ae::sim::SimPeer last_peer;

 private:
  ae::sim::SimHost host_;
  std::string snapshot_;
  std::string stream_;
};

TEST(FollowerLink, CopiesAndFollows) {
  FollowedByTest followed;
  const std::string said = followed.answer(followed.whole());
  EXPECT_NE(said.find("PSYNC"), std::string::npos);
  EXPECT_NE(said.find("ACK"), std::string::npos);
  EXPECT_EQ(followed.client.ask({"GET", "count"}), "$1\r\n4\r\n");
  EXPECT_EQ(followed.client.ask({"GET", "from-snapshot"}), "$1\r\n1\r\n");
  EXPECT_EQ(followed.client.ask({"GET", "old"}), "$-1\r\n");
}

TEST(FollowerLink, CutAtEveryByteEndsWithTheSameData) {
  const size_t length = FollowedByTest().whole().size();
  for (size_t cut = 0; cut < length; ++cut) {
    SCOPED_TRACE(cut);
    FollowedByTest followed;
    followed.answer(followed.whole().substr(0, cut));
    // The old data or the new, never neither.
    const bool has_old = followed.client.ask({"GET", "old"}) == "$1\r\n1\r\n";
    const bool has_new = followed.client.ask({"GET", "from-snapshot"}) == "$1\r\n1\r\n";
    ASSERT_NE(has_old, has_new);
    followed.bring_to_the_end();
    ASSERT_EQ(followed.client.ask({"GET", "count"}), "$1\r\n4\r\n");
    ASSERT_EQ(followed.client.ask({"DBSIZE"}), ":2\r\n");
  }
}

TEST(FollowerLink, ABentSnapshotDoesNotCostTheData) {
  FollowedByTest followed;
  std::string bytes = followed.whole();
  bytes[bytes.find("from-snapshot")] ^= 1;
  followed.answer(bytes);
  EXPECT_EQ(followed.client.ask({"GET", "old"}), "$1\r\n1\r\n");
  followed.bring_to_the_end();
  EXPECT_EQ(followed.client.ask({"GET", "count"}), "$1\r\n4\r\n");
}

TEST(FollowerLink, GivesUpASilentMaster) {
  FollowedByTest followed;
  followed.client.ask({"CONFIG", "SET", "repl-timeout", "5"});
  followed.bring_to_the_end();
  followed.server.pass(ae::Seconds(4));
  followed.last_peer.read();
  EXPECT_FALSE(followed.last_peer.saw_end());
  followed.server.pass(ae::Seconds(4));  // not a word, not a PING
  followed.last_peer.read();
  EXPECT_TRUE(followed.last_peer.saw_end());
}

}  // namespace
}  // namespace millrace
