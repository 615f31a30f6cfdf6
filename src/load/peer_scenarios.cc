// The ill-behaved: some connections dribble, read slowly or fall silent, while the others work at
// their rate. What is measured is the others.
#include <string>
#include <vector>

#include "load/scenario.h"
#include "proto/request_writer.h"

namespace load {
namespace {

// What the three have in common: some peers, taken off the roster and given back as new
// connections; and the background.
class PeerScenario : public Scenario {
 public:
  explicit PeerScenario(const Stage& stage) : stage_(stage) {}

  void start() final {
    const uint32_t count = stage_.share.part(stage_.options.peers);
    while (peers_.size() < count) {
      const std::optional<uint32_t> client = stage_.crowd.pick(stage_.random);
      if (!client) break;
      stage_.crowd.set_apart(*client);
      peers_.push_back(*client);
    }
    for (const uint32_t peer : peers_) begin(peer);
    background_ = make_background(stage_);
  }
  bool issued() final { return background_->over(); }
  void finish() final {
    end();
    for (const uint32_t peer : peers_) stage_.crowd.drop(peer);
    stage_.crowd.connect_missing();
  }

 protected:
  virtual void begin(uint32_t peer) = 0;
  virtual void end() {}

  Stage stage_;
  std::vector<uint32_t> peers_;

 private:
  std::unique_ptr<Traffic> background_;
};

// Each peer sends one byte per interval. The request is due with its last byte, and its reply is
// measured and checked like any other.
class Dribble final : public PeerScenario {
 public:
  explicit Dribble(const Stage& stage) : PeerScenario(stage) {}
  ~Dribble() override { end(); }

 private:
  void begin(uint32_t) override {
    requests_.emplace_back(stage_.request.next(stage_.random));
    if (timer_.valid()) return;
    timer_ = stage_.loop.add_periodic(stage_.options.byte_interval, [this] { next_bytes(); });
  }
  void end() override { stage_.loop.cancel(std::exchange(timer_, {})); }

  // requests_ holds what each peer has not sent yet.
  void next_bytes() {
    for (size_t i = 0; i < peers_.size(); ++i) {
      ae::Connection connection = stage_.crowd.connection(peers_[i]);
      if (connection.state() != ae::ConnectionState::kOpen) continue;
      std::string& left = requests_[i];
      connection.send(ae::Bytes(left).substr(0, 1));
      left.erase(0, 1);
      if (!left.empty()) continue;
      stage_.exchange.expect(peers_[i], stage_.loop.clock().now());
      left = stage_.request.next(stage_.random);
    }
  }

  std::vector<std::string> requests_;
  ae::TimerId timer_;
};

// Each peer stores a large value, asks for it many times at once, and then takes one piece a
// second. The server has the rest on its hands.
class Slow final : public PeerScenario {
 public:
  explicit Slow(const Stage& stage) : PeerScenario(stage) {}
  ~Slow() override { end(); }

 private:
  static constexpr uint32_t kAskedAtOnce = 32;
  static constexpr std::string_view kKey = "millrace-load:large";

  void begin(uint32_t peer) override {
    ae::Connection connection = stage_.crowd.connection(peer);
    stage_.crowd.read_slowly(peer);
    const std::string value(stage_.options.value_bytes, 'v');
    const std::string seconds = std::to_string(stage_.phase.duration / ae::Seconds(1) + 60);
    connection.send(proto::encode_request({"SET", kKey, value, "EX", seconds}));
    for (uint32_t i = 0; i < kAskedAtOnce; ++i) {
      connection.send(proto::encode_request({"GET", kKey}));
    }
    stage_.exchange.owe(peer, 1 + kAskedAtOnce);
    if (timer_.valid()) return;
    timer_ = stage_.loop.add_periodic(ae::Seconds(1), [this] { next_pieces(); });
  }
  void end() override { stage_.loop.cancel(std::exchange(timer_, {})); }

  void next_pieces() {
    for (const uint32_t peer : peers_) {
      stage_.crowd.connection(peer).resume(ae::PauseReason::kUser);
    }
  }

  ae::TimerId timer_;
};

// Half a request, and silence: no byte more, no read, no FIN. (A pulled cable cannot be had on
// loopback; this is what it looks like to the server's process.)
class HalfOpen final : public PeerScenario {
 public:
  explicit HalfOpen(const Stage& stage) : PeerScenario(stage) {}

 private:
  void begin(uint32_t peer) override {
    ae::Connection connection = stage_.crowd.connection(peer);
    const ae::Bytes request = stage_.request.next(stage_.random);
    connection.send(request.substr(0, request.size() / 2));
    connection.pause(ae::PauseReason::kUser);
  }
};

}  // namespace

std::unique_ptr<Scenario> make_dribble(const Stage& stage) {
  return std::make_unique<Dribble>(stage);
}
std::unique_ptr<Scenario> make_slow(const Stage& stage) {
  return std::make_unique<Slow>(stage);
}
std::unique_ptr<Scenario> make_half_open(const Stage& stage) {
  return std::make_unique<HalfOpen>(stage);
}

}  // namespace load
