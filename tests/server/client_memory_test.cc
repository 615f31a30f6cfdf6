// What a connection costs in each state it can be in: user memory, by the server's own ledger (INFO
// clients) and by the allocator's, over real sockets. Prints the table, and asserts every row and
// the way back to the floor. tests/e2e/idle_floor.py measures the same from outside, at 10,000
// connections, as resident memory.
//
// A state is a row: what brings a client into it, and what it may cost above the floor there.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <functional>
#include <memory>

#include "ae/sim/sim_clock.h"
#include "proto/request_writer.h"
#include "server/config/config_store.h"
#include "server/observe/memory_overview.h"
#include "server/server.h"
#include "tests/ae/net/net_support.h"

namespace millrace {
namespace {

using ae::test::Peer;

std::string request(std::initializer_list<std::string_view> words) {
  return proto::encode_request(words);
}

class ClientMemoryTest : public testing::Test {
 protected:
  // Enough that what exists once, or by the chunk, does not show in the share of one.
  static constexpr size_t kClients = 200;

  ClientMemoryTest() {
    const char* arguments[] = {"millrace-server", "--save", ""};
    EXPECT_FALSE(config_.load_arguments(int(std::size(arguments)), arguments));
    ae::LoopOptions options;
    options.clock = &clock_;
    server_ = std::move(*Server::create(config_, std::move(options)));
    while (peers_.size() < kClients) {
      const auto [ours, theirs] = ae::test::tcp_pair();
      server_->client_io().accept(ours, Origin::kLoopback);
      peers_.emplace_back(theirs);
    }
    each(request({"PING"}));
    drain();
    floor_ = memory();
  }

  void ticks(int count = 4) {
    while (count-- > 0) server_->loop().run_once(ae::Nanoseconds::zero());
  }
  void each(const std::string& bytes) {
    for (Peer& peer : peers_) peer.send(bytes);
    ticks();
  }
  void make_string(std::string_view key, size_t bytes) {
    peers_[0].send(request({"SETRANGE", key, std::to_string(bytes - 1), "x"}));
    ticks();
    drain();
  }
  // Until nobody has anything more to say; returns how many bytes it was.
  size_t drain() {
    size_t got = 0;
    for (bool more = true; more;) {
      ticks(2);
      more = false;
      for (Peer& peer : peers_) {
        const size_t bytes = peer.receive().size();
        got += bytes;
        more = more || bytes > 0;
      }
    }
    return got;
  }

  ClientMemory memory() const { return server_->services().lifecycle.client_memory(); }
  // Of one client, above the floor.
  double above_floor() const { return (double(memory().own()) - double(floor_.own())) / kClients; }
  void expect_floor() {
    const ClientMemory now = memory();
    EXPECT_EQ(now.own(), floor_.own());
    EXPECT_EQ(now.kept_input, 0u);
    EXPECT_EQ(now.queued_output, 0u);
    EXPECT_EQ(now.extensions, 0u);
    EXPECT_EQ(now.extras, 0u);
    EXPECT_EQ(server_->services().clients.count(), kClients);
  }

  ae::sim::SimClock clock_;
  ConfigStore config_;
  std::unique_ptr<Server> server_;
  std::vector<Peer> peers_;
  ClientMemory floor_;
};

struct State {
  const char* name;
  std::string enter;    // sent by every client
  double most_bytes;    // it may cost above the floor
  std::string leave;    // and this ends it
  bool unread = false;  // its replies are not read before `leave`
};

TEST_F(ClientMemoryTest, EachStateCostsWhatTheTableSaysAndEndsAtTheFloor) {
  make_string("64k", 64 << 10);
  make_string("1m", 1 << 20);
  const std::string half = request({"ECHO", std::string(200, 'e')});
  constexpr double kExtras = sizeof(SessionExtras);
  const std::string queued = request({"SET", "k", "v"});
  // Of one of the three: its record, three views, five bytes. The list has room for a fourth.
  constexpr double kQueued = sizeof(KeptRequest) + 3 * sizeof(std::string_view) + 5;
  const State kStates[] = {
      {"floor", "", 0, ""},
      {"after a reply of 64 KiB", request({"GET", "64k"}), 0, ""},
      {"after a reply of 1 MiB", request({"GET", "1m"}), 0, ""},
      // An extension of 84 bytes and a block of the size of what is kept.
      {"half a packet of 100 bytes", half.substr(0, 100), 84 + 100, half.substr(100)},
      {"a name of 10 bytes", request({"CLIENT", "SETNAME", "ten-bytes!"}), kExtras,
       request({"CLIENT", "SETNAME", ""})},
      {"a name of 40 bytes", request({"CLIENT", "SETNAME", std::string(40, 'n')}), kExtras + 41,
       request({"CLIENT", "SETNAME", ""})},
      {"a name and RESP3, by HELLO", request({"HELLO", "3", "SETNAME", "me"}), kExtras,
       request({"RESET"})},
      {"subscribed to a channel", request({"SUBSCRIBE", "news"}),
       kExtras + sizeof(Subscriptions) + sizeof(Subscription), request({"UNSUBSCRIBE", "news"})},
      {"in MULTI with 3 commands", request({"MULTI"}) + queued + queued + queued,
       kExtras + sizeof(Transaction) + 3 * kQueued + sizeof(KeptRequest), request({"DISCARD"})},
      {"watching a key", request({"WATCH", "k"}), kExtras + sizeof(Watches) + sizeof(KeptKey),
       request({"UNWATCH"})},
      {"no-touch, no-evict, db 1",
       request({"CLIENT", "NO-TOUCH", "ON"}) + request({"CLIENT", "NO-EVICT", "ON"}) +
           request({"SELECT", "1"}),
       0, request({"RESET"})},
  };
  std::printf("%-30s %8s %8s\n", "bytes of user memory", "each", "above");
  for (const State& state : kStates) {
    SCOPED_TRACE(state.name);
    each(state.enter);
    drain();
    const double above = above_floor();
    std::printf("%-30s %8.1f %8.1f\n", state.name, double(memory().own()) / kClients, above);
    EXPECT_GE(above, state.most_bytes * 0.9);  // the ledger sees it
    EXPECT_LE(above, state.most_bytes);
    if (!state.leave.empty()) each(state.leave);
    drain();
    expect_floor();
  }
}

TEST_F(ClientMemoryTest, TheFloorIsThreeFlatRecords) {
  EXPECT_EQ(floor_.sessions / kClients, SessionTable::kSlotBytes);
  EXPECT_EQ(floor_.own(), kClients * idle_client_bytes() + ae::EventLoop::kRegistrationBytes);
  EXPECT_LE(idle_client_bytes(), 150u);
}

// A reader that does not read: the queue is in the ledger, whole chunks of it, and gone with it.
TEST_F(ClientMemoryTest, QueuedOutputCostsItsChunks) {
  make_string("1m", 1 << 20);
  for (int i = 0; i < 8; ++i) peers_[0].send(request({"GET", "1m"}));
  ticks(20);
  const size_t unread = server_->services().clients.link().output_bytes(
      *server_->services().clients.find_by_client_id(1));
  ASSERT_GT(unread, 1u << 20);
  EXPECT_GE(memory().queued_output, unread);
  EXPECT_LE(memory().queued_output, unread + unread / 10 + (1 << 20));
  EXPECT_GT(drain(), 8u << 20);
  expect_floor();
}

// One watcher's memory is the monitors' list and no more.
TEST_F(ClientMemoryTest, AMonitorThatReadsCostsNothing) {
  peers_[0].send(request({"MONITOR"}));
  ticks();
  each(request({"PING"}));
  drain();
  EXPECT_EQ(above_floor(), 0);
  peers_[0].send(request({"RESET"}));
  drain();
  expect_floor();
}

TEST_F(ClientMemoryTest, WhoLeavesTakesEverythingAlong) {
  each(request({"CLIENT", "SETNAME", std::string(100, 'n')}) + "*2\r\n$4\r\nECHO\r\n$100\r\nhalf");
  EXPECT_GT(memory().extras, kClients * 100);
  EXPECT_GT(memory().kept_input, 0u);
  peers_.clear();
  ticks(10);
  const ClientMemory now = memory();
  EXPECT_EQ(now.own(), ae::EventLoop::kRegistrationBytes);  // the loop's waker
  EXPECT_EQ(server_->services().clients.count(), 0u);
}

// mem_clients_normal, clients.normal and the ledger are one number; INFO shows every part of it.
TEST_F(ClientMemoryTest, InfoAndMemoryStatsSayTheSame) {
  each(request({"CLIENT", "SETNAME", "somebody"}));
  drain();
  peers_[0].send(request({"INFO", "clients", "memory"}) + request({"MEMORY", "STATS"}));
  ticks();
  const std::string text = peers_[0].receive();
  const std::string own = std::to_string(memory().own());
  EXPECT_NE(text.find("mem_clients_own:" + own + "\r\n"), std::string::npos) << text;
  EXPECT_NE(text.find("mem_clients_normal:" + own + "\r\n"), std::string::npos);
  EXPECT_NE(text.find("clients.normal\r\n:" + own + "\r\n"), std::string::npos);
  EXPECT_NE(text.find("mem_clients_extras:" + std::to_string(memory().extras) + "\r\n"),
            std::string::npos);
}

}  // namespace
}  // namespace millrace
