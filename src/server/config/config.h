// The configuration as the server reads it: plain typed values, one field per directive of
// redis.conf that has an effect here. The defaults are Redis 7.2's unless a comment says otherwise.
//
//   if (config.maxmemory_bytes != 0 && used > config.maxmemory_bytes) ...
//
// A field is named like its directive; a unit is added where the directive has none. How a value is
// spelled, checked and printed stands in directives.cc, who may change it and when in
// config_store.h.
//
// Thread: the main loop's. The Config in force is owned by ConfigStore and never moves, so a
// reference to it may be kept for the life of the store. What it holds may change with any CONFIG
// SET: a view into one of its strings is good until then.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ae/core/poller.h"
#include "server/config/access.h"
#include "server/config/log_level.h"

namespace millrace {

enum class MaxmemoryPolicy : uint8_t {
  kVolatileLru,
  kVolatileLfu,
  kVolatileRandom,
  kVolatileTtl,
  kAllKeysLru,
  kAllKeysLfu,
  kAllKeysRandom,
  kNoEviction,
};

// Who started the server and wants to be told when it is ready. kAuto looks at the environment.
enum class Supervision : uint8_t { kNone, kUpstart, kSystemd, kAuto };

// Who may use a dangerous command or a protected directive. kLocal: loopback and unix sockets only.
enum class Permission : uint8_t { kNo, kYes, kLocal };

// Whether oom-score-adj-values are added to the score that the process was started with, or are it.
enum class OomScoreMode : uint8_t { kNo, kRelative, kAbsolute };
using OomScores = std::array<int, 3>;  // a master, a replica, a child

// Whose payloads need not be checked whole (sanitize-dump-payload). A permission that nothing here
// makes use of: all of them are.
enum class PayloadTrust : uint8_t { kAll, kNone, kMasters };

// What a signal does. kDefault saves if there are save points; kNow waits neither for replicas nor
// for replies that are on their way to slow clients (see shutdown_timeout_s).
enum class ShutdownMode : uint8_t { kDefault, kNoSave, kNow };

// `save 3600 1`: a snapshot when so many changes were made and so many seconds have passed.
struct SavePoint {
  int64_t seconds = 0;
  int64_t changes = 0;

  bool operator==(const SavePoint&) const = default;
};

// All of them. Lines of a file add up, but the first one replaces the default.
struct SavePoints : std::vector<SavePoint> {
  using vector::vector;
  bool next_line_replaces = true;  // no part of the value

  friend bool operator==(const SavePoints& a, const SavePoints& b) {
    return static_cast<const vector&>(a) == static_cast<const vector&>(b);
  }
};

// When the append-only file is synced: before any reply leaves, each second, or when the kernel
// likes.
enum class AppendSync : uint8_t { kAlways, kEverySecond, kNever };

// What a replica does about a command of its master that fails.
enum class PropagationErrors : uint8_t { kIgnore, kPanic, kPanicOnReplicas };

// Of whom the server is a replica. No host: of nobody.
struct MasterAddress {
  std::string host;
  uint16_t port = 0;

  bool is_none() const { return host.empty(); }
  bool operator==(const MasterAddress&) const = default;
};

// The output limits know three classes of clients.
enum class ClientClass : uint8_t { kNormal, kReplica, kPubSub };
inline constexpr size_t kClientClasses = 3;

// As Redis; a session keeps the number of its thread in a byte.
inline constexpr int kMaxIoThreads = 128;

// Who accepts newcomers where there are IO threads (net/endpoints.h).
enum class AcceptPlacement : uint8_t { kHandOut, kReusePort, kExclusive };

// A client whose unsent output passes `hard_bytes` is closed at once; one that stays above
// `soft_bytes` for `soft_s` seconds is closed then. Zero means no limit.
struct OutputBufferLimit {
  uint64_t hard_bytes = 0;
  uint64_t soft_bytes = 0;
  int64_t soft_s = 0;

  bool operator==(const OutputBufferLimit&) const = default;
};

// Bits of notify_keyspace_events. The classes have the values of KeyEventClass (command/effects.h).
namespace keyspace_events {
inline constexpr uint32_t kKeyspace = 1 << 0;   // K: publish to __keyspace@<db>__
inline constexpr uint32_t kKeyevent = 1 << 1;   // E: publish to __keyevent@<db>__
inline constexpr uint32_t kGeneric = 1 << 2;    // g
inline constexpr uint32_t kString = 1 << 3;     // $
inline constexpr uint32_t kList = 1 << 4;       // l
inline constexpr uint32_t kSet = 1 << 5;        // s
inline constexpr uint32_t kHash = 1 << 6;       // h
inline constexpr uint32_t kSortedSet = 1 << 7;  // z
inline constexpr uint32_t kExpired = 1 << 8;    // x
inline constexpr uint32_t kEvicted = 1 << 9;    // e
inline constexpr uint32_t kStream = 1 << 10;    // t
inline constexpr uint32_t kKeyMiss = 1 << 11;   // m, not part of A
inline constexpr uint32_t kModule = 1 << 13;    // d
inline constexpr uint32_t kNew = 1 << 14;       // n, not part of A
// A
inline constexpr uint32_t kAll = kGeneric | kString | kList | kSet | kHash | kSortedSet | kExpired |
                                 kEvicted | kStream | kModule;
}  // namespace keyspace_events

// Clients of the admin lane (admin-port, admin-unixsocket) at a time: some operators' shells and a
// monitor or two. Each is served before everybody else and holds a descriptor that nobody else can
// have, so a lane for many would be a way around both limits.
inline constexpr uint32_t kMaxAdminClients = 16;

struct Config {
  // --- network
  // A leading '-' makes an address optional: it is skipped where the machine does not have it.
  std::vector<std::string> bind = {"*", "-::*"};
  uint16_t port = 6379;  // 0: no TCP
  int tcp_backlog = 511;
  std::string unixsocket;       // empty: none; "@name" is an abstract one
  uint32_t unixsocketperm = 0;  // mode bits; 0: what the umask leaves
  int timeout_s = 0;            // close clients idle for this long; 0: never
  int tcp_keepalive_s = 300;    // 0: off
  bool protected_mode = true;
  ae::Backend event_backend = ae::Backend::kEpoll;  // ours
  int io_threads = 1;                               // the main one included
  AcceptPlacement io_threads_accept = AcceptPlacement::kHandOut;

  // --- the operator's lane; ours
  uint16_t admin_port = 0;  // 0: none
  std::vector<std::string> admin_bind = {"127.0.0.1", "-::1"};
  std::string admin_unixsocket;          // empty: none
  uint32_t admin_unixsocketperm = 0700;  // mode bits; 0: what the umask leaves
  bool has_admin_lane() const { return admin_port != 0 || !admin_unixsocket.empty(); }

  // --- clients
  uint32_t maxclients = 10'000;
  uint64_t proto_max_bulk_len_bytes = 512ull << 20;
  uint64_t client_query_buffer_limit_bytes = 1ull << 30;
  // Indexed by ClientClass.
  std::array<OutputBufferLimit, kClientClasses> client_output_buffer_limit = {
      OutputBufferLimit{0, 0, 0},
      OutputBufferLimit{256ull << 20, 64ull << 20, 60},
      OutputBufferLimit{32ull << 20, 8ull << 20, 60},
  };

  // What all clients together may hold: bytes, or a percentage of maxmemory if it is negative; 0:
  // no limit.
  int64_t maxmemory_clients = 0;
  uint64_t maxmemory_clients_bytes() const {
    if (maxmemory_clients >= 0) return uint64_t(maxmemory_clients);
    return maxmemory_bytes / 100 * uint64_t(-maxmemory_clients);
  }

  // --- memory
  uint64_t maxmemory_bytes = 0;  // 0: no limit
  MaxmemoryPolicy maxmemory_policy = MaxmemoryPolicy::kNoEviction;
  int maxmemory_samples = 5;
  int maxmemory_eviction_tenacity = 10;
  int lfu_log_factor = 10;
  int lfu_decay_time_min = 1;
  bool jemalloc_bg_thread = true;  // has an effect where the allocator is jemalloc
  bool disable_thp = true;

  // --- databases, expiry, freeing later
  int databases = 16;
  int active_expire_effort = 1;  // 1 to 10
  int hz = 10;                   // cron runs per second, 1 to 500
  bool lazyfree_lazy_eviction = false;
  bool lazyfree_lazy_expire = false;
  bool lazyfree_lazy_server_del = false;
  bool lazyfree_lazy_user_del = false;
  bool lazyfree_lazy_user_flush = false;

  // --- up to where a collection stays in its compact encoding
  int list_max_listpack_size = -2;  // > 0: elements; -1 to -5: 4, 8, 16, 32, 64 KiB
  uint64_t hash_max_listpack_entries = 512;
  uint64_t hash_max_listpack_value_bytes = 64;
  uint64_t set_max_intset_entries = 512;
  uint64_t set_max_listpack_entries = 128;
  uint64_t set_max_listpack_value_bytes = 64;
  uint64_t zset_max_listpack_entries = 128;
  uint64_t zset_max_listpack_value_bytes = 64;
  uint64_t hll_sparse_max_bytes = 3000;
  uint64_t stream_node_max_bytes = 4096;  // 0: no limit; so is the next one
  uint64_t stream_node_max_entries = 100;

  PayloadTrust sanitize_dump_payload = PayloadTrust::kAll;
  int64_t rdb_key_save_delay_us = 0;  // persist/key_delay.h; so is the next one
  int64_t key_load_delay_us = 0;

  OomScoreMode oom_score_adj = OomScoreMode::kNo;
  OomScores oom_score_adj_values = {0, 200, 800};

  // --- being watched
  int64_t slowlog_log_slower_than_us = 10'000;  // negative: off; 0: every command
  uint64_t slowlog_max_len = 128;
  int64_t latency_monitor_threshold_ms = 0;  // 0: off
  int64_t latency_ticks_threshold_ms = 10;   // ours; 0: off
  bool latency_tracking = true;
  std::vector<double> latency_tracking_info_percentiles = {50, 99, 99.9};
  uint64_t tracking_table_max_keys = 1'000'000;  // 0: no limit
  uint32_t notify_keyspace_events = 0;           // bits of keyspace_events

  // --- log
  LogLevel loglevel = LogLevel::kNotice;
  std::string logfile;  // empty: standard output, or nowhere when daemonized
  bool syslog_enabled = false;
  std::string syslog_ident = "millrace";  // Redis: "redis"
  int syslog_facility = 16 << 3;          // a LOG_* value of <syslog.h>; this is LOG_LOCAL0
  bool crash_log_enabled = true;
  bool always_show_logo = false;

  // --- process
  bool daemonize = false;
  std::string pidfile;  // empty: none, or /var/run/millrace.pid when daemonized
  Supervision supervised = Supervision::kNone;
  bool set_proc_title = true;
  std::string proc_title_template = "{title} {listen-addr} {server-mode}";
  std::string dir;  // absolute; ConfigStore starts it as the directory the server was started in
  int shutdown_timeout_s = 10;
  ShutdownMode shutdown_on_sigint = ShutdownMode::kDefault;
  ShutdownMode shutdown_on_sigterm = ShutdownMode::kDefault;

  // --- snapshots
  SavePoints save = {{3600, 1}, {300, 100}, {60, 10'000}};
  std::string dbfilename = "dump.rdb";
  bool rdbcompression = true;
  bool rdbchecksum = true;
  bool rdb_save_incremental_fsync = true;
  bool rdb_del_sync_files = false;
  bool stop_writes_on_bgsave_error = true;

  // --- append-only file
  bool appendonly = false;
  AppendSync appendfsync = AppendSync::kEverySecond;
  std::string appendfilename = "appendonly.aof";
  std::string appenddirname = "appendonlydir";
  int auto_aof_rewrite_percentage = 100;  // 0: never by itself
  uint64_t auto_aof_rewrite_min_size_bytes = 64ull << 20;
  bool no_appendfsync_on_rewrite = false;
  bool aof_load_truncated = true;
  bool aof_use_rdb_preamble = true;
  bool aof_timestamp_enabled = false;
  bool aof_rewrite_incremental_fsync = true;

  // --- replication
  MasterAddress replicaof;
  std::string masterauth;
  std::string masteruser;
  bool replica_serve_stale_data = true;
  bool replica_read_only = true;
  bool replica_ignore_maxmemory = true;
  bool replica_lazy_flush = false;
  int replica_priority = 100;
  bool replica_announced = true;
  std::string replica_announce_ip;
  uint16_t replica_announce_port = 0;
  bool repl_diskless_sync = true;
  int repl_diskless_sync_delay_s = 5;
  int repl_diskless_sync_max_replicas = 0;
  bool repl_disable_tcp_nodelay = false;
  int repl_ping_replica_period_s = 10;
  int repl_timeout_s = 60;
  uint64_t repl_backlog_size_bytes = 1 << 20;
  int64_t repl_backlog_ttl_s = 3600;  // 0: for ever
  int min_replicas_to_write = 0;      // 0: off; so is the next one
  int min_replicas_max_lag_s = 10;
  PropagationErrors propagation_error_behavior = PropagationErrors::kIgnore;

  // --- scripts
  int64_t busy_reply_threshold_ms = 5000;  // 0 or less: nobody is ever told

  // --- security
  std::string requirepass;         // the default user's password; empty: he needs none
  std::vector<std::string> users;  // `user` lines: what follows the word, quoted where it must be
  std::string aclfile;             // empty: none
  uint64_t acllog_max_len = 128;
  NewUserChannels acl_pubsub_default = NewUserChannels::kNone;
  std::vector<Rename> rename_command;
  Permission enable_debug_command = Permission::kNo;
  Permission enable_protected_configs = Permission::kNo;

  bool operator==(const Config&) const = default;
};

}  // namespace millrace
