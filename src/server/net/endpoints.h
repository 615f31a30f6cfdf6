// Where clients come in: the listeners of `bind` × `port`, the unix socket, and what the kernel is
// told about the sockets they accept.
//
// Accepted sockets inherit TCP_NODELAY and the keepalive settings of their listener (Linux), so
// they are set once here and cost no system call per client.
//
// Thread: the loop's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ae/net/listener.h"
#include "server/config/config.h"
#include "server/net/reception.h"

namespace millrace {

class Endpoints {
 public:
  Endpoints(ae::EventLoop& loop, Reception& reception);

  // Opens everything `config` asks for. An error is a sentence for the log; nothing stays open
  // then.
  std::optional<std::string> open(const Config& config);
  void close();
  // CONFIG SET tcp-keepalive: for clients accepted from now on.
  void set_keepalive(int seconds);

  int port() const { return port_; }

 private:
  struct Place {
    uint32_t endpoint;
    Origin origin;  // kTcp: a client's own address decides whether it is local
  };

  std::optional<std::string> open_all(const Config& config);
  std::optional<std::string> open_tcp(const Config& config, std::string_view address);
  std::optional<std::string> open_unix(const Config& config);
  void accepted(int fd, uint32_t endpoint);
  Origin origin_of(int fd, uint32_t endpoint) const;
  ae::Status keep_alive(uint32_t endpoint, int seconds);

  ae::EventLoop& loop_;
  Reception& reception_;
  ae::Listener listener_;
  std::vector<Place> places_;
  int port_ = 0;
};

}  // namespace millrace
