// Performance by counting: system calls and allocations of a request are deterministic.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include "allocation_count.h"
#include "net_support.h"

namespace ae::test {
namespace {

// A server in small: holds the input of a tick, answers all of it behind the events, with views
// into one arena.
struct BatchServer final : ConnectionHandler {
  EventLoop& loop;
  ConnectionTable table;
  std::vector<ConnectionId> batch;
  std::array<char, 1 << 16> arena{};
  size_t arena_used = 0;
  size_t closed = 0, full = 0, flushed = 0;

  explicit BatchServer(EventLoop& on, ConnectionOptions options = {})
      : loop(on), table(on, options) {
    batch.reserve(4096);
    table.set_on_input_full([this] {
      ++full;
      run();
    });
    table.set_on_flushed([this] {
      ++flushed;
      arena_used = 0;
    });
    loop.after_events([this] { run(); });
  }
  size_t on_data(Connection c, MutableBytes data) override {
    table.hold_input();
    batch.push_back(c.id());
    return data.size();
  }
  void run() {
    for (const ConnectionId id : batch) {
      std::memcpy(arena.data() + arena_used, "+PONG\r\n", 7);
      table.send_view(id, {arena.data() + arena_used, 7});
      arena_used += 7;
    }
    batch.clear();
    table.release_input();
  }
  void on_closed(Connection, CloseReason) override { ++closed; }
};

class CostTest : public ::testing::Test {
 protected:
  void make(ConnectionOptions options = {}) {
    LoopOptions loop_options;
    loop_options.os = &os;
    loop = std::move(*EventLoop::create(std::move(loop_options)));
    server = std::make_unique<BatchServer>(*loop, options);
    for (int i = 0; i < kConnections; ++i) {
      const auto [ours, theirs] = tcp_pair();
      ASSERT_TRUE(server->table.adopt(ours, *server));
      peers.emplace_back(theirs);
    }
  }
  void round() {
    for (Peer& peer : peers) peer.send("PING\r\n");
    loop->run_once(Nanoseconds::zero());
    loop->run_once(Nanoseconds::zero());  // its before-sleep flushes
  }
  void expect_replies() {
    for (Peer& peer : peers) EXPECT_EQ(peer.receive(), "+PONG\r\n");
  }

  static constexpr int kConnections = 100;
  CountingOs os;
  std::unique_ptr<EventLoop> loop;
  std::unique_ptr<BatchServer> server;
  std::vector<Peer> peers;
};

TEST_F(CostTest, OneReadOneWriteNoControlCallNoAllocationPerRequest) {
  make();
  round();  // grows the vectors once
  expect_replies();
  os.reset();
  const LoopStats before = loop->stats();
  for (Peer& peer : peers) peer.send("PING\r\n");
  const size_t allocated = allocations();
  loop->run_once(Nanoseconds::zero());
  loop->run_once(Nanoseconds::zero());
  EXPECT_EQ(allocations(), allocated);
  EXPECT_EQ(os.reads, size_t(kConnections));
  EXPECT_EQ(os.writes, size_t(kConnections));
  EXPECT_EQ(os.writevs, 0u);
  EXPECT_EQ(os.others, 0u);
  EXPECT_EQ(loop->stats().interest_changes, before.interest_changes);
  expect_replies();
  EXPECT_EQ(server->flushed, 2u);
  EXPECT_EQ(server->table.stats().extensions, 0u);
}

// The same with a pause that lasts over the round, as an IO thread or an upstream makes it.
TEST_F(CostTest, PauseForOneReplyCostsNoControlCall) {
  make();
  round();
  expect_replies();
  const uint64_t before = loop->stats().interest_changes;
  std::vector<Connection> all;
  server->table.visit(0, SIZE_MAX, [&](Connection c) { all.push_back(c); });
  for (Connection c : all) c.pause(PauseReason::kBusy);
  loop->run_once(Nanoseconds::zero());
  loop->run_once(Nanoseconds::zero());
  for (Connection c : all) c.resume(PauseReason::kBusy);
  round();
  expect_replies();
  EXPECT_EQ(loop->stats().interest_changes, before);
}

TEST_F(CostTest, FullScratchRunsTheBatchEarlyAndLosesNothing) {
  ConnectionOptions small;
  small.scratch_bytes = 256;
  make(small);
  round();
  expect_replies();
  EXPECT_GT(server->full, 0u);
}

TEST_F(CostTest, IdleConnectionOwnsNothing) {
  make();
  round();
  expect_replies();
  EXPECT_EQ(server->table.stats().extensions, 0u);
  EXPECT_EQ(server->table.stats().kept_input_bytes, 0u);
  EXPECT_EQ(server->table.stats().queued_output_bytes, 0u);
  std::printf("record: %zu bytes, extension: %zu\n", sizeof(ConnectionRecord),
              sizeof(ConnectionExtension));
}

}  // namespace
}  // namespace ae::test
