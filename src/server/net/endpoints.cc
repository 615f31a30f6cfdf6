#include "server/net/endpoints.h"

#include <algorithm>
#include <cerrno>

#include "ae/net/socket_options.h"
#include "server/observe/log.h"

namespace millrace {
namespace {

// An address of `bind` that may be missing on this machine has a '-' in front.
bool is_optional(std::string_view& address) {
  if (address.empty() || address.front() != '-') return false;
  address.remove_prefix(1);
  return true;
}

// A name without a slash is a file in the working directory, not a host.
std::string as_path(const std::string& name) {
  return name.front() == '@' || name.find('/') != std::string::npos ? name : "./" + name;
}

bool is_absent(int error) {
  return error == EADDRNOTAVAIL || error == EAFNOSUPPORT || error == EPROTONOSUPPORT;
}

// Clients are served without the option, only worse.
void warn_unless(const ae::Status& status) {
  if (!status) log::warning("Socket option refused: {}", status.error().message());
}

}  // namespace

Endpoints::Endpoints(ae::EventLoop& loop, Accepted accepted, ae::ListenerOptions options)
    : loop_(loop),
      accepted_(std::move(accepted)),
      listener_(
          loop, [this](int fd, uint32_t endpoint) { accepted_(fd, origin_of(fd, endpoint)); },
          options) {
  listener_.set_on_failure([](const ae::Error& error, uint32_t) {
    log::warning_once_a_minute("Accepting clients pauses: {}", error.message());
  });
}

Endpoints::Addresses Endpoints::of_clients(const Config& config) {
  const bool shared = config.io_threads_accept == AcceptPlacement::kReusePort;
  return {.directive = "bind",
          .bind = config.bind,
          .port = config.port,
          .path = config.unixsocket,
          .path_mode = int(config.unixsocketperm),
          .sharing = shared ? ae::PortSharing::kReusePort : ae::PortSharing::kAlone};
}

std::optional<std::string> Endpoints::open(const Addresses& addresses, const Config& config) {
  auto problem = open_all(addresses, config);
  if (problem) close();
  return problem;
}

std::optional<std::string> Endpoints::open_all(const Addresses& addresses, const Config& config) {
  if (addresses.port != 0)
    for (const std::string& address : addresses.bind)
      if (auto problem = open_tcp(address, addresses, config)) return problem;
  if (addresses.port != 0 && !addresses.bind.empty() && places_.empty())
    return "Failed listening on port " + std::to_string(addresses.port) +
           " (tcp): no address of '" + std::string(addresses.directive) + "' is there, aborting.";
  if (!addresses.path.empty()) return open_unix(addresses, config);
  return std::nullopt;
}

std::optional<std::string> Endpoints::open_tcp(std::string_view text, const Addresses& addresses,
                                               const Config& config) {
  const bool optional = is_optional(text);
  auto address = ae::Address::parse(text, uint16_t(addresses.port));
  const ae::Status opened =
      address ? listen(*address, addresses.sharing, config) : ae::fail(address.error());
  if (opened) return std::nullopt;
  if (optional && is_absent(opened.error().code)) return std::nullopt;
  log::warning("Warning: Could not create server TCP listening socket {}:{}: {}", text,
               addresses.port, opened.error().message());
  return "Failed listening on port " + std::to_string(addresses.port) + " (tcp), aborting.";
}

ae::Status Endpoints::listen(const ae::Address& address, ae::PortSharing sharing,
                             const Config& config) {
  const auto endpoint = listener_.listen(
      address, {.backlog = config.tcp_backlog, .sharing = sharing, .unix_mode = std::nullopt});
  if (!endpoint) return ae::fail(endpoint.error());
  warn_unless(ae::set_no_delay(loop_.os(), listener_.descriptor(*endpoint)));
  warn_unless(keep_alive(*endpoint, config.tcp_keepalive_s));
  places_.push_back({*endpoint, address.is_loopback() ? Origin::kLoopback : Origin::kTcp, address});
  return {};
}

std::optional<std::string> Endpoints::open_unix(const Addresses& addresses, const Config& config) {
  ae::EndpointOptions options{
      .backlog = config.tcp_backlog, .sharing = ae::PortSharing::kAlone, .unix_mode = std::nullopt};
  if (addresses.path_mode != 0) options.unix_mode = mode_t(addresses.path_mode);
  auto address = ae::Address::parse(as_path(addresses.path), 0);
  auto endpoint = address ? listener_.listen(*address, options) : ae::fail(address.error());
  if (!endpoint)
    return "Failed opening Unix socket " + addresses.path + ": " + endpoint.error().message();
  places_.push_back({*endpoint, Origin::kUnix, *address});
  return std::nullopt;
}

std::optional<std::string> Endpoints::join(const Endpoints& main, const Config& config) {
  if (config.io_threads_accept == AcceptPlacement::kHandOut) return std::nullopt;
  for (const Place& place : main.places_) {
    const bool exclusive = config.io_threads_accept == AcceptPlacement::kExclusive;
    if (!exclusive && place.origin == Origin::kUnix) continue;  // no such thing there: handed out
    const ae::Status joined = exclusive
                                  ? share(place, main.listener_.descriptor(place.endpoint))
                                  : listen(place.address, ae::PortSharing::kReusePort, config);
    if (joined) continue;
    close();
    return "An IO thread could not listen on " + place.address.to_string() + ": " +
           joined.error().message();
  }
  return std::nullopt;
}

ae::Status Endpoints::share(const Place& place, int descriptor) {
  const auto endpoint = listener_.adopt(
      descriptor,
      {.sharing = ae::PortSharing::kExclusive, .unix_mode = std::nullopt, .borrowed = true});
  if (!endpoint) return ae::fail(endpoint.error());
  places_.push_back({*endpoint, place.origin, place.address, true});
  return {};
}

Origin Endpoints::origin_of(int fd, uint32_t endpoint) const {
  auto place = std::find_if(places_.begin(), places_.end(),
                            [&](const Place& p) { return p.endpoint == endpoint; });
  if (place->origin != Origin::kTcp) return place->origin;
  auto peer = loop_.os().peer_address(fd);
  return peer && peer->is_loopback() ? Origin::kLoopback : Origin::kTcp;
}

void Endpoints::close() {
  for (const Place& place : places_) {
    if (!place.borrowed) listener_.accept_backlog(place.endpoint);
    listener_.close(place.endpoint);
  }
  places_.clear();
}

void Endpoints::set_keepalive(int seconds) {
  for (const Place& place : places_)
    if (place.origin != Origin::kUnix) warn_unless(keep_alive(place.endpoint, seconds));
}

ae::Status Endpoints::keep_alive(uint32_t endpoint, int seconds) {
  return ae::set_keepalive(loop_.os(), listener_.descriptor(endpoint), ae::Seconds(seconds));
}

}  // namespace millrace
