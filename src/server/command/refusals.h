// Why a command may not run in the state the server is in, in Redis' words. Empty: it may.
#pragma once

#include <string>

#include "server/command/server_state.h"
#include "server/command/spec.h"

namespace millrace::refusals {

// A disk that fails: for what changes data, and for PING, so that whoever watches the server learns
// of it.
std::string of_disk(const ServerState::Facts& facts);
// For what changes data: replicas that are missing, then a replica's own.
std::string of_replication(const ServerState::Facts& facts);
// By the flags of what does not mind.
std::string of_stale_data(const ServerState::Facts& facts, CommandFlags flags);
std::string of_loading(const ServerState::Facts& facts, CommandFlags flags);
std::string of_busy_script(const ServerState::Facts& facts, CommandFlags flags);

}  // namespace millrace::refusals
