// A tester in a simulated world, and the server it tests: no socket, no waiting.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ae/sim/sim_host.h"
#include "ae/sim/world.h"
#include "load/tester.h"
#include "proto/request_parser.h"

namespace load {

// Answers PING with PONG and anything else with OK, at once, unless it stalls.
class FakeServer {
 public:
  FakeServer(ae::sim::World& world, const ae::Address& address)
      : world_(world), host_(world.os(), address) {
    world_.loop().before_sleep([this] { serve(); });
  }

  ae::sim::SimHost& host() { return host_; }
  // Like DEBUG SLEEP: nothing is read or answered in between.
  void stall(ae::Nanoseconds after, ae::Nanoseconds duration) {
    world_.agenda().after(after, [this] { stalled_ = true; });
    world_.agenda().after(after + duration, [this] {
      stalled_ = false;
      serve();
    });
  }
  // From now on it wakes up this often only, and answers what has come by then.
  void serve_every(ae::Nanoseconds turn) {
    stalled_ = true;
    world_.agenda().after(turn, [this, turn] {
      stalled_ = false;
      serve();
      serve_every(turn);
    });
  }
  // What it says to the n-th request instead; empty: nothing, now or later.
  void answer_instead(uint64_t request, std::string reply) {
    odd_request_ = request;
    odd_reply_ = std::move(reply);
  }
  void set_piecewise() { piecewise_ = true; }

  struct Guest {
    ae::sim::SimPeer peer;
    std::string unparsed;
    uint64_t requests = 0;
  };
  std::deque<Guest>& guests() { return guests_; }
  uint64_t requests() const { return requests_; }

  void serve() {
    while (auto peer = host_.take()) guests_.push_back({std::move(*peer), {}});
    if (stalled_) return;
    for (Guest& guest : guests_) serve(guest);
  }

 private:
  void serve(Guest& guest) {
    guest.unparsed += guest.peer.read();
    while (!guest.unparsed.empty()) {
      proto::PartialRequest partial;
      proto::ArgVector args;
      const auto parsed =
          proto::parse_request(guest.unparsed, partial, proto::RequestLimits::normal(), args);
      if (parsed.status != proto::ParseStatus::kRequest) return;
      const std::string reply = args[0] == "PING" ? "+PONG\r\n" : "+OK\r\n";
      guest.unparsed.erase(0, parsed.consumed);
      ++guest.requests;
      send(guest, ++requests_ == odd_request_ ? odd_reply_ : reply);
    }
  }
  void send(Guest& guest, const std::string& reply) {
    if (!piecewise_) return void(guest.peer.send(reply));
    for (const char c : reply) guest.peer.send_segment({&c, 1});
  }

  ae::sim::World& world_;
  ae::sim::SimHost host_;
  std::deque<Guest> guests_;
  bool stalled_ = false, piecewise_ = false;
  uint64_t requests_ = 0, odd_request_ = 0;
  std::string odd_reply_;
};

class LoadRig {
 public:
  explicit LoadRig(const std::function<void(Options&)>& change = [](Options&) {}) {
    options_.connections = 10;
    options_.expected = "PONG";
    change(options_);
    tester_ = std::make_unique<Tester>(world_.loop(), target_, options_, Share{});
    server_ = std::make_unique<FakeServer>(world_, target_);
  }

  ae::sim::World& world() { return world_; }
  FakeServer& server() { return *server_; }

  // Runs a phase to its end, or gives up after `most` of simulated time.
  const PhaseResult& run(ScenarioKind kind, ae::Nanoseconds duration = ae::Seconds(1),
                         double rate = 1000, ae::Nanoseconds most = ae::Seconds(100)) {
    tester_->begin({kind, duration, rate}, world_.loop().now());
    const ae::TimePoint end = world_.loop().now() + most;
    over_ = false;
    while (!over_ && world_.loop().now() < end) {
      world_.pass(ae::Milliseconds(1));
      over_ = tester_->over();
    }
    return tester_->result();
  }
  bool over() const { return over_; }
  const PhaseResult& connect() { return run(ScenarioKind::kConnect); }

  // Nothing may be left behind by it.
  std::string end() {
    tester_.reset();
    return world_.violations();
  }

 private:
  const ae::Address target_ = ae::Address::loopback(7000);
  Options options_;
  ae::sim::World world_{1};
  std::unique_ptr<Tester> tester_;
  // Behind the tester: its hook then runs after the tester's flush, and it answers within the tick.
  std::unique_ptr<FakeServer> server_;
  bool over_ = false;
};

}  // namespace load
