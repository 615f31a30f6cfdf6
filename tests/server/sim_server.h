// The real server in a world of its own: simulated sockets and clock, real everything else.
//
//   SimServer server({"--timeout", "5"});
//   SimClient client = server.dial();
//   EXPECT_EQ(client.ask({"PING"}), "+PONG\r\n");
//   server.pass(ae::Seconds(10));
//   EXPECT_TRUE(client.ended());
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "ae/sim/agenda.h"
#include "ae/sim/sim_clock.h"
#include "ae/sim/sim_os.h"
#include "ae/sim/sim_peer.h"
#include "ae/sim/sim_poller.h"
#include "proto/request_writer.h"
#include "server/server.h"
#include "tests/server/persist/sim_forker.h"
#include "tests/server/persist/sim_storage.h"

namespace millrace {

class SimServer {
 public:
  static constexpr uint16_t kPort = 6379;
  static constexpr uint16_t kAdminPort = 6380;

  struct Options {
    uint64_t seed = 1;
    bool completions = false;
    size_t events_per_wait = 1024;
    // A disk that outlives the server; without one it has its own.
    fakes::SimStorage* disk = nullptr;
  };

  explicit SimServer(std::vector<std::string> more = {}) : SimServer(more, Options{}) {}
  SimServer(const std::vector<std::string>& more, Options options) {
    std::vector<const char*> arguments = {"millrace-server", "--port",    "6379",
                                          "--bind",          "127.0.0.1", "--loglevel",
                                          "nothing",         "--save",    ""};
    for (const std::string& word : more) arguments.push_back(word.c_str());
    if (auto problem = config_.load_arguments(int(arguments.size()), arguments.data()))
      throw std::runtime_error(*problem);
    std::optional<ae::sim::CompletionBuffers> completions;
    if (options.completions) completions.emplace();
    ae::LoopOptions loop;
    loop.clock = &clock_;
    loop.os = &os_;
    loop.poller = std::make_unique<ae::sim::SimPoller>(os_, agenda_, options.seed, completions);
    loop.events_per_wait = options.events_per_wait;
    auto forker = std::make_unique<fakes::SimForker>();
    forker_ = forker.get();
    fakes::SimStorage& disk = options.disk ? *options.disk : disk_;
    disk.add_directory(config_.config().dir);
    auto server =
        Server::create(config_, std::move(loop), {.storage = &disk, .forker = std::move(forker)});
    if (!server) throw std::runtime_error(server.error().message());
    server_ = std::move(*server);
    if (auto problem = server_->open()) throw std::runtime_error(*problem);
  }

  // A client's end; what it receives is kept.
  class Client {
   public:
    Client(SimServer& server, uint16_t port)
        : server_(server),
          peer_(ae::sim::SimPeer::dial(server.os_, *ae::Address::parse("127.0.0.1", port))) {}
    Client(Client&&) = default;
    // Who goes out of scope leaves.
    ~Client() {
      if (peer_) peer_.close();
    }
    void send(std::initializer_list<std::string_view> words) {
      peer_.send(proto::encode_request(words));
    }
    // What has come since the last look.
    std::string read() { return peer_.read(); }
    // A request and what comes back within a few ticks.
    std::string ask(std::initializer_list<std::string_view> words) {
      send(words);
      server_.spin();
      return read();
    }
    ae::sim::SimPeer& peer() { return peer_; }

   private:
    SimServer& server_;
    ae::sim::SimPeer peer_;
  };
  Client dial(uint16_t port = kPort) { return Client(*this, port); }
  Client dial_admin() { return dial(kAdminPort); }

  void tick() { server_->loop().run_once(ae::Nanoseconds(0)); }
  void spin(int ticks = 4) {
    while (ticks-- > 0) tick();
  }
  void pass(ae::Nanoseconds duration) {
    const ae::TimePoint end = clock_.now() + duration;
    while (clock_.now() < end) server_->loop().run_once(end - clock_.now());
    tick();
  }

  fakes::SimForker& forker() { return *forker_; }
  ae::sim::SimOs& os() { return os_; }
  Services& services() { return server_->services(); }
  ae::EventLoop& loop() { return server_->loop(); }
  const ae::LoopStats& stats() { return server_->loop().stats(); }

 private:
  ConfigStore config_;
  ae::sim::SimClock clock_;
  ae::sim::Agenda agenda_{clock_};
  ae::sim::SimOs os_;
  fakes::SimStorage disk_;
  fakes::SimForker* forker_ = nullptr;
  std::unique_ptr<Server> server_;
};

using SimClient = SimServer::Client;

}  // namespace millrace
