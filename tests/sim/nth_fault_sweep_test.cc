// One fault at a time, everywhere: a scenario is run again and again, each time with one documented
// errno at the nth call of one kind, for n = 1, 2, ... until the scenario makes fewer calls. Once
// as a single mishap, once as a condition that stays.
//
// After each run: nobody was left hanging (served, or told by a close), and nothing is left over.
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "ae/net/dialer.h"
#include "ae/net/listener.h"
#include "ae/net/socket_options.h"
#include "ae/sim/sim_host.h"
#include "tests/sim/stage.h"

namespace ae::sim {
namespace {

enum class Persistence : uint8_t { kOnce, kStays };

struct SweepPoint {
  CallKind kind;
  Fault fault;
  uint64_t n;
  Persistence persistence;
};

std::string describe(const SweepPoint& point) {
  return std::string(name(point.kind)) + " #" + std::to_string(point.n) +
         (point.persistence == Persistence::kStays ? " and all later: " : ": ") +
         describe(point.fault);
}

void arm(FaultPlan& faults, const SweepPoint& point) {
  if (point.persistence == Persistence::kStays) {
    faults.from(point.kind, point.n, point.fault);
  } else {
    faults.nth(point.kind, point.n, point.fault);
  }
}

// What went wrong, and how many calls of the kind were made.
struct Outcome {
  std::string wrong;
  uint64_t calls = 0;
};
using Scenario = std::function<Outcome(const SweepPoint&)>;

// EAGAIN from a descriptor that stays ready, or EINTR again and again, is no kernel's behaviour.
bool is_of_the_moment(const Fault& fault) {
  return fault.kind == Fault::Kind::kWouldBlock || fault.kind == Fault::Kind::kInterrupted;
}

void sweep(const Scenario& scenario) {
  // No scenario of ours makes more calls of one kind; a sweep that does not end is a bug.
  constexpr uint64_t kMostCalls = 1000;
  size_t runs = 0;
  for (size_t kind = 0; kind < kCallKinds; ++kind) {
    for (const Fault& fault : documented_faults(CallKind(kind))) {
      for (const Persistence persistence : {Persistence::kOnce, Persistence::kStays}) {
        if (persistence == Persistence::kStays && is_of_the_moment(fault)) continue;
        for (uint64_t n = 1; n < kMostCalls; ++n) {
          const SweepPoint point{CallKind(kind), fault, n, persistence};
          const Outcome outcome = scenario(point);
          if (outcome.calls < n) break;
          ++runs;
          ASSERT_EQ(outcome.wrong, "") << "with a fault at " << describe(point);
        }
      }
    }
  }
  std::printf("  places and faults: %zu\n", runs);
}

// --- accept, request, reply, close

// What a client may expect: behind a fault that is no error, a reply; else a reply or a close.
enum class Demand : uint8_t { kServed, kServedOrTold };

Demand demand_after(const Fault& fault) {
  return fault.kind == Fault::Kind::kErrno ? Demand::kServedOrTold : Demand::kServed;
}

class Clients {
 public:
  explicit Clients(Stage& stage, const Address& server) {
    for (SimPeer& client : clients_) client = SimPeer::dial(stage.os(), server);
  }

  void ask(Stage& stage) {
    for (SimPeer& client : clients_) {
      const Bytes request = dialogue_.request;
      client.send_pieces({request.substr(0, 9), request.substr(9)});
      stage.world().pass(Seconds(2));
      client.read();
    }
  }
  // Each leaves in its own way.
  void leave() {
    clients_[0].fin();
    clients_[1].reset();
    clients_[2].send("QUIT\r\n");
  }
  void go() {
    for (SimPeer& client : clients_) client.close();
  }

  std::string violations(Demand demand) {
    std::string text;
    for (SimPeer& client : clients_) {
      text += prefix_violation(client.received(), dialogue_.reply);
      const bool served = client.received() == dialogue_.reply;
      if (demand == Demand::kServed && !served)
        text += "a client got \"" + client.received() + "\"\n";
      const bool told = client.saw_end() || client.saw_reset() || !client.connected();
      if (!served && !told) text += "a client hangs with \"" + client.received() + "\"\n";
    }
    return text;
  }

 private:
  std::array<SimPeer, 3> clients_;
  Dialogue dialogue_{{{"SET", "k", "v"}, {"GET", "k"}}, Dialogue::Form::kMultibulk};
};

// While a fault stays, a client may well wait: whoever cannot write, cannot answer.
bool may_hang(const SweepPoint& point) {
  return point.persistence == Persistence::kStays;
}

Outcome serve(const SweepPoint& point) {
  Stage stage;
  FaultPlan& faults = stage.faults();
  arm(faults, point);
  std::string wrong;
  {
    Listener listener(stage.world().loop(), [&](int fd, uint32_t) {
      (void)set_no_delay(stage.os(), fd);
      (void)set_keepalive(stage.os(), fd, Seconds(300));
      stage.adopt(fd);
    });
    const auto endpoint = listener.listen(Address::loopback(6379));
    if (endpoint) {
      Clients clients(stage, Address::loopback(6379));
      clients.ask(stage);
      if (!may_hang(point)) wrong = clients.violations(demand_after(point.fault));
      clients.leave();
      stage.world().pass(Seconds(10));
      faults.clear();
      clients.go();
      stage.world().pass(Seconds(10));
      listener.close(*endpoint);
    }
    stage.world().settle();
  }
  return {wrong + stage.violations(), faults.calls(point.kind)};
}

TEST(NthFaultSweepTest, AcceptRequestReplyClose) {
  sweep(serve);
}

// --- dial, talk, close

struct Greeter final : ConnectionHandler {
  size_t on_data(Connection connection, MutableBytes data) override {
    heard.append(data.data(), data.size());
    connection.close_after_flush(CloseReason::kRequested);
    return data.size();
  }
  void on_closed(Connection, CloseReason) override { ++closed; }

  std::string heard;
  size_t closed = 0;
};

Outcome dial(const SweepPoint& point) {
  World world;
  FaultPlan& faults = world.faults();
  Greeter greeter;
  ConnectionTable table(world.loop(), {.scratch_bytes = 4096});
  SimHost host(world.os(), Address::loopback(7001));
  Dialer dialer(world.loop(), 1);
  size_t answers = 0;
  bool adopted = false;
  arm(faults, point);
  dialer.dial({Address::loopback(7000), Address::loopback(7001)}, {.rounds = 2},
              [&](Result<int> fd) {
                ++answers;
                if (!fd) return;
                auto connection = table.adopt(*fd, greeter);
                adopted = connection.has_value();
                if (adopted) connection->send("hello");
              });
  world.pass(Seconds(20));
  // A dial that failed behind its handshake leaves a dead connection with the host; the last one
  // lives.
  std::optional<SimPeer> peer;
  while (auto taken = host.take()) peer = std::move(taken);
  if (peer) peer->read();
  if (peer) peer->send("welcome");
  world.pass(Seconds(20));
  faults.clear();
  if (peer) peer->close();
  world.pass(Seconds(20));
  std::string wrong = world.violations();
  if (answers != 1) wrong += "done was called " + std::to_string(answers) + " times\n";
  if (dialer.under_way() > 0) wrong += "a dial is still under way\n";
  if (greeter.closed != size_t(adopted)) wrong += "on_closed is missing\n";
  const bool killed = point.kind == CallKind::kRead || point.kind == CallKind::kWrite;
  if (adopted && !killed && greeter.heard != "welcome") wrong += "nothing was heard\n";
  return {wrong, faults.calls(point.kind)};
}

TEST(NthFaultSweepTest, DialTalkClose) {
  sweep(dial);
}

// --- making a loop

Outcome make_loop(const SweepPoint& point) {
  SimClock clock;
  Agenda agenda(clock);
  SimOs os;
  arm(os.faults(), point);
  {
    LoopOptions options;
    options.clock = &clock;
    options.os = &os;
    options.poller = std::make_unique<SimPoller>(os, agenda, 1);
    const auto loop = EventLoop::create(std::move(options));
    const bool harmless = point.fault.kind == Fault::Kind::kInterrupted;
    const bool met = os.faults().calls(point.kind) >= point.n;
    EXPECT_EQ(loop.has_value(), !met || harmless) << describe(point);
  }
  const bool clean = os.open_descriptors() == 0 && os.misuses().empty();
  return {clean ? "" : "a descriptor is left", os.faults().calls(point.kind)};
}

TEST(NthFaultSweepTest, MakingALoop) {
  sweep(make_loop);
}

}  // namespace
}  // namespace ae::sim
