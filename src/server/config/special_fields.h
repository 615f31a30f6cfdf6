// The directives whose value is a list of words. Each is a SpecialField (directive.h).
#pragma once

#include "server/config/directive.h"

namespace millrace {

// bind 127.0.0.1 -::1
extern const SpecialField kBindField;

// admin-bind 127.0.0.1 -::1
extern const SpecialField kAdminBindField;

// client-output-buffer-limit normal 0 0 0 pubsub 32mb 8mb 60
extern const SpecialField kOutputBufferLimitField;

// maxmemory-clients 1gb, or 5% of maxmemory
extern const SpecialField kMaxmemoryClientsField;

// notify-keyspace-events KEA
extern const SpecialField kKeyspaceEventsField;

// latency-tracking-info-percentiles 50 99 99.9
extern const SpecialField kPercentilesField;

// dir /var/lib/millrace; a relative one starts at the dir so far
extern const SpecialField kDirField;

// user alice on >secret ~cached:* +get; a line per user. What the rules mean is no matter here.
extern const SpecialField kUserField;

// rename-command CONFIG ""; a line per command
extern const SpecialField kRenameField;

// save 3600 1 300 100; lines add up, the first one replaces the default, save "" is never
extern const SpecialField kSaveField;

// oom-score-adj-values 0 200 800: of a master, a replica, a child
extern const SpecialField kOomScoreValuesField;

// replicaof 10.0.0.1 6379, or no one
extern const SpecialField kReplicaOfField;

// dbfilename dump.rdb, appendfilename, appenddirname: names, not paths
Refusal check_file_name(std::string_view value);
Refusal check_append_name(std::string_view value);
Refusal check_append_directory(std::string_view value);

// proc-title-template "{title} {port}"
Refusal check_proc_title_template(std::string_view value);

}  // namespace millrace
