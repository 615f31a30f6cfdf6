#include "server/command/refusals.h"

#include <cstring>

namespace millrace::refusals {

std::string of_disk(const ServerState::Facts& facts) {
  switch (facts.disk) {
    case DiskTrouble::kNone:
      return {};
    case DiskTrouble::kSnapshot:
      return "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to "
             "persist to disk. Commands that may modify the data set are disabled, because this "
             "instance is configured to report errors during writes if RDB snapshotting fails "
             "(stop-writes-on-bgsave-error option). Please check the Redis logs for details about "
             "the RDB error.";
    case DiskTrouble::kAppendOnlyFile:
      return std::string("MISCONF Errors writing to the AOF file: ") +
             std::strerror(facts.disk_errno);
  }
  return {};
}

std::string of_replication(const ServerState::Facts& facts) {
  if (facts.too_few_replicas) return "NOREPLICAS Not enough good replicas to write.";
  if (facts.read_only) return "READONLY You can't write against a read only replica.";
  return {};
}

std::string of_stale_data(const ServerState::Facts& facts, CommandFlags flags) {
  if (!facts.stale || (flags & kStale)) return {};
  return "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
}

std::string of_loading(const ServerState::Facts& facts, CommandFlags flags) {
  if (facts.loading == Loading::kNo) return {};
  const bool may_run =
      facts.loading == Loading::kYes ? (flags & kLoading) != 0 : (flags & kNoAsyncLoading) == 0;
  return may_run ? std::string() : "LOADING Redis is loading the dataset in memory";
}

std::string of_busy_script(const ServerState::Facts& facts, CommandFlags flags) {
  if (facts.busy_script == BusyScript::kNone || (flags & kAllowBusy)) return {};
  return facts.busy_script == BusyScript::kScript
             ? "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN "
               "NOSAVE."
             : "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN "
               "NOSAVE.";
}

}  // namespace millrace::refusals
