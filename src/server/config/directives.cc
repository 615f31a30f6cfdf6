#include "server/config/directives.h"

#include <syslog.h>

#include <algorithm>
#include <climits>
#include <unordered_map>

#include "server/config/special_fields.h"
#include "server/config/text.h"

namespace millrace {
namespace {

// --- fields, made from a pointer to member

template <auto kMember>
constexpr IntegerField integer(int64_t min, int64_t max, Notation notation = Notation::kDecimal) {
  using Value = std::decay_t<decltype(std::declval<Config>().*kMember)>;
  return {[](const Config& config) { return static_cast<int64_t>(config.*kMember); },
          [](Config& config, int64_t value) { config.*kMember = static_cast<Value>(value); }, min,
          max, notation};
}

template <auto kMember>
constexpr IntegerField memory(int64_t min, int64_t max) {
  return integer<kMember>(min, max, Notation::kMemory);
}

// Redis takes any hz and runs at the nearest possible one.
constexpr IntegerField hz_field() {
  IntegerField field = integer<&Config::hz>(0, INT_MAX);
  field.lowest_used = 1;
  field.highest_used = 500;
  return field;
}

template <auto kMember>
constexpr EnumField one_of(std::span<const EnumName> names) {
  using Value = std::decay_t<decltype(std::declval<Config>().*kMember)>;
  return {[](const Config& config) { return static_cast<int>(config.*kMember); },
          [](Config& config, int value) { config.*kMember = static_cast<Value>(value); }, names};
}

template <typename Enum>
constexpr EnumName named(std::string_view name, Enum value) {
  return {name, static_cast<int>(value)};
}

// --- names of values, in the order of Redis' error texts

constexpr EnumName kPolicyNames[] = {
    named("volatile-lru", MaxmemoryPolicy::kVolatileLru),
    named("volatile-lfu", MaxmemoryPolicy::kVolatileLfu),
    named("volatile-random", MaxmemoryPolicy::kVolatileRandom),
    named("volatile-ttl", MaxmemoryPolicy::kVolatileTtl),
    named("allkeys-lru", MaxmemoryPolicy::kAllKeysLru),
    named("allkeys-lfu", MaxmemoryPolicy::kAllKeysLfu),
    named("allkeys-random", MaxmemoryPolicy::kAllKeysRandom),
    named("noeviction", MaxmemoryPolicy::kNoEviction),
};
constexpr EnumName kBackendNames[] = {
    named("epoll", ae::Backend::kEpoll),
    named("poll", ae::Backend::kPoll),
    named("select", ae::Backend::kSelect),
    named("io_uring", ae::Backend::kIoUring),
};
constexpr EnumName kPlacementNames[] = {
    named("hand-out", AcceptPlacement::kHandOut),
    named("reuse-port", AcceptPlacement::kReusePort),
    named("exclusive", AcceptPlacement::kExclusive),
};
constexpr EnumName kLogLevelNames[] = {
    named("debug", LogLevel::kDebug),     named("verbose", LogLevel::kVerbose),
    named("notice", LogLevel::kNotice),   named("warning", LogLevel::kWarning),
    named("nothing", LogLevel::kNothing),
};
constexpr EnumName kSupervisionNames[] = {
    named("upstart", Supervision::kUpstart),
    named("systemd", Supervision::kSystemd),
    named("auto", Supervision::kAuto),
    named("no", Supervision::kNone),
};
constexpr EnumName kFacilityNames[] = {
    {"user", LOG_USER},     {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},
    {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},
    {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7},
};
constexpr EnumName kPermissionNames[] = {
    named("no", Permission::kNo),
    named("yes", Permission::kYes),
    named("local", Permission::kLocal),
};
constexpr EnumName kSanitizeNames[] = {
    named("no", PayloadTrust::kAll),
    named("yes", PayloadTrust::kNone),
    named("clients", PayloadTrust::kMasters),
};
constexpr EnumName kOomScoreNames[] = {
    named("no", OomScoreMode::kNo),
    named("yes", OomScoreMode::kRelative),
    named("relative", OomScoreMode::kRelative),
    named("absolute", OomScoreMode::kAbsolute),
};
constexpr EnumName kChannelNames[] = {
    named("allchannels", NewUserChannels::kAll),
    named("resetchannels", NewUserChannels::kNone),
};
constexpr EnumName kShutdownNames[] = {
    named("default", ShutdownMode::kDefault),
    named("nosave", ShutdownMode::kNoSave),
    named("now", ShutdownMode::kNow),
};

constexpr EnumName kSyncNames[] = {
    named("everysec", AppendSync::kEverySecond),
    named("always", AppendSync::kAlways),
    named("no", AppendSync::kNever),
};
constexpr EnumName kPropagationNames[] = {
    named("ignore", PropagationErrors::kIgnore),
    named("panic", PropagationErrors::kPanic),
    named("panic-on-replicas", PropagationErrors::kPanicOnReplicas),
};

// --- why a directive is absent

constexpr std::string_view kReplicasGoOn = "a replica goes on with what its master sends";
constexpr std::string_view kSnapshotInFile =
    "a master's snapshot goes into a file first, so that the old data stays until it is whole";
constexpr std::string_view kNoCluster = "it is not a cluster node";
constexpr std::string_view kNoTls = "it speaks plain TCP and unix sockets, not TLS";
constexpr std::string_view kNoModules = "it loads no modules";
constexpr std::string_view kNoDeprecatedLua =
    "scripts get none of the functions that Redis 7 has withdrawn";
constexpr std::string_view kThreadsRead = "an IO thread owns its connections and always reads them";
constexpr std::string_view kNoPinning = "it leaves processors and priorities to its supervisor";
constexpr std::string_view kNoTuning = "its data structures have no such setting";
constexpr std::string_view kNoMarks = "it binds no outgoing sockets and marks none";
constexpr std::string_view kByteOrder = "it compares bytes";
constexpr std::string_view kNoMemoryTest = "it does not test the machine's memory after a crash";
constexpr std::string_view kChecksShown = "it never refuses to start over a kernel setting";
constexpr std::string_view kSetAtBuild = "it always behaves so";

constexpr DirectiveFlags kAnyTime;
constexpr DirectiveFlags kStart = DirectiveFlag::kStartOnly;
constexpr DirectiveFlags kProtected = DirectiveFlag::kProtected;
constexpr DirectiveFlags kWords = DirectiveFlag::kMultiWord;
constexpr DirectiveFlags kHidden = DirectiveFlag::kHidden;
constexpr DirectiveFlags kSecret = DirectiveFlag::kSecret;
constexpr DirectiveFlags kFileOnly = kStart | kWords | DirectiveFlag::kFileOnly;

constexpr int64_t kMiB = 1 << 20;

// An empty database costs little but not nothing; and a session keeps its number in a byte.
constexpr int64_t kMaxDatabases = 256;

// A day: no tick lasts longer, and as nanoseconds it is far from overflowing.
constexpr int64_t kMaxTickMs = 24 * 60 * 60 * 1000;

// Columns: name, alias, flags, field.
const Directive kTable[] = {
    // --- network
    {"bind", "", kWords, kBindField},
    {"port", "", kAnyTime, integer<&Config::port>(0, UINT16_MAX)},
    {"tcp-backlog", "", kStart, integer<&Config::tcp_backlog>(0, INT_MAX)},
    {"unixsocket", "", kStart, StringField{&Config::unixsocket}},
    {"unixsocketperm", "", kStart, integer<&Config::unixsocketperm>(0, 0777, Notation::kOctal)},
    {"timeout", "", kAnyTime, integer<&Config::timeout_s>(0, INT_MAX)},
    {"tcp-keepalive", "", kAnyTime, integer<&Config::tcp_keepalive_s>(0, INT_MAX)},
    {"protected-mode", "", kAnyTime, BoolField{&Config::protected_mode}},
    {"event-backend", "", kStart, one_of<&Config::event_backend>(kBackendNames)},
    {"admin-port", "", kStart, integer<&Config::admin_port>(0, UINT16_MAX)},
    {"admin-bind", "", kStart | kWords, kAdminBindField},
    {"admin-unixsocket", "", kStart, StringField{&Config::admin_unixsocket}},
    {"admin-unixsocketperm", "", kStart,
     integer<&Config::admin_unixsocketperm>(0, 0777, Notation::kOctal)},
    {"io-threads", "", kAnyTime, integer<&Config::io_threads>(1, kMaxIoThreads)},
    {"io-threads-accept", "", kStart, one_of<&Config::io_threads_accept>(kPlacementNames)},
    {"io-threads-do-reads", "", kStart, AbsentField{"yes", kThreadsRead}},
    {"bind-source-addr", "", kAnyTime, AbsentField{"", kNoMarks}},
    {"socket-mark-id", "", kStart, AbsentField{"0", kNoMarks}},

    // --- clients
    {"maxclients", "", kAnyTime, integer<&Config::maxclients>(1, UINT32_MAX)},
    {"proto-max-bulk-len", "", kAnyTime,
     memory<&Config::proto_max_bulk_len_bytes>(kMiB, INT64_MAX)},
    {"client-query-buffer-limit", "", kAnyTime,
     memory<&Config::client_query_buffer_limit_bytes>(kMiB, INT64_MAX)},
    {"client-output-buffer-limit", "", kWords, kOutputBufferLimitField},
    {"maxmemory-clients", "", kAnyTime, kMaxmemoryClientsField},
    {"tracking-table-max-keys", "", kAnyTime,
     integer<&Config::tracking_table_max_keys>(0, INT64_MAX)},

    // --- memory
    {"maxmemory", "", kAnyTime, memory<&Config::maxmemory_bytes>(0, INT64_MAX)},
    {"maxmemory-policy", "", kAnyTime, one_of<&Config::maxmemory_policy>(kPolicyNames)},
    {"maxmemory-samples", "", kAnyTime, integer<&Config::maxmemory_samples>(1, 64)},
    {"maxmemory-eviction-tenacity", "", kAnyTime,
     integer<&Config::maxmemory_eviction_tenacity>(0, 100)},
    {"lfu-log-factor", "", kAnyTime, integer<&Config::lfu_log_factor>(0, INT_MAX)},
    {"lfu-decay-time", "", kAnyTime, integer<&Config::lfu_decay_time_min>(0, INT_MAX)},
    {"jemalloc-bg-thread", "", kAnyTime, BoolField{&Config::jemalloc_bg_thread}},
    {"disable-thp", "", kStart, BoolField{&Config::disable_thp}},
    {"activedefrag", "", kAnyTime, AbsentField{"no", kNoTuning}},
    {"active-defrag-ignore-bytes", "", kAnyTime, AbsentField{"104857600", kNoTuning}},
    {"active-defrag-threshold-lower", "", kAnyTime, AbsentField{"10", kNoTuning}},
    {"active-defrag-threshold-upper", "", kAnyTime, AbsentField{"100", kNoTuning}},
    {"active-defrag-cycle-min", "", kAnyTime, AbsentField{"1", kNoTuning}},
    {"active-defrag-cycle-max", "", kAnyTime, AbsentField{"25", kNoTuning}},
    {"active-defrag-max-scan-fields", "", kAnyTime, AbsentField{"1000", kNoTuning}},

    // --- databases, expiry, freeing later
    {"databases", "", kStart, integer<&Config::databases>(1, kMaxDatabases)},
    {"active-expire-effort", "", kAnyTime, integer<&Config::active_expire_effort>(1, 10)},
    {"hz", "", kAnyTime, hz_field()},
    {"dynamic-hz", "", kAnyTime, AbsentField{"yes", kSetAtBuild}},
    {"activerehashing", "", kAnyTime, AbsentField{"yes", kSetAtBuild}},
    {"lazyfree-lazy-eviction", "", kAnyTime, BoolField{&Config::lazyfree_lazy_eviction}},
    {"lazyfree-lazy-expire", "", kAnyTime, BoolField{&Config::lazyfree_lazy_expire}},
    {"lazyfree-lazy-server-del", "", kAnyTime, BoolField{&Config::lazyfree_lazy_server_del}},
    {"lazyfree-lazy-user-del", "", kAnyTime, BoolField{&Config::lazyfree_lazy_user_del}},
    {"lazyfree-lazy-user-flush", "", kAnyTime, BoolField{&Config::lazyfree_lazy_user_flush}},

    // --- up to where a collection stays in its compact encoding
    {"list-max-listpack-size", "list-max-ziplist-size", kAnyTime,
     integer<&Config::list_max_listpack_size>(INT_MIN, INT_MAX)},
    {"list-compress-depth", "", kAnyTime, AbsentField{"0", kNoTuning}},
    {"hash-max-listpack-entries", "hash-max-ziplist-entries", kAnyTime,
     integer<&Config::hash_max_listpack_entries>(0, INT64_MAX)},
    {"hash-max-listpack-value", "hash-max-ziplist-value", kAnyTime,
     memory<&Config::hash_max_listpack_value_bytes>(0, INT64_MAX)},
    {"set-max-intset-entries", "", kAnyTime,
     integer<&Config::set_max_intset_entries>(0, INT64_MAX)},
    {"set-max-listpack-entries", "", kAnyTime,
     integer<&Config::set_max_listpack_entries>(0, INT64_MAX)},
    {"set-max-listpack-value", "", kAnyTime,
     memory<&Config::set_max_listpack_value_bytes>(0, INT64_MAX)},
    {"zset-max-listpack-entries", "zset-max-ziplist-entries", kAnyTime,
     integer<&Config::zset_max_listpack_entries>(0, INT64_MAX)},
    {"zset-max-listpack-value", "zset-max-ziplist-value", kAnyTime,
     memory<&Config::zset_max_listpack_value_bytes>(0, INT64_MAX)},
    {"hll-sparse-max-bytes", "", kAnyTime, memory<&Config::hll_sparse_max_bytes>(0, INT64_MAX)},
    {"stream-node-max-bytes", "", kAnyTime, memory<&Config::stream_node_max_bytes>(0, INT64_MAX)},
    {"stream-node-max-entries", "", kAnyTime,
     integer<&Config::stream_node_max_entries>(0, INT64_MAX)},

    // --- being watched
    {"slowlog-log-slower-than", "", kAnyTime,
     integer<&Config::slowlog_log_slower_than_us>(-1, INT64_MAX)},
    {"slowlog-max-len", "", kAnyTime, integer<&Config::slowlog_max_len>(0, INT64_MAX)},
    {"latency-monitor-threshold", "", kAnyTime,
     integer<&Config::latency_monitor_threshold_ms>(0, INT64_MAX)},
    {"latency-ticks-threshold", "", kAnyTime,
     integer<&Config::latency_ticks_threshold_ms>(0, kMaxTickMs)},
    {"latency-tracking", "", kAnyTime, BoolField{&Config::latency_tracking}},
    {"latency-tracking-info-percentiles", "", kWords, kPercentilesField},
    {"notify-keyspace-events", "", kAnyTime, kKeyspaceEventsField},

    // --- log
    {"loglevel", "", kAnyTime, one_of<&Config::loglevel>(kLogLevelNames)},
    {"logfile", "", kStart, StringField{&Config::logfile}},
    {"syslog-enabled", "", kStart, BoolField{&Config::syslog_enabled}},
    {"syslog-ident", "", kStart, StringField{&Config::syslog_ident}},
    {"syslog-facility", "", kStart, one_of<&Config::syslog_facility>(kFacilityNames)},
    {"crash-log-enabled", "", kAnyTime, BoolField{&Config::crash_log_enabled}},
    {"crash-memcheck-enabled", "", kAnyTime, AbsentField{"no", kNoMemoryTest}},
    {"always-show-logo", "", kStart, BoolField{&Config::always_show_logo}},

    // --- process
    {"daemonize", "", kStart, BoolField{&Config::daemonize}},
    {"pidfile", "", kStart, StringField{&Config::pidfile}},
    {"supervised", "", kStart, one_of<&Config::supervised>(kSupervisionNames)},
    {"set-proc-title", "", kStart, BoolField{&Config::set_proc_title}},
    {"proc-title-template", "", kAnyTime,
     StringField{&Config::proc_title_template, check_proc_title_template}},
    {"dir", "", kProtected, kDirField},
    {"shutdown-timeout", "", kAnyTime, integer<&Config::shutdown_timeout_s>(0, INT_MAX)},
    {"shutdown-on-sigint", "", kAnyTime, one_of<&Config::shutdown_on_sigint>(kShutdownNames)},
    {"shutdown-on-sigterm", "", kAnyTime, one_of<&Config::shutdown_on_sigterm>(kShutdownNames)},
    {"oom-score-adj", "", kAnyTime, one_of<&Config::oom_score_adj>(kOomScoreNames)},
    {"oom-score-adj-values", "", kWords, kOomScoreValuesField},
    {"server-cpulist", "server_cpulist", kStart, AbsentField{"", kNoPinning}},
    {"bio-cpulist", "bio_cpulist", kStart, AbsentField{"", kNoPinning}},
    {"aof-rewrite-cpulist", "aof_rewrite_cpulist", kStart, AbsentField{"", kNoPinning}},
    {"bgsave-cpulist", "bgsave_cpulist", kStart, AbsentField{"", kNoPinning}},
    {"ignore-warnings", "", kAnyTime, AbsentField{"", kChecksShown}},
    {"locale-collate", "", kAnyTime, AbsentField{"", kByteOrder, "C"}},

    // --- security
    {"requirepass", "", kSecret, StringField{&Config::requirepass}},
    {"enable-debug-command", "", kStart, one_of<&Config::enable_debug_command>(kPermissionNames)},
    {"enable-protected-configs", "", kStart,
     one_of<&Config::enable_protected_configs>(kPermissionNames)},
    {"enable-module-command", "", kStart, AbsentField{"no", kNoModules}},
    {"aclfile", "", kStart, StringField{&Config::aclfile}},
    {"acllog-max-len", "", kAnyTime, integer<&Config::acllog_max_len>(0, INT64_MAX)},
    {"acl-pubsub-default", "", kAnyTime, one_of<&Config::acl_pubsub_default>(kChannelNames)},
    {"user", "", kFileOnly | kSecret, kUserField},
    {"rename-command", "", kFileOnly, kRenameField},
    {"loadmodule", "", kFileOnly, AbsentField{"", kNoModules}},

    // --- scripts
    {"busy-reply-threshold", "lua-time-limit", kAnyTime,
     integer<&Config::busy_reply_threshold_ms>(0, INT64_MAX)},
    {"lua-enable-deprecated-api", "", kStart, AbsentField{"no", kNoDeprecatedLua}},

    // --- persistence
    {"save", "", kWords, kSaveField},
    {"dbfilename", "", kProtected, StringField{&Config::dbfilename, check_file_name}},
    {"rdb-key-save-delay", "", kHidden, integer<&Config::rdb_key_save_delay_us>(INT_MIN, INT_MAX)},
    {"key-load-delay", "", kHidden, integer<&Config::key_load_delay_us>(INT_MIN, INT_MAX)},
    {"rdbcompression", "", kAnyTime, BoolField{&Config::rdbcompression}},
    {"rdbchecksum", "", kStart, BoolField{&Config::rdbchecksum}},
    {"rdb-save-incremental-fsync", "", kAnyTime, BoolField{&Config::rdb_save_incremental_fsync}},
    {"rdb-del-sync-files", "", kAnyTime, BoolField{&Config::rdb_del_sync_files}},
    {"stop-writes-on-bgsave-error", "", kAnyTime, BoolField{&Config::stop_writes_on_bgsave_error}},
    {"sanitize-dump-payload", "", kAnyTime, one_of<&Config::sanitize_dump_payload>(kSanitizeNames)},
    {"appendonly", "", kAnyTime, BoolField{&Config::appendonly}},
    {"appendfsync", "", kAnyTime, one_of<&Config::appendfsync>(kSyncNames)},
    {"appendfilename", "", kStart, StringField{&Config::appendfilename, check_append_name}},
    {"appenddirname", "", kStart, StringField{&Config::appenddirname, check_append_directory}},
    {"auto-aof-rewrite-percentage", "", kAnyTime,
     integer<&Config::auto_aof_rewrite_percentage>(0, INT_MAX)},
    {"auto-aof-rewrite-min-size", "", kAnyTime,
     memory<&Config::auto_aof_rewrite_min_size_bytes>(0, INT64_MAX)},
    {"no-appendfsync-on-rewrite", "", kAnyTime, BoolField{&Config::no_appendfsync_on_rewrite}},
    {"aof-load-truncated", "", kAnyTime, BoolField{&Config::aof_load_truncated}},
    {"aof-use-rdb-preamble", "", kAnyTime, BoolField{&Config::aof_use_rdb_preamble}},
    {"aof-timestamp-enabled", "", kAnyTime, BoolField{&Config::aof_timestamp_enabled}},
    {"aof-rewrite-incremental-fsync", "", kAnyTime,
     BoolField{&Config::aof_rewrite_incremental_fsync}},

    // --- replication
    {"replicaof", "slaveof", kStart | kWords, kReplicaOfField},
    {"masterauth", "", kSecret, StringField{&Config::masterauth}},
    {"masteruser", "", kAnyTime, StringField{&Config::masteruser}},
    {"replica-serve-stale-data", "slave-serve-stale-data", kAnyTime,
     BoolField{&Config::replica_serve_stale_data}},
    {"replica-read-only", "slave-read-only", kAnyTime, BoolField{&Config::replica_read_only}},
    {"replica-ignore-maxmemory", "slave-ignore-maxmemory", kAnyTime,
     BoolField{&Config::replica_ignore_maxmemory}},
    {"replica-lazy-flush", "slave-lazy-flush", kAnyTime, BoolField{&Config::replica_lazy_flush}},
    {"replica-priority", "slave-priority", kAnyTime,
     integer<&Config::replica_priority>(0, INT_MAX)},
    {"replica-announced", "", kAnyTime, BoolField{&Config::replica_announced}},
    {"replica-announce-ip", "slave-announce-ip", kAnyTime,
     StringField{&Config::replica_announce_ip}},
    {"replica-announce-port", "slave-announce-port", kAnyTime,
     integer<&Config::replica_announce_port>(0, UINT16_MAX)},
    {"replica-ignore-disk-write-errors", "", kAnyTime, AbsentField{"yes", kReplicasGoOn}},
    {"repl-diskless-sync", "", kAnyTime, BoolField{&Config::repl_diskless_sync}},
    {"repl-diskless-sync-delay", "", kAnyTime,
     integer<&Config::repl_diskless_sync_delay_s>(0, INT_MAX)},
    {"repl-diskless-sync-max-replicas", "", kAnyTime,
     integer<&Config::repl_diskless_sync_max_replicas>(0, INT_MAX)},
    {"repl-diskless-load", "", kAnyTime, AbsentField{"disabled", kSnapshotInFile}},
    {"repl-disable-tcp-nodelay", "", kAnyTime, BoolField{&Config::repl_disable_tcp_nodelay}},
    {"repl-ping-replica-period", "repl-ping-slave-period", kAnyTime,
     integer<&Config::repl_ping_replica_period_s>(1, INT_MAX)},
    {"repl-timeout", "", kAnyTime, integer<&Config::repl_timeout_s>(1, INT_MAX)},
    {"repl-backlog-size", "", kAnyTime, memory<&Config::repl_backlog_size_bytes>(1, INT64_MAX)},
    {"repl-backlog-ttl", "", kAnyTime, integer<&Config::repl_backlog_ttl_s>(0, INT64_MAX)},
    {"min-replicas-to-write", "min-slaves-to-write", kAnyTime,
     integer<&Config::min_replicas_to_write>(0, INT_MAX)},
    {"min-replicas-max-lag", "min-slaves-max-lag", kAnyTime,
     integer<&Config::min_replicas_max_lag_s>(0, INT_MAX)},
    {"propagation-error-behavior", "", kAnyTime,
     one_of<&Config::propagation_error_behavior>(kPropagationNames)},

    // --- cluster
    {"cluster-enabled", "", kStart, AbsentField{"no", kNoCluster}},
    {"cluster-config-file", "", kStart, AbsentField{"nodes.conf", kNoCluster}},
    {"cluster-node-timeout", "", kAnyTime, AbsentField{"15000", kNoCluster}},
    {"cluster-port", "", kStart, AbsentField{"0", kNoCluster}},
    {"cluster-announce-ip", "", kAnyTime, AbsentField{"", kNoCluster}},
    {"cluster-announce-port", "", kAnyTime, AbsentField{"0", kNoCluster}},
    {"cluster-announce-tls-port", "", kAnyTime, AbsentField{"0", kNoCluster}},
    {"cluster-announce-bus-port", "", kAnyTime, AbsentField{"0", kNoCluster}},
    {"cluster-announce-hostname", "", kAnyTime, AbsentField{"", kNoCluster}},
    {"cluster-announce-human-nodename", "", kAnyTime, AbsentField{"", kNoCluster}},
    {"cluster-preferred-endpoint-type", "", kAnyTime, AbsentField{"ip", kNoCluster}},
    {"cluster-require-full-coverage", "", kAnyTime, AbsentField{"yes", kNoCluster}},
    {"cluster-replica-validity-factor", "cluster-slave-validity-factor", kAnyTime,
     AbsentField{"10", kNoCluster}},
    {"cluster-replica-no-failover", "cluster-slave-no-failover", kAnyTime,
     AbsentField{"no", kNoCluster}},
    {"cluster-migration-barrier", "", kAnyTime, AbsentField{"1", kNoCluster}},
    {"cluster-allow-replica-migration", "", kAnyTime, AbsentField{"yes", kNoCluster}},
    {"cluster-allow-reads-when-down", "", kAnyTime, AbsentField{"no", kNoCluster}},
    {"cluster-allow-pubsubshard-when-down", "", kAnyTime, AbsentField{"yes", kNoCluster}},
    {"cluster-link-sendbuf-limit", "", kAnyTime, AbsentField{"0", kNoCluster}},

    // --- TLS
    {"tls-port", "", kAnyTime, AbsentField{"0", kNoTls}},
    {"tls-cluster", "", kAnyTime, AbsentField{"no", kNoTls}},
    {"tls-replication", "", kAnyTime, AbsentField{"no", kNoTls}},
    {"tls-auth-clients", "", kAnyTime, AbsentField{"yes", kNoTls}},
    {"tls-cert-file", "", kAnyTime, AbsentField{"", kNoTls}},
    {"tls-key-file", "", kAnyTime, AbsentField{"", kNoTls}},
    {"tls-key-file-pass", "", kSecret, AbsentField{"", kNoTls}},
    {"tls-client-cert-file", "", kAnyTime, AbsentField{"", kNoTls}},
    {"tls-client-key-file", "", kAnyTime, AbsentField{"", kNoTls}},
    {"tls-client-key-file-pass", "", kSecret, AbsentField{"", kNoTls}},
    {"tls-dh-params-file", "", kAnyTime, AbsentField{"", kNoTls}},
    {"tls-ca-cert-file", "", kAnyTime, AbsentField{"", kNoTls}},
    {"tls-ca-cert-dir", "", kAnyTime, AbsentField{"", kNoTls}},
    {"tls-protocols", "", kAnyTime, AbsentField{"", kNoTls}},
    {"tls-ciphers", "", kAnyTime, AbsentField{"", kNoTls}},
    {"tls-ciphersuites", "", kAnyTime, AbsentField{"", kNoTls}},
    {"tls-prefer-server-ciphers", "", kAnyTime, AbsentField{"no", kNoTls}},
    {"tls-session-caching", "", kAnyTime, AbsentField{"yes", kNoTls}},
    {"tls-session-cache-size", "", kAnyTime, AbsentField{"20480", kNoTls}},
    {"tls-session-cache-timeout", "", kAnyTime, AbsentField{"300", kNoTls}},
};

// A name is "similar" if at most a third of it is wrong; beyond that a suggestion only confuses.
constexpr size_t kCharactersPerMistake = 3;

using NameIndex = std::unordered_map<std::string, const Directive*>;

std::string lower_case(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
  return lower;
}

NameIndex make_index() {
  NameIndex index;
  for (const Directive& directive : kTable) {
    index.emplace(directive.name, &directive);
    if (!directive.alias.empty()) index.emplace(directive.alias, &directive);
  }
  return index;
}

size_t length_difference(std::string_view a, std::string_view b) {
  return std::max(a.size(), b.size()) - std::min(a.size(), b.size());
}

}  // namespace

std::span<const Directive> directives() {
  return kTable;
}

const Directive* find_directive(std::string_view name) {
  static const NameIndex& index = *new NameIndex(make_index());
  if (name.size() > kMaxComparedChars) return nullptr;  // longer than any
  const auto found = index.find(lower_case(name));
  return found == index.end() ? nullptr : found->second;
}

std::string_view similar_directive(std::string_view name) {
  if (name.size() > kMaxComparedChars) return {};
  std::string_view best;
  size_t best_distance = name.size() / kCharactersPerMistake + 1;
  for (const Directive& directive : kTable) {
    for (const std::string_view known : {directive.name, directive.alias}) {
      if (length_difference(name, known) >= best_distance) continue;  // at least so many mistakes
      const size_t distance = edit_distance(name, known, best_distance);
      if (distance >= best_distance) continue;
      best = known;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace millrace
