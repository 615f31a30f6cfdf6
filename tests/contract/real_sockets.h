// Real sockets for tests: connected pairs over loopback TCP, and an RST on demand.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "ae/base/assert.h"
#include "ae/core/os.h"

namespace ae::contract {

// TCP over 127.0.0.1 rather than a socketpair: only TCP has RST and half-close as servers see them.
inline std::pair<int, int> tcp_pair() {
  Os& os = real_os();
  const int listener = os.socket(AF_INET, SOCK_STREAM, 0).value();
  AE_ASSERT(os.bind(listener, Address::loopback(0)) && os.listen(listener, 1));
  const int dialled = os.socket(AF_INET, SOCK_STREAM, 0).value();
  // Loopback: the handshake is done when connect returns, so accept finds it.
  AE_ASSERT(os.connect(dialled, os.local_address(listener).value()));
  const int accepted = os.accept(listener).value();
  os.close(listener);
  return {accepted, dialled};
}

// SO_LINGER with time zero: close() sends RST instead of FIN.
inline void close_with_reset(int fd) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  AE_ASSERT(::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0);
  ::close(fd);
}

}  // namespace ae::contract
