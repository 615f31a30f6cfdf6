// Writes the base of an append-only file: all data as of now, as a snapshot or as commands.
//
// Thread: one that has the data to itself: a child process, or the loop. Errors: the storage's; a
// part of the file may be there then.
#pragma once

#include <string>

#include "ae/base/result.h"
#include "server/command/services.h"
#include "server/persist/aof_files.h"
#include "server/persist/snapshot_writer.h"

namespace millrace {

// The file is synced; its name is not. Progress is told of snapshots.
ae::Status write_aof_base(Storage& storage, const std::string& path, AofBase kind,
                          Services& services, SnapshotProgress progress);

}  // namespace millrace
