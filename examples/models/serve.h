// The last lines of every program here: a listener on the loopback address, a word that it is
// there, and a loop that runs until a signal ends the process.
#pragma once

#include <cstdio>
#include <utility>

#include "../flags.h"
#include "ae/core/event_loop.h"
#include "ae/net/address.h"
#include "ae/net/listener.h"

namespace models {

// The test and compare.py wait for this line.
inline void announce(const ae::Address& address) {
  std::printf("listening on %s\n", address.to_string().c_str());
  std::fflush(stdout);
}

// `--port PORT`, 7100 where none is given; 0 takes a free one.
inline ae::Address address_of(int argc, char** argv) {
  return ae::Address::loopback(uint16_t(example::number(argc, argv, "--port", 7100)));
}

// Does not return.
inline void serve(ae::EventLoop& loop, const ae::Address& address,
                  ae::Callback<void(int fd)> accepted) {
  ae::Listener listener(loop, [&accepted](int fd, uint32_t) { accepted(fd); });
  const uint32_t endpoint = example::must(listener.listen(address));
  announce(*listener.address(endpoint));
  for (;;) loop.run();
}

}  // namespace models
