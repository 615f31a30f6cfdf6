// What CLIENT LIST and the log say about a client's connection.
//
// Thread: that of the table, or any while its loop is held.
#pragma once

#include <cstddef>
#include <string>

#include "ae/net/connection_table.h"
#include "server/command/session.h"

namespace millrace::connection_facts {

// "127.0.0.1:50000"; a unix client has no name of its own, and Redis shows the socket's path.
std::string peer_text(ae::ConnectionTable& table, const Session& session);
std::string local_text(ae::ConnectionTable& table, const Session& session);
int descriptor(ae::ConnectionTable& table, const Session& session);
size_t unread_bytes(ae::ConnectionTable& table, const Session& session);
size_t output_bytes(ae::ConnectionTable& table, const Session& session);

}  // namespace millrace::connection_facts
