// Where the memory of clients is, in bytes: what INFO clients shows, so that an operator can see
// where a gigabyte went. Filled in by the composition root, which knows the tables; each part is
// kept by counting, so that asking does not depend on the number of clients.
#pragma once

#include <cstddef>

namespace millrace {

struct ClientMemory {
  // --- the clients' own
  size_t sessions = 0;       // command/session.h
  size_t connections = 0;    // ae/net/connection_record.h
  size_t registrations = 0;  // in the loop, and what the poller keeps for each descriptor
  size_t extensions = 0;     // of connections that are not idle
  size_t kept_input = 0;     // half packets
  size_t queued_output = 0;  // replies that wait for their reader
  size_t extras = 0;         // names, libraries

  // --- beside them
  size_t spare_slots = 0;      // free places in the tables of all these
  size_t input_scratch = 0;    // the block that everybody's input is read into
  size_t receive_buffers = 0;  // provided to the kernel (io_uring)
  size_t output_pool = 0;      // chunks that wait for output
  size_t reply_arena = 0;      // the blocks that replies are written into
  size_t lists = 0;            // what a tick works on: requests, events, who is to be flushed

  size_t own() const {
    return sessions + connections + registrations + extensions + kept_input + queued_output +
           extras;
  }
  size_t beside() const {
    return spare_slots + input_scratch + receive_buffers + output_pool + reply_arena + lists;
  }
};

}  // namespace millrace
