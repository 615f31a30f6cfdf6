// Many clients, random requests in random pieces, faults, pauses and partings: seed by seed.
//
// The seed decides everything, buffer sizes and the order of events included. A failure prints the
// one line that replays it. MILLRACE_SEEDS=<count> runs more of them.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ae/net/listener.h"
#include "tests/sim/stage.h"

namespace ae::sim {
namespace {

uint64_t number_from(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class RandomRun {
 public:
  explicit RandomRun(uint64_t seed) : random_(seed), stage_(options(seed)) {}

  // What went wrong; empty is good.
  std::string run() {
    listener_.emplace(stage_.world().loop(), [this](int fd, uint32_t) { accept(fd); });
    const auto endpoint = listener_->listen(server_);
    AE_ASSERT(endpoint.has_value());
    stage_.faults().at_random(random_.next(), unsigned(random_.below(60)),
                              {CallKind::kRead, CallKind::kWrite, CallKind::kAccept,
                               CallKind::kPollModify, CallKind::kPollWait, CallKind::kPollAdd});
    for (size_t step = 0; step < kSteps; ++step) take_step();
    stage_.faults().clear();
    finish();
    listener_->close(*endpoint);
    stage_.world().settle();
    listener_.reset();
    return wrong_ + stage_.violations();
  }

 private:
  static constexpr size_t kSteps = 300;
  static constexpr size_t kMaxClients = 8;

  struct Client {
    SimPeer peer;
    Dialogue dialogue;
    size_t sent = 0;
    bool leaving = false;  // it has sent FIN or a reset: the rest of its requests never comes
    bool gone = false;     // reset or closed by the test

    Bytes unsent() const { return Bytes(dialogue.request).substr(sent); }
  };

  StageOptions options(uint64_t seed) {
    const size_t read_budget = 1 + random_.below(300);
    return {.world = {.seed = seed,
                      .os = {.buffers = buffers()},
                      .completions = completions(),
                      .events_per_wait = 1 + size_t(random_.below(16))},
            .table = {.scratch_bytes = 256 + size_t(random_.below(4096)),
                      .read_budget = read_budget,
                      .high_watermark = 64 + size_t(random_.below(2000)),
                      .low_watermark = size_t(random_.below(64))},
            .mode = random_.one_in(2) ? ToyServer::Mode::kDirect : ToyServer::Mode::kBatched};
  }
  std::optional<CompletionBuffers> completions() {
    if (random_.one_in(2)) return std::nullopt;
    return CompletionBuffers{1 + size_t(random_.below(8)), 1 + size_t(random_.below(200))};
  }
  BufferSizes buffers() { return {1 + size_t(random_.below(500)), 1 + size_t(random_.below(500))}; }

  void accept(int fd) {
    const Connection connection = stage_.adopt(fd);
    if (connection.alive()) connections_.push_back(connection);
  }

  void take_step() {
    switch (random_.below(16)) {
      case 0:
        return connect();
      case 1:
      case 2:
      case 3:
      case 4:
        return send_piece();
      case 5:
      case 6:
        return read_some();
      case 7:
        return stage_.world().pass(Milliseconds(random_.below(200)));
      case 8:
        return pause_or_resume();
      case 9:
        return part();
      default:
        return stage_.world().tick();
    }
  }

  // --- the clients

  std::vector<ToyModel::Command> script(size_t client) {
    std::vector<ToyModel::Command> commands;
    for (size_t i = random_.below(25) + 1; i > 0; --i) {
      // Keys of its own, so that its replies do not depend on the others.
      const std::string key = "c" + std::to_string(client) + "k" + std::to_string(random_.below(3));
      const std::string value(
          size_t(random_.below(4) == 0 ? random_.below(2000) : random_.below(9)), 'v');
      const std::vector<ToyModel::Command> choices = {
          {"PING"}, {"SET", key, value}, {"GET", key}, {"DEL", key}, {"ECHO", value}};
      commands.push_back(choices[random_.below(choices.size())]);
    }
    return commands;
  }

  void connect() {
    if (clients_.size() == kMaxClients) return;
    clients_.push_back(std::make_unique<Client>(
        Client{SimPeer::dial(stage_.os(), server_, buffers()),
               Dialogue(script(clients_.size()), Dialogue::Form::kMultibulk)}));
  }
  Client* any_client() {
    return clients_.empty() ? nullptr : clients_[random_.below(clients_.size())].get();
  }

  void send_piece() {
    Client* client = any_client();
    if (client == nullptr || client->leaving || client->unsent().empty()) return;
    const Bytes piece = client->unsent().substr(0, 1 + random_.below(client->unsent().size()));
    client->sent += random_.one_in(2) ? client->peer.send(piece) : client->peer.send_segment(piece);
  }
  void read_some() {
    if (Client* client = any_client()) client->peer.read(1 + random_.below(500));
  }

  // Seldom: somebody ends a connection, in one of the ways there are.
  void part() {
    if (!random_.one_in(6)) return;
    if (random_.one_in(2)) return close_a_connection();
    Client* client = any_client();
    if (client == nullptr) return;
    client->leaving = true;
    if (random_.one_in(2)) return client->peer.fin();
    client->gone = true;
    client->peer.reset(random_.one_in(2) ? Received::kKept : Received::kLost);
  }

  // --- the server's side

  Connection* any_connection() {
    return connections_.empty() ? nullptr : &connections_[random_.below(connections_.size())];
  }
  void close_a_connection() {
    Connection* connection = any_connection();
    if (connection == nullptr) return;
    if (random_.one_in(2)) return connection->close(CloseReason::kRequested);
    connection->close_after_flush(CloseReason::kShutdown, Milliseconds(random_.below(500)));
  }
  void pause_or_resume() {
    Connection* connection = any_connection();
    if (connection == nullptr) return;
    const PauseReason reason = random_.one_in(2) ? PauseReason::kUser : PauseReason::kBlocked;
    random_.one_in(2) ? connection->pause(reason) : connection->resume(reason);
  }

  // --- the end

  // All obstacles are taken away; whoever is still connected must get everything.
  void finish() {
    for (Connection& connection : connections_) {
      connection.resume(PauseReason::kUser);
      connection.resume(PauseReason::kBlocked);
    }
    stage_.world().pass(Seconds(10));
    for (size_t rounds = 0; rounds < kMaxRounds && still_talking(); ++rounds) {
      stage_.world().settle();
    }
    for (const auto& client : clients_) check(*client);
    for (const auto& client : clients_) client->peer.close();
    stage_.world().pass(Seconds(10));
  }
  // More rounds than the longest dialogue has bytes.
  static constexpr size_t kMaxRounds = 100'000;

  bool still_talking() {
    bool talking = false;
    for (const auto& client : clients_) {
      if (client->gone) continue;
      const size_t sent = client->leaving ? 0 : client->peer.send(client->unsent());
      client->sent += sent;
      const bool heard = !client->peer.read().empty();
      talking = talking || sent > 0 || heard;
    }
    return talking;
  }

  void check(const Client& client) {
    const std::string expected = client.dialogue.reply_to(client.sent);
    const std::string difference = prefix_violation(client.peer.received(), expected);
    if (!difference.empty()) wrong_ += difference + "\n";
    const bool ended = client.gone || client.peer.saw_end() || client.peer.saw_reset();
    const bool connected = client.peer.connected() && !ended;
    const bool complete = client.peer.received() == client.dialogue.reply;
    if (connected && !client.leaving && !complete) wrong_ += "a client hangs\n";
    if (connected && client.leaving) wrong_ += "a client's FIN was not answered\n";
  }

  Prng random_;
  Stage stage_;
  const Address server_ = Address::loopback(6379);
  std::optional<Listener> listener_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<Connection> connections_;
  std::string wrong_;
};

TEST(RandomRunTest, SeedBySeed) {
  constexpr uint64_t kFirstSeed = 1;
  constexpr uint64_t kSeeds = 400;
  const uint64_t only = number_from("MILLRACE_SEED", 0);
  const uint64_t first = only != 0 ? only : kFirstSeed;
  const uint64_t count = only != 0 ? 1 : number_from("MILLRACE_SEEDS", kSeeds);
  for (uint64_t seed = first; seed < first + count; ++seed) {
    ASSERT_EQ(RandomRun(seed).run(), "")
        << "replay: MILLRACE_SEED=" << seed << " ae_tests --gtest_filter=RandomRunTest.SeedBySeed";
  }
  std::printf("  seeds %llu to %llu\n", static_cast<unsigned long long>(first),
              static_cast<unsigned long long>(first + count - 1));
}

}  // namespace
}  // namespace ae::sim
