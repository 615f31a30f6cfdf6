// What the rest of the server may know of replication: INFO, ROLE, CLIENT LIST and MONITOR's kind
// read this record. Kept by repl/replication.h; this layer knows no link.
//
// Thread: the one that runs commands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace {

// A replica of ours.
struct ReplicaFacts {
  std::string ip;
  uint16_t port = 0;
  const char* state = "";  // "wait_bgsave", "send_bulk", "online"
  bool online = false;
  int64_t offset = 0;  // as acknowledged
  int64_t lag_s = 0;   // since it acknowledged last
};

// The link to our master.
struct MasterLinkFacts {
  std::string host;
  uint16_t port = 0;
  const char* state = "";  // ROLE's word: "connect", "connecting", "handshake", "sync", "connected"
  bool up = false;
  bool receiving_snapshot = false;
  int64_t last_io_s = -1;    // -1: there is no link
  int64_t down_since_s = 0;  // where it is not up
  int64_t read_offset = 0;
  int64_t applied_offset = 0;
  int64_t snapshot_bytes = 0;  // -1: not known
  int64_t snapshot_received = 0;
};

struct ReplicationFacts {
  bool follows = false;
  MasterLinkFacts master;  // where it follows
  std::vector<ReplicaFacts> replicas;
  size_t good_replicas = 0;  // as min-replicas-max-lag counts
  const char* failover_state = "no-failover";
  std::string id, second_id;
  int64_t offset = 0, second_offset = -1;
  bool backlog_active = false;
  size_t backlog_bytes = 0;
  int64_t backlog_first_offset = 0;
  size_t backlog_held = 0;
};

// Where in a history the data stands: a snapshot says it (repl-stream-db, repl-id, repl-offset),
// and who loads it goes on from there.
struct ReplicationPoint {
  int db = -1;  // the database selected there; -1: none
  std::string id;
  int64_t offset = 0;
};

struct ReplicationCounters {
  uint64_t full_syncs = 0;
  uint64_t partial_ok = 0;
  uint64_t partial_refused = 0;
};

// What waits for replicas, in bytes.
struct UnsentToReplicas {
  size_t queued = 0;  // as output of their connections
  size_t held = 0;    // until they have their snapshot

  size_t sum() const { return queued + held; }
};

class ReplicationView {
 public:
  virtual ReplicationFacts facts() const = 0;
  virtual const ReplicationCounters& counters() const = 0;
  // Nothing: the changes are not counted, or the data is none that anybody else has.
  virtual std::optional<ReplicationPoint> point() const = 0;
  virtual UnsentToReplicas unsent() const = 0;

 protected:
  ~ReplicationView() = default;
};

}  // namespace millrace
