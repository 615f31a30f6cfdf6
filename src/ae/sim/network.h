// Who answers at which address of the simulated world: the program's listening sockets and the
// test's SimHosts. Dialling is done here, for both sides.
//
// Thread: one. Ownership: borrows the services; a service detaches before it dies.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ae/base/result.h"
#include "ae/net/address.h"
#include "ae/sim/stream_link.h"

namespace ae::sim {

// Something that may be dialled.
class Service {
 public:
  // `acceptor` is the near end of a link that is connecting. Establish it, refuse it, or keep it
  // for later. A failure is what connect() returns at once; the link is forgotten then.
  virtual Status on_dial(LinkEnd acceptor) = 0;
  virtual BufferSizes accepted_buffers() const = 0;

 protected:
  ~Service() = default;
};

enum class Sharing : uint8_t { kAlone, kReusePort };

class Network {
 public:
  // Port 0 gets a free one. EADDRINUSE where somebody is, unless both sides share the port.
  Result<Address> attach(const Address& address, Sharing sharing, Service* service);
  void detach(Service* service);

  // An address for an end that has bound none: 127.0.0.1 with a port of its own, or an unnamed one.
  Address ephemeral(sa_family_t family);

  // A link to whatever answers at `to`: established, connecting or refused. Nobody there: TCP
  // learns it later (the link is refused with ECONNREFUSED), Unix at once (ENOENT).
  Result<LinkEnd> dial(const Address& from, const Address& to, BufferSizes buffers);

 private:
  struct Entry {
    Address address;
    Sharing sharing;
    Service* service;
  };
  // Several services that share a port are dialled in turn.
  Service* find(const Address& address);
  Service* next_of(const std::vector<Service*>& services);
  bool taken(const Address& address, Sharing sharing) const;
  uint16_t free_port();

  // Below the range in which Linux chooses, so a simulated address in a log is recognisable.
  static constexpr uint16_t kFirstFreePort = 20000;
  static constexpr uint16_t kFreePorts = 12000;

  std::vector<Entry> entries_;
  uint16_t ports_given_ = 0;
  size_t turn_ = 0;
};

}  // namespace ae::sim
