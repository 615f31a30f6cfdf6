// What INFO tells of snapshots and of loading; written by server/persist, which is above the layer
// that prints it.
#pragma once

#include <cstdint>

namespace millrace {

struct PersistenceFacts {
  // Of the load that is under way (ServerState::loading()), or was.
  struct Load {
    int64_t started_s = 0;
    uint64_t total_bytes = 0;
    uint64_t loaded_bytes = 0;
    uint64_t used_memory_bytes = 0;  // of the server that wrote it, by its own word
    uint64_t keys_loaded = 0;
    uint64_t keys_expired = 0;
  };
  // Of the child process, whatever it writes.
  struct Child {
    bool running = false;
    uint64_t copied_bytes = 0;  // memory that is no longer shared with it
    uint64_t copied_peak_bytes = 0;
    int64_t measured_us = 0;  // when, since 1970; 0: not yet
    uint64_t keys_done = 0;
    uint64_t keys_total = 0;
    uint64_t forks = 0;
    uint64_t last_fork_us = 0;
  };
  struct Snapshots {
    bool running = false;
    int64_t started_s = 0;
    int64_t last_save_s = 0;  // when; the server's start before the first
    bool last_succeeded = true;
    int64_t last_took_s = -1;
    uint64_t saves = 0;
    uint64_t last_copied_bytes = 0;
  };

  Load load;
  Child child;
  Snapshots snapshots;
};

}  // namespace millrace
