#include "server/net/admin_lane.h"

#include "server/command/clients.h"

namespace millrace {

AdminLane::AdminLane(ae::EventLoop& loop, const Clients& clients, Endpoints::Accepted accepted)
    : loop_(loop), clients_(clients), accepted_(std::move(accepted)), reserve_(loop.os()) {}

std::optional<std::string> AdminLane::open(const Config& config) {
  if (!config.has_admin_lane()) return std::nullopt;
  if (!endpoints_) make_endpoints();
  return endpoints_->open({.directive = "admin-bind",
                           .bind = config.admin_bind,
                           .port = config.admin_port,
                           .path = config.admin_unixsocket,
                           .path_mode = int(config.admin_unixsocketperm)},
                          config);
}

void AdminLane::make_endpoints() {
  ae::ListenerOptions options;
  options.priority = ae::Priority::kUrgent;
  options.accepts_per_tick = kMaxAdminClients;
  options.reserve = &reserve_;
  endpoints_.emplace(
      loop_, [this](int fd, Origin origin) { accepted_(fd, origin); }, options);
  hold_descriptors();
  loop_.before_sleep([this] { hold_descriptors(); });
}

// Of those who left in the last tick the descriptors are held again before anybody is accepted.
void AdminLane::hold_descriptors() {
  reserve_.hold(kMaxAdminClients - clients_.admin_count());
}

void AdminLane::close() {
  if (endpoints_) endpoints_->close();
}

void AdminLane::set_keepalive(int seconds) {
  if (endpoints_) endpoints_->set_keepalive(seconds);
}

}  // namespace millrace
