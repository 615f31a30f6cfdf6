// What becomes of a descriptor that the main loop has accepted: refused with a line, a client of
// this loop, or handed out to an IO thread.
//
// Thread: the main one.
#pragma once

#include "server/net/client_io.h"
#include "server/net/io_pool.h"

namespace millrace {

class Reception {
 public:
  Reception(ae::Os& os, ClientDoor& door, ClientIo& own, IoPool& threads)
      : os_(os), door_(door), own_(own), threads_(threads) {}

  void accept(int fd, Origin origin, Lane lane) {
    if (std::string_view line = door_.refusal(origin, lane); !line.empty()) return refuse(fd, line);
    if (lane == Lane::kOrdinary && threads_.takes_clients()) return threads_.hand_out(fd, origin);
    own_.accept(fd, origin, lane);
  }

 private:
  // One attempt: a client that cannot take a line into an empty socket buffer is not waited for.
  void refuse(int fd, std::string_view line) {
    os_.write(fd, line);
    os_.close(fd);
  }

  ae::Os& os_;
  ClientDoor& door_;
  ClientIo& own_;
  IoPool& threads_;
};

}  // namespace millrace
