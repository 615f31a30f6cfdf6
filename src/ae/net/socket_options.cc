#include "ae/net/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

namespace ae {
namespace {

constexpr int kKeepaliveProbes = 3;

}  // namespace

Status set_no_delay(Os& os, int fd) {
  return os.set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

Status set_keepalive(Os& os, int fd, Seconds idle) {
  if (idle <= Seconds::zero()) return os.set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 0);
  const int idle_s = int(std::min<Seconds::rep>(idle.count(), 32767));  // the kernel's maximum
  const int interval_s = std::max(1, idle_s / kKeepaliveProbes);
  return os.set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1)
      .and_then([&] { return os.set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle_s); })
      .and_then([&] { return os.set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval_s); })
      .and_then([&] { return os.set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepaliveProbes); });
}

Status set_reuse_address(Os& os, int fd) {
  return os.set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
}

Status set_reuse_port(Os& os, int fd) {
  return os.set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
}

Status set_late_port(Os& os, int fd) {
  return os.set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
}

Status set_ipv6_only(Os& os, int fd) {
  return os.set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
}

}  // namespace ae
