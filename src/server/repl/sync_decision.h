// PSYNC, the master's side: may a replica that asks for byte `offset` of history `id` go on from
// there, or must it copy everything?
//
//   PSYNC ? -1                  it has nothing: +FULLRESYNC <id> <offset>, then a snapshot
//   PSYNC <id> <offset>         known history, bytes in the backlog: +CONTINUE [<id>], then these
//
// Pure: no state of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/repl/backlog.h"
#include "server/repl/replication_id.h"

namespace millrace {

struct SyncRequest {
  std::string_view id;  // "?": nothing to go on with
  int64_t offset = -1;  // the first byte it lacks
};

enum class SyncDecision : uint8_t {
  kContinue,
  kFullAsked,          // it asked for it
  kFullOtherHistory,   // its id is none of ours
  kFullBeyondSecond,   // ours is its history no longer by then
  kFullLackOfBacklog,  // the bytes are gone, or were never here
};

inline bool is_full(SyncDecision decision) {
  return decision != SyncDecision::kContinue;
}

SyncDecision decide_sync(const SyncRequest& request, const ReplicationId& history,
                         const Backlog* backlog);

// "+CONTINUE <id>\r\n"; the id only for those who understand psync2.
std::string continue_line(const ReplicationId& history, bool knows_psync2);
// "+FULLRESYNC <id> <offset>\r\n"
std::string full_sync_line(const ReplicationId& history, int64_t offset);

}  // namespace millrace
