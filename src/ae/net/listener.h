// Accepts connections on any number of endpoints and hands the descriptors over.
//
// Established connections come first: a readable endpoint is only noted while file events are
// delivered, and accepted from in the after-events phase, behind every on_data of the tick; and
// then for `accept_slice` at most, so that a storm of newcomers cannot keep the others waiting.
// What is left stays in the kernel's backlog, and level-triggered readiness reports it again.
//
// The gone before newcomers: while the loop has closings to catch up with, nobody is accepted. In a
// reconnect storm a client's old connection is closed before its new one is counted, and a server
// near its limit turns nobody away who has only come back.
//
// An urgent listener does neither: it accepts before all else, and at once. It is for a few.
//
// Out of descriptors (EMFILE, ENFILE). A connection that cannot be accepted stays in the backlog
// and keeps the endpoint readable: a loop that only ignores the error spins. So one descriptor is
// held in reserve: it is closed, the connection accepted in its place and closed (the client sees
// it at once, instead of hanging), and the reserve opened again. After a few of these accepting
// pauses, doubling the pause up to a second while it does not get better.
//
// Sharing a port between loops:
//   kAlone      one endpoint, one loop
//   kReusePort  each loop binds its own socket; the kernel hashes connections over them
//   kExclusive  the loops watch one socket (adopt() it in each, borrowed); EPOLLEXCLUSIVE wakes one
//               or a few of them per connection instead of all (the thundering herd)
//
// Thread: the loop's. The listener owns its endpoints; it lives as long as the loop runs (it
// hooks).
//
//   ae::Listener listener(*loop, [&](int fd, uint32_t) { table.adopt(fd, echo); });
//   auto endpoint = listener.listen(*ae::Address::parse("127.0.0.1", 6379));
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ae/base/callback.h"
#include "ae/core/event_loop.h"
#include "ae/net/address.h"
#include "ae/net/descriptor_reserve.h"

namespace ae {

enum class PortSharing : uint8_t { kAlone, kReusePort, kExclusive };

struct EndpointOptions {
  int backlog = 511;  // the kernel cuts it down to net.core.somaxconn
  PortSharing sharing = PortSharing::kAlone;
  // Access to a Unix path; the umask decides where nothing is said.
  std::optional<mode_t> unix_mode = std::nullopt;
  // adopt(): the descriptor stays the giver's, who closes it after this listener has closed it
  // here.
  bool borrowed = false;
};

struct ListenerOptions {
  // Over all endpoints, in number and in time. An accept with what follows costs some 10 µs: five
  // of them a tick take in as many a second as 256 (the ticks are shorter then, and cost a tenth
  // more), and whoever works meanwhile waits a twentieth of a millisecond for it instead of three.
  size_t accepts_per_tick = 256;
  Nanoseconds accept_slice = Microseconds(50);
  Priority priority = Priority::kNormal;
  // Descriptors held for this listener's connections, or none: each one accepted takes the place of
  // one of them, so that EMFILE does not keep it out. The owner holds them anew when it has closed
  // one. Outlives the listener.
  DescriptorReserve* reserve = nullptr;
};

struct ListenerStats {
  uint64_t accepted = 0;
  uint64_t refused = 0;  // accepted on the reserve descriptor and closed
  uint64_t failed = 0;   // errors of accept other than "nothing there"
  uint64_t pauses = 0;   // times accepting had to pause
};

class Listener final : private FileHandler {
 public:
  // Takes the descriptor over: non-blocking, close-on-exec. `endpoint` is what listen() returned.
  using Accepted = Callback<void(int fd, uint32_t endpoint)>;
  // An error of accept that makes the listener pause; for the log.
  using Failed = Callback<void(const Error& error, uint32_t endpoint)>;

  Listener(EventLoop& loop, Accepted accepted, ListenerOptions options = {});
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void set_on_failure(Failed failed) { failed_ = std::move(failed); }

  // Binds and listens. A Unix path that is a socket nobody listens on is replaced; anything else
  // there is EADDRINUSE. Returns the endpoint's number.
  Result<uint32_t> listen(const Address& address, EndpointOptions options = {});
  // Takes a listening descriptor over: from a service manager, or borrows another loop's.
  Result<uint32_t> adopt(int fd, EndpointOptions options = {});
  // Where it listens: the port is known here when 0 was asked for.
  Result<Address> address(uint32_t endpoint) const;
  // Its descriptor, for socket options that accepted ones inherit. -1 once it is closed.
  int descriptor(uint32_t endpoint) const { return endpoints_[endpoint].fd; }
  // Accepts all who wait in its backlog, whatever the budget. Before close() where others go on
  // listening for the same address (SO_REUSEPORT): closing resets whoever waits there, though they
  // have been told that they are connected.
  void accept_backlog(uint32_t endpoint);
  // Closes it, and unlinks its path. The others go on; its number is given to a later one.
  void close(uint32_t endpoint);

  // Leaves newcomers in the backlog (a server at maxclients, or shutting down).
  void pause();
  void resume();

  const ListenerStats& stats() const { return stats_; }

 private:
  struct Endpoint {
    int fd = -1;
    FileId file;
    std::string path;  // to unlink
    bool readable = false;
    bool borrowed = false;
  };

  void on_file_event(FileId file, uint32_t token, Events ready) override;
  void accept_ready();
  bool newcomers_wait() const;
  Result<int> accept_from(int listening);
  // False when this endpoint has nothing more, or accepting has to stop.
  bool accept_one(uint32_t index);
  bool accept_failed(uint32_t index, const Error& error);
  enum class Refusal : uint8_t { kRefused, kNobodyThere, kImpossible };
  Refusal refuse_one(uint32_t index);
  void back_off(uint32_t index, const Error& error);
  void update_interest();
  Result<int> open(const Address& address, const EndpointOptions& options);
  Status bind_and_listen(int fd, const Address& address, const EndpointOptions& options);
  Status bind_replacing(int fd, const Address& address);
  bool is_stale_socket(const Address& address);

  EventLoop& loop_;
  Os& os_;
  Accepted accepted_;
  Failed failed_;
  const ListenerOptions options_;
  std::vector<Endpoint> endpoints_;
  int reserve_ = -1;
  bool any_readable_ = false;
  bool paused_ = false;
  TimerId back_off_timer_;
  Nanoseconds back_off_{0};
  size_t refused_this_tick_ = 0;
  size_t next_first_ = 0;  // who is served first moves on, so that no endpoint starves
  ListenerStats stats_;
};

}  // namespace ae
