// The admin lane (admin-port, admin-unixsocket): lets an operator in when nobody else gets in. It
// has listeners of its own that accept before all else; its clients are read, served and flushed
// before the others in each tick (ae::Priority::kUrgent); `maxclients` does not count them; and a
// descriptor is held for each of kMaxAdminClients of them from the start. They are always on the
// main loop.
//
// Thread: the main one.
#pragma once

#include <optional>
#include <string>

#include "ae/net/descriptor_reserve.h"
#include "server/net/endpoints.h"

namespace millrace {

class AdminLane {
 public:
  AdminLane(ae::EventLoop& loop, const Clients& clients, Endpoints::Accepted accepted);

  // Opens the lane if `config` asks for one. An error is a sentence for the log.
  std::optional<std::string> open(const Config& config);
  void close();
  void set_keepalive(int seconds);

 private:
  void make_endpoints();
  void hold_descriptors();

  ae::EventLoop& loop_;
  const Clients& clients_;
  Endpoints::Accepted accepted_;
  ae::DescriptorReserve reserve_;
  std::optional<Endpoints> endpoints_;  // from the first open on
};

}  // namespace millrace
