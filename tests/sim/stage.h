// One world with the toy server in it: what each simulated run is played on.
#pragma once

#include <memory>
#include <string>

#include "ae/net/connection_table.h"
#include "ae/sim/audit.h"
#include "ae/sim/world.h"
#include "tests/sim/toy_server.h"

namespace ae::sim {

struct StageOptions {
  WorldOptions world = {};
  // Small, so that a run costs little to set up and every boundary is near.
  ConnectionOptions table = {.scratch_bytes = 4096, .read_budget = 1024};
  ToyServer::Mode mode = ToyServer::Mode::kDirect;
};

class Stage {
 public:
  explicit Stage(StageOptions options = {})
      : world_(options.world), server_(options.mode), table_(world_.loop(), options.table) {
    server_.attach(table_);
  }

  World& world() { return world_; }
  SimOs& os() { return world_.os(); }
  FaultPlan& faults() { return world_.faults(); }
  ConnectionTable& table() { return table_; }
  AuditedHandler& handler() { return audited_; }

  // A client that is connected already.
  SimPeer client(BufferSizes buffers = {}) {
    auto [fd, peer] = world_.os().stream_pair(Transport::kTcp, buffers);
    adopt(fd);
    return std::move(peer);
  }
  Connection adopt(int fd) {
    const Result<Connection> connection = table_.adopt(fd, audited_);
    if (!connection) return {};
    audited_.born(*connection);
    return *connection;
  }

  // All clients have gone: is everything else gone too? Empty is good.
  std::string violations() {
    std::string text = world_.violations() + audited_.violations();
    if (table_.size() > 0) text += std::to_string(table_.size()) + " connections left\n";
    if (server_.partials() > 0) text += "half packets left\n";
    if (server_.replies_held() > 0) text += "replies left\n";
    if (table_.stats().kept_input_bytes > 0) text += "kept input left\n";
    if (table_.stats().queued_output_bytes > 0) text += "queued output left\n";
    if (table_.stats().extensions > 0) text += "extensions left\n";
    return text;
  }

 private:
  World world_;
  ToyServer server_;
  AuditedHandler audited_{server_};
  ConnectionTable table_;
};

}  // namespace ae::sim
