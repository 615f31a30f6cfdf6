// From a loaded configuration to a process that may open its sockets, and back.
//
//   if (auto error = process::prepare(config)) { log::warning("{}", *error); return 1; }
//   ... serve ...
//   process::finish();
//
// Thread: main, before any other is started.
#pragma once

#include <optional>
#include <string>

#include "server/config/config_store.h"

namespace millrace::process {

// In this order: working directory, log, supervision or daemonize (returns in the daemon), crash
// report, descriptor limit (lowers maxclients in `config` if it must), kernel checks, pidfile,
// title, allocator. Registers hooks for what CONFIG SET may change of these. An error is a sentence
// for the log and means exit 1.
std::optional<std::string> prepare(ConfigStore& config);

// At an orderly exit: removes the pidfile.
void finish();

}  // namespace millrace::process
