// How this server, as it is configured and in the role it has, loads a snapshot.
#pragma once

#include "server/command/services.h"
#include "server/persist/snapshot_loader.h"

namespace millrace {

SnapshotLoader::Settings loader_settings(Services& services);

// What a snapshot says of itself, and what came of loading it, as lines of the log.
void log_loaded(const SnapshotLoader& loader, int64_t now_s);

}  // namespace millrace
