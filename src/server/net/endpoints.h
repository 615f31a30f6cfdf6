// Where clients come in: the listeners of `bind` × `port` and the unix socket, and what the kernel
// is told about the sockets they accept. The admin lane has endpoints of its own (admin_lane.h).
//
// With IO threads, `io-threads-accept` says who accepts:
//
//   hand-out    the main loop, which gives each newcomer to the thread with the fewest clients
//   reuse-port  every loop has a listener of its own on the port, and the kernel hashes newcomers
//               over them: no hand-over, but uneven with few clients. The main loop hands its share
//               out. Those in the backlog of a thread that ends are reset.
//   exclusive   every IO thread watches the one listener with EPOLLEXCLUSIVE: an idle one takes
//               what is there. The kernel wakes who came first: few threads, when it is calm
//
// Accepted sockets inherit TCP_NODELAY and the keepalive settings of their listener (Linux), so
// they are set once here and cost no system call per client.
//
// Thread: the loop's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ae/net/listener.h"
#include "server/config/config.h"
#include "server/net/client_door.h"

namespace millrace {

class Endpoints {
 public:
  using Accepted = ae::Callback<void(int fd, Origin origin)>;
  // What is listened on, by which directives.
  struct Addresses {
    std::string_view directive;  // "bind"
    const std::vector<std::string>& bind;
    int port;
    const std::string& path;
    int path_mode;
    ae::PortSharing sharing = ae::PortSharing::kAlone;
  };
  static Addresses of_clients(const Config& config);

  Endpoints(ae::EventLoop& loop, Accepted accepted, ae::ListenerOptions options = {});

  // Opens everything `addresses` asks for. An error is a sentence for the log; nothing stays open
  // then.
  std::optional<std::string> open(const Addresses& addresses, const Config& config);
  // For an IO thread's loop: opens what it accepts from beside `main`, by config.io_threads_accept.
  std::optional<std::string> join(const Endpoints& main, const Config& config);
  // Leaves newcomers to others that watch the same sockets.
  void pause() { listener_.pause(); }
  void resume() { listener_.resume(); }
  void close();
  // CONFIG SET tcp-keepalive: for clients accepted from now on.
  void set_keepalive(int seconds);

 private:
  struct Place {
    uint32_t endpoint;
    Origin origin;  // kTcp: a client's own address decides whether it is local
    ae::Address address;
    bool borrowed = false;  // another loop's listener, watched by this one too
  };

  std::optional<std::string> open_all(const Addresses& addresses, const Config& config);
  std::optional<std::string> open_tcp(std::string_view address, const Addresses& addresses,
                                      const Config& config);
  std::optional<std::string> open_unix(const Addresses& addresses, const Config& config);
  ae::Status listen(const ae::Address& address, ae::PortSharing sharing, const Config& config);
  ae::Status share(const Place& place, int descriptor);
  Origin origin_of(int fd, uint32_t endpoint) const;
  ae::Status keep_alive(uint32_t endpoint, int seconds);

  ae::EventLoop& loop_;
  Accepted accepted_;
  ae::Listener listener_;
  std::vector<Place> places_;
};

}  // namespace millrace
