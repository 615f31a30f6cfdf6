// Counters of INFO's Stats section that belong to no single part. Plain numbers, the loop's thread
// only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace millrace {

class Lifecycle;

// What has gone over the wire.
struct Traffic {
  uint64_t read_bytes = 0;
  uint64_t written_bytes = 0;
  uint64_t reads = 0;
  uint64_t writes = 0;
};

// What the command loop has done: Redis' eventloop_... fields.
struct LoopTraffic {
  uint64_t cycles = 0;
  int64_t duration_us = 0;  // without waiting
  int64_t command_us = 0;   // of that, running commands

  static LoopTraffic of(const Lifecycle& lifecycle);
};

struct ServerStats {
  uint64_t connections_received = 0;
  uint64_t connections_rejected = 0;
  uint64_t commands_processed = 0;
  uint64_t keyspace_hits = 0;
  uint64_t keyspace_misses = 0;
  uint64_t expired_keys = 0;
  uint64_t expired_time_cap_reached = 0;
  uint64_t evicted_keys = 0;
  uint64_t errors_replied = 0;
  uint64_t unknown_commands = 0;
  uint64_t protocol_errors = 0;
  uint64_t heartbeat_probes = 0;
  uint64_t heartbeat_lost_clients = 0;
  uint64_t evicted_clients = 0;      // by maxmemory-clients
  uint64_t idle_clients_closed = 0;  // by `timeout`
  uint64_t peak_memory_bytes = 0;
  double expired_stale_percent = 0;
  // Rates over the last second and a half or so, sampled by the cron as Redis does (16 samples).
  uint64_t ops_per_second = 0;
  double input_kib_per_second = 0;
  double output_kib_per_second = 0;

  // What the connections had counted at the last CONFIG RESETSTAT; INFO shows the difference.
  Traffic traffic_before;
  Traffic threads_before;  // of that, by IO threads
  LoopTraffic loop_before;

  // INFO errorstats: replies by error code ("ERR", "WRONGTYPE"). Bounded, because a script or a
  // later command could make codes up.
  static constexpr size_t kMaxErrorCodes = 128;
  std::map<std::string, uint64_t, std::less<>> errors_by_code;
  // `error` as it is replied, without '-'.
  void count_error(std::string_view error);

  // CONFIG RESETSTAT
  void reset() {
    uint64_t peak = peak_memory_bytes;
    *this = ServerStats{};
    peak_memory_bytes = peak;
  }
};

}  // namespace millrace
