// The parts of SimOs that the parity test does not reach: names, queues, limits, hosts, faults.
#include "ae/sim/sim_os.h"

#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "ae/sim/sim_host.h"
#include "ae/sim/sim_peer.h"

namespace ae::sim {
namespace {

const Address kServer = Address::loopback(6379);

class SimOsTest : public ::testing::Test {
 protected:
  int socket(sa_family_t family = AF_INET) { return *os_.socket(family, SOCK_STREAM, 0); }
  int listen(const Address& at, int backlog = 16) {
    const int fd = socket(at.family());
    EXPECT_TRUE(os_.bind(fd, at));
    EXPECT_TRUE(os_.listen(fd, backlog));
    return fd;
  }
  std::string read(int fd) {
    char buffer[64];
    const IoResult result = os_.read(fd, buffer);
    return result.status == IoStatus::kOk ? std::string(buffer, result.bytes) : "";
  }
  bool ready(int fd, Events events) {
    return (os_.find(fd)->readiness().events & events) == events;
  }

  SimOs os_;
};

TEST_F(SimOsTest, TheLowestFreeNumberIsGivenAgain) {
  const int first = socket();
  const int second = socket();
  EXPECT_EQ(first, SimOs::kFirstDescriptor);
  EXPECT_EQ(second, first + 1);
  os_.close(first);
  EXPECT_EQ(socket(), first);
  EXPECT_EQ(os_.open_descriptors(), 2u);
}

TEST_F(SimOsTest, TheTableHasALimit) {
  const int listener = listen(kServer);
  SimPeer client = SimPeer::dial(os_, kServer);
  os_.set_max_descriptors(1);
  EXPECT_EQ(os_.socket(AF_INET, SOCK_STREAM, 0).error().code, EMFILE);
  EXPECT_EQ(os_.create_waker().error().code, EMFILE);
  EXPECT_EQ(os_.reserve_descriptor().error().code, EMFILE);
  EXPECT_EQ(os_.accept(listener).error().code, EMFILE);
  EXPECT_TRUE(ready(listener, Events::kReadable)) << "the connection is still there";
  os_.set_max_descriptors(2);
  EXPECT_TRUE(os_.accept(listener));
}

TEST_F(SimOsTest, AnAddressIsTakenOnceUnlessShared) {
  const int first = listen(kServer);
  const int second = socket();
  EXPECT_EQ(os_.bind(second, kServer).error().code, EADDRINUSE);
  os_.close(first);
  EXPECT_TRUE(os_.bind(second, kServer));

  const Address shared = Address::loopback(7000);
  std::vector<int> listeners;
  for (int i = 0; i < 2; ++i) {
    listeners.push_back(socket());
    ASSERT_TRUE(os_.set_option(listeners.back(), SOL_SOCKET, SO_REUSEPORT, 1));
    ASSERT_TRUE(os_.bind(listeners.back(), shared));
    ASSERT_TRUE(os_.listen(listeners.back(), 16));
  }
  SimPeer one = SimPeer::dial(os_, shared);
  SimPeer two = SimPeer::dial(os_, shared);
  EXPECT_TRUE(ready(listeners[0], Events::kReadable));
  EXPECT_TRUE(ready(listeners[1], Events::kReadable)) << "they are served in turn";
}

TEST_F(SimOsTest, NamesOfBothEnds) {
  const int listener = listen(*Address::parse("0.0.0.0", 0));
  const uint16_t port = os_.local_address(listener)->port();
  EXPECT_NE(port, 0);
  SimPeer client = SimPeer::dial(os_, Address::loopback(port));
  const int fd = *os_.accept(listener);
  EXPECT_EQ(*os_.peer_address(fd), client.local_address());
  EXPECT_EQ(os_.local_address(fd)->port(), port);
  EXPECT_EQ(os_.peer_address(listener).error().code, ENOTCONN);
}

TEST_F(SimOsTest, AFullBacklogKeepsTcpWaitingAndSendsUnixAway) {
  const int listener = listen(kServer, 1);
  std::vector<SimPeer> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(SimPeer::dial(os_, kServer));
  EXPECT_TRUE(clients[1].connected()) << "one more than the backlog, as Linux does";
  EXPECT_FALSE(clients[2].connected());
  EXPECT_TRUE(os_.accept(listener));
  EXPECT_TRUE(clients[2].connected());
  EXPECT_FALSE(clients[3].connected());

  const Address path = *Address::parse("/run/simulated.sock", 0);
  listen(path, 0);
  EXPECT_TRUE(os_.connect(socket(AF_UNIX), path));
  EXPECT_EQ(os_.connect(socket(AF_UNIX), path).error().code, EAGAIN);
}

TEST_F(SimOsTest, ClosingAListenerResetsItsQueue) {
  const int listener = listen(kServer, 0);
  SimPeer queued = SimPeer::dial(os_, kServer);
  SimPeer waiting = SimPeer::dial(os_, kServer);
  os_.close(listener);
  EXPECT_TRUE(queued.saw_reset());
  EXPECT_FALSE(waiting.connected());
  EXPECT_FALSE(SimPeer::dial(os_, kServer).connected());
}

TEST_F(SimOsTest, NobodyThere) {
  const int tcp = socket();
  EXPECT_EQ(*os_.connect(tcp, kServer), EINPROGRESS);
  EXPECT_TRUE(ready(tcp, Events::kReadWrite));
  EXPECT_EQ(os_.pending_error(tcp), ECONNREFUSED);
  EXPECT_EQ(os_.pending_error(tcp), 0);
  const Address path = *Address::parse("/run/simulated.sock", 0);
  EXPECT_EQ(os_.connect(socket(AF_UNIX), path).error().code, ENOENT);
}

TEST_F(SimOsTest, AHostAnswersAsItIsTold) {
  SimHost host(os_, kServer);
  const auto connect = [&] {
    const int fd = socket();
    return std::pair(fd, os_.connect(fd, kServer));
  };
  EXPECT_EQ(*connect().second, EINPROGRESS);
  host.answer_with(Answer::kAcceptAtOnce);
  EXPECT_EQ(*connect().second, 0);
  host.answer_with(Answer::kRefuseAtOnce);
  host.refuse_with(ENETUNREACH);
  EXPECT_EQ(connect().second.error().code, ENETUNREACH);
  host.answer_with(Answer::kRefuse);
  EXPECT_EQ(os_.pending_error(connect().first), ENETUNREACH);
  host.answer_with(Answer::kSelf);
  const int self = connect().first;
  EXPECT_EQ(*os_.local_address(self), *os_.peer_address(self));
  host.answer_with(Answer::kSilence);
  const int patient = connect().first;
  const int gave_up = connect().first;
  EXPECT_FALSE(ready(patient, Events::kWritable));
  EXPECT_EQ(host.waiting(), 2u);
  os_.close(gave_up);
  host.accept_waiting();
  EXPECT_TRUE(ready(patient, Events::kWritable));
  size_t accepted = 0;
  while (host.take()) ++accepted;
  EXPECT_EQ(accepted, 4u);
  EXPECT_EQ(host.dials(), 7u);
}

TEST_F(SimOsTest, BytesGoFromDescriptorToDescriptor) {
  const int listener = listen(kServer);
  const int dialer = socket();
  ASSERT_TRUE(os_.connect(dialer, kServer));
  const int acceptor = *os_.accept(listener);
  iovec pieces[] = {{const_cast<char*>("scat"), 4}, {const_cast<char*>("tered"), 5}};
  EXPECT_EQ(os_.writev(dialer, pieces).bytes, 9u);
  EXPECT_EQ(read(acceptor), "scattered");
}

TEST_F(SimOsTest, SegmentsAreReadOneByOne) {
  auto [fd, peer] = os_.stream_pair();
  peer.send_pieces({"ab", "c"});
  peer.send("de");
  EXPECT_EQ(read(fd), "ab");
  EXPECT_EQ(read(fd), "c");
  EXPECT_EQ(read(fd), "de");
}

TEST_F(SimOsTest, BuffersAreAsLargeAsTheyWereSet) {
  auto [fd, peer] = os_.stream_pair(Transport::kTcp, {.send = 10, .receive = 7});
  ASSERT_TRUE(os_.set_option(fd, SOL_SOCKET, SO_SNDBUF, 5));
  EXPECT_EQ(*os_.get_option(fd, SOL_SOCKET, SO_SNDBUF), 10) << "doubled, as Linux does";
  EXPECT_EQ(os_.write(fd, std::string(100, 'x')).bytes, 17u);
  EXPECT_EQ(os_.write(fd, "x").status, IoStatus::kWouldBlock);
  EXPECT_FALSE(ready(fd, Events::kWritable));
  EXPECT_EQ(peer.read(3).size(), 3u);
  EXPECT_TRUE(ready(fd, Events::kWritable));
  EXPECT_EQ(os_.write(fd, "xxxx").bytes, 3u);
}

TEST_F(SimOsTest, AFinIsNotSeenBeforeWhatIsInFrontOfIt) {
  auto [fd, peer] = os_.stream_pair(Transport::kTcp, {.send = 100, .receive = 4});
  EXPECT_EQ(os_.write(fd, "abcdefgh").bytes, 8u);
  ASSERT_TRUE(os_.shutdown_write(fd));
  EXPECT_FALSE(peer.end().link->fin_received(peer.end().side));
  EXPECT_EQ(peer.read(4), "abcd");
  EXPECT_TRUE(peer.end().link->fin_received(peer.end().side));
  EXPECT_FALSE(peer.saw_end());
  EXPECT_EQ(peer.read(), "efgh");
  EXPECT_TRUE(peer.saw_end());
}

TEST_F(SimOsTest, AResetMayTakeReceivedBytesWithIt) {
  for (const Received received : {Received::kKept, Received::kLost}) {
    auto [fd, peer] = os_.stream_pair();
    peer.send("data");
    peer.reset(received);
    EXPECT_EQ(read(fd), received == Received::kKept ? "data" : "");
    os_.close(fd);
  }
}

TEST_F(SimOsTest, AFatalFaultIsTheEndOfTheConnection) {
  auto [fd, peer] = os_.stream_pair();
  os_.faults().nth(CallKind::kRead, 1, Fault::of_errno(ETIMEDOUT));
  char buffer[8];
  EXPECT_EQ(os_.read(fd, buffer).error, ETIMEDOUT);
  EXPECT_EQ(os_.read(fd, buffer).status, IoStatus::kEnd);
  EXPECT_EQ(os_.write(fd, "x").error, EPIPE);
  EXPECT_TRUE(peer.saw_reset());
}

TEST_F(SimOsTest, AnInterruptedCallIsMadeAgainAndCountedTwice) {
  auto [fd, peer] = os_.stream_pair();
  peer.send("data");
  os_.faults().nth(CallKind::kRead, 1, Fault::interrupted());
  EXPECT_EQ(read(fd), "data");
  EXPECT_EQ(os_.faults().calls(CallKind::kRead), 2u);
}

TEST_F(SimOsTest, MisuseIsWrittenDown) {
  auto [fd, peer] = os_.stream_pair();
  os_.close(fd);
  EXPECT_TRUE(os_.misuses().empty());
  EXPECT_EQ(os_.write(fd, "x").error, EBADF);
  os_.close(fd);
  EXPECT_EQ(os_.misuses().size(), 2u);
}

TEST_F(SimOsTest, AWakerIsReadableUntilDrained) {
  const int waker = *os_.create_waker();
  EXPECT_FALSE(ready(waker, Events::kReadable));
  os_.wake(waker);
  EXPECT_TRUE(ready(waker, Events::kReadable));
  os_.drain_waker(waker);
  EXPECT_FALSE(ready(waker, Events::kReadable));
}

}  // namespace
}  // namespace ae::sim
