// Files that a process had begun when it was killed. Redis leaves them where they are; here they go
// at the next start, else a server that is killed while it saves fills its disk, a snapshot at a
// time.
//
//   temp-<pid>.rdb                  a snapshot
//   temp-<unix seconds>.<pid>.rdb   one that came from a master, or is kept for a replica
//   temp-rewriteaof-bg-<pid>.aof    a base of the append-only file
//
// Only those whose process does not live: another server may have the same directory.
//
// Thread: the main one, before it serves. Errors: lines in the log.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "server/persist/storage.h"

namespace millrace {

// Whose file this is by its name; nothing: not one of these.
std::optional<int> owner_of_temporary(std::string_view name);

// `lives`: whether there is such a process.
void remove_abandoned_files(Storage& storage, const std::string& directory,
                            const std::function<bool(int pid)>& lives);

// On this machine.
bool process_lives(int pid);

}  // namespace millrace
