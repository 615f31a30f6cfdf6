// A snapshot on the disk, replaced as a whole: whoever reads, or a crash at any moment, finds the
// old file or the new one.
//
//   temp-<pid>.rdb  is written, synced, renamed to dbfilename, and the directory synced.
//
// Every failure is a line in the log, in Redis' words, and the temporary file is removed.
//
// Thread: the main one, or a forked child. Blocks on the disk.
#pragma once

#include <string>

#include "server/command/services.h"
#include "server/persist/snapshot_writer.h"
#include "server/persist/storage.h"

namespace millrace {

// `directory`/`name`, but for a name that is absolute.
std::string snapshot_path(const Config& config);
std::string temporary_snapshot_path(const Config& config, int pid);

// What the data is at present, for the head of a snapshot.
SnapshotFacts snapshot_facts(Services& services);

// The code of all libraries of functions; views, good until they change.
std::vector<std::string_view> function_codes(Services& services);

ae::Status write_snapshot_file(Storage& storage, Services& services, const SnapshotFacts& facts,
                               SnapshotProgress progress);

}  // namespace millrace
