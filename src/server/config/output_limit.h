// The output limit in force for a class of clients (client-output-buffer-limit).
//
// A hard limit for replicas below repl-backlog-size counts as that size, as in Redis: a replica may
// resume with a whole backlog to be sent, and would be disconnected for it each time.
#pragma once

#include <algorithm>

#include "server/config/config.h"

namespace millrace {

inline OutputBufferLimit output_limit(const Config& config, ClientClass which) {
  OutputBufferLimit limit = config.client_output_buffer_limit[size_t(which)];
  if (which == ClientClass::kReplica && limit.hard_bytes != 0)
    limit.hard_bytes = std::max<uint64_t>(limit.hard_bytes, config.repl_backlog_size_bytes);
  return limit;
}

}  // namespace millrace
