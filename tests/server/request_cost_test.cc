// What a request costs the kernel and the heap, counted through the whole server: system calls and
// allocations are deterministic, hence asserted. tests/ae/net/connection_cost_test.cc does the same
// for the connection table alone.
//
// Real sockets and the real pollers, with a count on every seam: an Os, a poller around the poller,
// io_uring_enter. The clock stands still, so that no cron runs in the middle of a count.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include "ae/core/completions.h"
#include "ae/sim/sim_clock.h"
#include "proto/request_writer.h"
#include "server/config/config_store.h"
#include "server/server.h"
#include "tests/ae/net/allocation_count.h"
#include "tests/ae/net/net_support.h"

struct io_uring;
struct io_uring_cqe;
struct __kernel_timespec;

// liburing's two ways into the kernel that the poller uses, each one io_uring_enter, stand before
// the library's in the search for symbols.
namespace {
size_t g_enters = 0;

template <class Function, class... Arguments>
int enter(const char* name, Arguments... arguments) {
  ++g_enters;
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name))(arguments...);
}
}  // namespace

extern "C" int io_uring_submit_and_get_events(io_uring* ring) {
  return enter<int(io_uring*)>("io_uring_submit_and_get_events", ring);
}
extern "C" int io_uring_submit_and_wait_timeout(io_uring* ring, io_uring_cqe** first,
                                                unsigned count, __kernel_timespec* time,
                                                void* mask) {
  return enter<int(io_uring*, io_uring_cqe**, unsigned, __kernel_timespec*, void*)>(
      "io_uring_submit_and_wait_timeout", ring, first, count, time, mask);
}

namespace millrace {
namespace {

using ae::Backend;
using ae::test::CountingOs;
using ae::test::Peer;

// Counts what is asked of the kernel's poller: waits, and control calls (epoll_ctl).
class CountingPoller final : public ae::Poller {
 public:
  explicit CountingPoller(Backend backend) : below_(std::move(*ae::create_poller(backend))) {}

  size_t waits = 0, controls = 0;

  std::string_view name() const override { return below_->name(); }
  bool supports(ae::Trigger trigger) const override { return below_->supports(trigger); }
  ae::Status add(int fd, ae::Events interest, ae::Trigger trigger, uint64_t token) override {
    return ++controls, below_->add(fd, interest, trigger, token);
  }
  ae::Status modify(int fd, ae::Events interest, ae::Trigger trigger, uint64_t token) override {
    return ++controls, below_->modify(fd, interest, trigger, token);
  }
  ae::Status remove(int fd) override { return ++controls, below_->remove(fd); }
  ae::Result<size_t> wait(std::span<ae::ReadyEvent> out,
                          std::optional<std::chrono::nanoseconds> timeout) override {
    return ++waits, below_->wait(out, timeout);
  }
  ae::Completions* completions() override { return below_->completions(); }

 private:
  std::unique_ptr<ae::Poller> below_;
};

// A request as clients send it.
std::string request(std::initializer_list<std::string_view> words) {
  return proto::encode_request(words);
}

std::string bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

// What some rounds cost in all.
struct Cost {
  size_t waits = 0, controls = 0, reads = 0, writes = 0, others = 0, enters = 0, allocations = 0;
  size_t inputs = 0, outputs = 0;  // receives and sends by the server's own account
};

class RequestCostTest : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    if (!ae::create_poller(GetParam())) GTEST_SKIP() << "not in this kernel or build";
    auto poller = std::make_unique<CountingPoller>(GetParam());
    poller_ = poller.get();
    const char* arguments[] = {"millrace-server", "--save", ""};
    EXPECT_FALSE(config_.load_arguments(int(std::size(arguments)), arguments));
    ae::LoopOptions options;
    options.clock = &clock_;
    options.os = &os_;
    options.poller = std::move(poller);
    server_ = std::move(*Server::create(config_, std::move(options)));
  }

  void connect(size_t clients) {
    while (peers_.size() < clients) {
      const auto [ours, theirs] = ae::test::tcp_pair();
      server_->client_io().accept(ours, Origin::kLoopback);
      peers_.emplace_back(theirs);
    }
    server_->loop().run_once(ae::Nanoseconds::zero());
  }

  // One round: every client has sent `requests` when the server wakes up, and has its replies when
  // it is about to sleep again. By completions those leave in the wait that follows; and since
  // Linux 6.13 a wait that need not sleep completes twenty receives, not all that could be.
  void round(const std::string& requests) {
    for (Peer& peer : peers_) peer.send(requests);
    const uint64_t served = sent() + peers_.size();
    server_->loop().run_once(ae::Nanoseconds::zero());
    if (!by_completions()) return;
    for (int ticks = 0; ticks < kMostTicks && sent() < served; ++ticks)
      server_->loop().run_once(ae::Nanoseconds::zero());
    server_->loop().run_once(ae::Nanoseconds::zero());
  }
  uint64_t sent() const { return server_->services().lifecycle.traffic().writes; }

  // The cost of `rounds` rounds once the first two have made what is made once.
  Cost measure(const std::string& requests, std::string_view replies, size_t rounds) {
    for (int i = 0; i < 2; ++i) {
      round(requests);
      expect_replies(replies);
    }
    const Cost before = count();
    Cost sum;
    for (size_t i = 0; i < rounds; ++i) {
      const size_t allocated = ae::test::allocations();
      round(requests);
      sum.allocations += ae::test::allocations() - allocated;
      expect_replies(replies);
    }
    const Cost after = count();
    sum.waits = after.waits - before.waits;
    sum.controls = after.controls - before.controls;
    sum.reads = after.reads - before.reads;
    sum.writes = after.writes - before.writes;
    sum.others = after.others - before.others;
    sum.enters = after.enters - before.enters;
    sum.inputs = after.inputs - before.inputs;
    sum.outputs = after.outputs - before.outputs;
    return sum;
  }

  // `clients` with `pipeline` requests each, `rounds` times.
  void expect_steady_state(size_t clients, size_t pipeline) {
    SCOPED_TRACE(std::to_string(clients) + " clients, pipeline " + std::to_string(pipeline));
    connect(clients);
    constexpr size_t kRounds = 10;
    const Cost cost =
        measure(times(pipeline, request({"GET", "key"})), times(pipeline, bulk("value")), kRounds);
    const size_t batches = kRounds * clients;  // one per ready client and round
    EXPECT_EQ(cost.inputs, batches);
    EXPECT_EQ(cost.outputs, batches);
    EXPECT_EQ(cost.controls, 0u);
    EXPECT_EQ(cost.others, 0u);
    EXPECT_EQ(cost.allocations, 0u);
    if (by_completions()) {
      // A tick is one system call, whoever is read and written in it.
      EXPECT_EQ(cost.enters, cost.waits);
      EXPECT_GE(cost.waits, 2 * kRounds);
      EXPECT_LE(cost.waits, kRounds * (2 + clients / kReceivesPerWait));
      EXPECT_EQ(cost.reads, 0u);
      EXPECT_EQ(cost.writes, 0u);
    } else {
      EXPECT_EQ(cost.waits, kRounds);
      EXPECT_EQ(cost.enters, 0u);
      EXPECT_EQ(cost.reads, batches);
      EXPECT_EQ(cost.writes, batches);
    }
  }

  // Allocations of `count` rounds of one client.
  size_t allocations_of(const std::string& requests, std::string_view replies, size_t count = 100) {
    connect(1);
    return measure(requests, replies, count).allocations;
  }

  void store(std::string_view request, std::string_view reply) {
    connect(1);
    peers_.front().send(request);
    server_->loop().run_once(ae::Nanoseconds::zero());
    server_->loop().run_once(ae::Nanoseconds::zero());
    ASSERT_EQ(peers_.front().receive(), reply);
  }

  static std::string times(size_t count, std::string_view text) {
    std::string all;
    for (size_t i = 0; i < count; ++i) all += text;
    return all;
  }

  // Instead of replies that differ from round to round: any that are no errors.
  static constexpr std::string_view kDiffer = "";

  bool by_completions() const { return poller_->completions() != nullptr; }

  static constexpr int kMostTicks = 100;
  static constexpr size_t kReceivesPerWait = 20;

  CountingOs os_;
  ae::sim::SimClock clock_;
  ConfigStore config_;
  CountingPoller* poller_ = nullptr;
  std::unique_ptr<Server> server_;
  std::vector<Peer> peers_;

 private:
  Cost count() const {
    return {.waits = poller_->waits,
            .controls = poller_->controls,
            .reads = os_.reads,
            .writes = os_.writes + os_.writevs,
            .others = os_.others + os_.closes,
            .enters = g_enters,
            .allocations = 0,
            .inputs = server_->services().lifecycle.traffic().reads,
            .outputs = sent()};
  }
  void expect_replies(std::string_view replies) {
    for (Peer& peer : peers_) {
      const std::string received = peer.receive();
      if (replies == kDiffer) {
        EXPECT_FALSE(received.empty() || received.starts_with('-')) << received;
      } else {
        EXPECT_EQ(received, replies);
      }
    }
  }
};

TEST_P(RequestCostTest, OneWaitPerTickOneReadAndOneWritePerReadyClient) {
  store(request({"SET", "key", "value"}), "+OK\r\n");
  for (const size_t clients : {1, 50})
    for (const size_t pipeline : {1, 16}) expect_steady_state(clients, pipeline);
}

TEST_P(RequestCostTest, GetOfEveryStringLayoutAllocatesNothing) {
  for (const size_t length : {1, 44, 45, 400, 2000, 20000}) {
    SCOPED_TRACE(length);
    const std::string value(length, 'x');
    store(request({"SET", "key", value}), "+OK\r\n");
    EXPECT_EQ(allocations_of(request({"GET", "key"}), bulk(value), 20), 0u);
  }
  store(request({"SET", "key", "12345"}), "+OK\r\n");
  EXPECT_EQ(allocations_of(request({"GET", "key"}), bulk("12345")), 0u);
  EXPECT_EQ(allocations_of(request({"GET", "nokey"}), "$-1\r\n"), 0u);
}

TEST_P(RequestCostTest, OverwritingSetAllocatesNothing) {
  for (const size_t length : {1, 44, 45, 400, 2000, 20000}) {
    SCOPED_TRACE(length);
    // Longer than a provided buffer: it comes in two pieces, and the first is kept in a block.
    if (by_completions() && length >= 16 * 1024) continue;
    const std::string set = request({"SET", "key", std::string(length, 'x')});
    EXPECT_EQ(allocations_of(set, "+OK\r\n", 20), 0u);
  }
}

// A value of another length changes its block: at most one allocation each.
TEST_P(RequestCostTest, OverwritingSetOfAnotherLengthAllocatesAtMostOnce) {
  const auto set = [](size_t length) { return request({"SET", "key", std::string(length, 'x')}); };
  EXPECT_EQ(allocations_of(set(10) + set(400), "+OK\r\n+OK\r\n"), 0u);
  EXPECT_LE(allocations_of(set(1000) + set(2000), "+OK\r\n+OK\r\n", 100), 200u);
}

TEST_P(RequestCostTest, CountersAllocateNothing) {
  EXPECT_EQ(allocations_of(request({"INCR", "counter"}), kDiffer), 0u);
  EXPECT_EQ(allocations_of(times(16, request({"INCR", "counter"})), kDiffer), 0u);
  EXPECT_EQ(allocations_of(request({"INCRBY", "counter", "1000"}) + request({"DECR", "counter"}),
                           kDiffer),
            0u);
  EXPECT_EQ(allocations_of(request({"SET", "k", "v", "EX", "100"}) +
                               request({"EXPIRE", "k", "50"}) + request({"TTL", "k"}),
                           "+OK\r\n:1\r\n:50\r\n"),
            0u);
}

// A node of 8 KiB takes hundreds of elements, and grows by doubling.
TEST_P(RequestCostTest, PushesAllocateNowAndThen) {
  constexpr size_t kRounds = 500, kPipeline = 16;
  const size_t allocated =
      allocations_of(times(kPipeline, request({"LPUSH", "list", "element"})), kDiffer, kRounds);
  EXPECT_LE(allocated, kRounds * kPipeline / 10);
  // In and out at the ends: none.
  EXPECT_EQ(
      allocations_of(request({"RPUSH", "list", "element"}) + request({"LPOP", "list"}), kDiffer),
      0u);
}

TEST_P(RequestCostTest, FieldsAndMembersThatExistAllocateNothing) {
  EXPECT_EQ(allocations_of(
                request({"HSET", "hash", "field", "value"}) + request({"HGET", "hash", "field"}),
                kDiffer),
            0u);
  EXPECT_EQ(
      allocations_of(request({"SADD", "set", "member"}) + request({"SISMEMBER", "set", "member"}),
                     kDiffer),
      0u);
  EXPECT_EQ(allocations_of(request({"ZADD", "sorted", "1", "member"}) +
                               request({"ZSCORE", "sorted", "member"}),
                           kDiffer),
            0u);
}

TEST_P(RequestCostTest, CronAllocatesNothing) {
  connect(50);
  // The clock goes on between two ticks, so each is a tenth of a second late: no news here.
  server_->loop().account().set_long_tick(ae::Nanoseconds::zero());
  const auto second_of_cron = [&] {
    for (int i = 0; i < 10; ++i) {
      clock_.advance(ae::Milliseconds(100));
      server_->loop().run_once(ae::Nanoseconds::zero());
    }
  };
  second_of_cron();
  const uint64_t runs = server_->loop().stats().timers_run;
  const size_t allocated = ae::test::allocations();
  second_of_cron();
  EXPECT_EQ(ae::test::allocations(), allocated);
  EXPECT_GE(server_->loop().stats().timers_run - runs, 10u);
}

INSTANTIATE_TEST_SUITE_P(Backends, RequestCostTest,
                         testing::Values(Backend::kEpoll, Backend::kIoUring), [](const auto& info) {
                           return info.param == Backend::kEpoll ? "Epoll" : "IoUring";
                         });

}  // namespace
}  // namespace millrace
