#include "server/repl/sync_decision.h"

#include <fmt/format.h>

#include "server/command/table.h"

namespace millrace {

SyncDecision decide_sync(const SyncRequest& request, const ReplicationId& history,
                         const Backlog* backlog) {
  if (request.id == "?") return SyncDecision::kFullAsked;
  if (!history.shares(request.id, request.offset)) {
    return equals_ignoring_case(request.id, history.second_id()) ? SyncDecision::kFullBeyondSecond
                                                                 : SyncDecision::kFullOtherHistory;
  }
  if (!backlog || !backlog->reaches(request.offset)) return SyncDecision::kFullLackOfBacklog;
  return SyncDecision::kContinue;
}

std::string continue_line(const ReplicationId& history, bool knows_psync2) {
  return knows_psync2 ? fmt::format("+CONTINUE {}\r\n", history.id()) : "+CONTINUE\r\n";
}

std::string full_sync_line(const ReplicationId& history, int64_t offset) {
  return fmt::format("+FULLRESYNC {} {}\r\n", history.id(), offset);
}

}  // namespace millrace
