#include "ae/sim/network.h"

#include <algorithm>
#include <cerrno>

namespace ae::sim {
namespace {

bool is_wildcard(const Address& address) {
  return address.is_ip() && (address.host() == "0.0.0.0" || address.host() == "::");
}

// A service at every interface is reached through any of its host's addresses.
bool covers(const Address& service, const Address& target) {
  if (service == target) return true;
  return is_wildcard(service) && target.is_ip() && service.port() == target.port();
}

Address unnamed_unix() {
  const sockaddr unnamed{AF_UNIX, {}};
  return *Address::from_sockaddr(&unnamed, sizeof(sa_family_t));
}

}  // namespace

uint16_t Network::free_port() {
  return uint16_t(kFirstFreePort + ports_given_++ % kFreePorts);
}

Address Network::ephemeral(sa_family_t family) {
  if (family == AF_UNIX) return unnamed_unix();
  return family == AF_INET6 ? Address::loopback6(free_port()) : Address::loopback(free_port());
}

bool Network::taken(const Address& address, Sharing sharing) const {
  return std::ranges::any_of(entries_, [&](const Entry& entry) {
    const bool shared = sharing == Sharing::kReusePort && entry.sharing == Sharing::kReusePort;
    return entry.address == address && !shared;
  });
}

Result<Address> Network::attach(const Address& address, Sharing sharing, Service* service) {
  const bool any_port = address.is_ip() && address.port() == 0;
  const Address bound = any_port ? address.with_port(free_port()) : address;
  if (taken(bound, sharing)) return ae::fail(EADDRINUSE, "bind");
  entries_.push_back({bound, sharing, service});
  return bound;
}

void Network::detach(Service* service) {
  std::erase_if(entries_, [service](const Entry& entry) { return entry.service == service; });
}

Service* Network::next_of(const std::vector<Service*>& services) {
  return services.empty() ? nullptr : services[turn_++ % services.size()];
}

Service* Network::find(const Address& address) {
  std::vector<Service*> found;
  for (const Entry& entry : entries_) {
    if (covers(entry.address, address)) found.push_back(entry.service);
  }
  return next_of(found);
}

Result<LinkEnd> Network::dial(const Address& from, const Address& to, BufferSizes buffers) {
  Service* service = find(to);
  if (service == nullptr && to.is_unix()) return ae::fail(ENOENT, "connect");
  const Transport transport = to.is_unix() ? Transport::kUnix : Transport::kTcp;
  const BufferSizes far = service != nullptr ? service->accepted_buffers() : BufferSizes{};
  LinkEnd dialer{std::make_shared<StreamLink>(transport, from, to, buffers, far), Side::kDialer};
  if (service == nullptr) {
    dialer.link->refuse(ECONNREFUSED);
    return dialer;
  }
  if (const Status dialed = service->on_dial(dialer.peer()); !dialed) {
    return ae::fail(dialed.error());
  }
  return dialer;
}

}  // namespace ae::sim
