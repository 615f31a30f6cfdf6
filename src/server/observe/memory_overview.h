// Where the memory is, in one look: what INFO's memory section and MEMORY STATS show.
//
// used = overhead + dataset. Overhead is what would be there without the data: the memory of the
// start, the tables beside the entries, the clients.
//
// Thread: the loop that runs commands. Costs a few system calls; independent of the number of keys
// and clients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/command/client_memory.h"
#include "server/command/replication_view.h"
#include "server/command/services.h"
#include "server/observe/memory_meter.h"

namespace millrace {

struct MemoryOverview {
  struct Database {
    size_t index;
    size_t table_bytes;
  };

  size_t used = 0;
  size_t peak = 0;
  size_t startup = 0;
  ClientMemory clients;
  size_t backlog = 0;  // one block
  UnsentToReplicas unsent;
  size_t append_only_buffer = 0;
  size_t overhead = 0;
  size_t keys = 0;
  size_t resident = 0;  // of the process
  memory::AllocatorStats allocator;
  std::vector<Database> databases;  // those that are not empty

  static MemoryOverview take(const Services& services);

  size_t dataset() const { return used > overhead ? used - overhead : 0; }
  // All that is the clients' own but what is queued for replicas, which Redis counts apart.
  size_t normal_clients() const {
    return clients.own() > unsent.queued ? clients.own() - unsent.queued : 0;
  }
  // Of what was added since the start.
  double dataset_percent() const;
  double peak_percent() const;
  size_t bytes_per_key() const;

  // Ratios of one layer to the one below it; 0 where there is nothing to divide by.
  double allocator_fragmentation() const { return ratio(allocator.active, allocator.allocated); }
  double allocator_rss() const { return ratio(allocator.resident, allocator.active); }
  double rss_overhead() const { return ratio(resident, allocator.resident); }
  double fragmentation() const { return ratio(resident, used); }
  static int64_t difference(size_t more, size_t less) { return int64_t(more) - int64_t(less); }

 private:
  static double ratio(size_t part, size_t whole) {
    return whole == 0 ? 0 : double(part) / double(whole);
  }
};

// Used, but not counted against maxmemory, as in Redis: what waits for replicas and for the
// append-only file. Each eviction is told to both; counted, it would call for the next one until
// nothing is left. No system call.
size_t uncounted_bytes(const Services& services);

// What a connection costs while nothing waits for it: a session, a connection's record, a loop's
// registration (command/session.h, ae/net/connection_record.h).
size_t idle_client_bytes();

}  // namespace millrace
