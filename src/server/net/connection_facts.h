// What CLIENT LIST and the log say about a client's connection.
//
// Thread: that of the table, or any while its loop is held.
#pragma once

#include <cstddef>
#include <string>

#include "ae/net/connection_table.h"
#include "server/command/clients.h"

namespace millrace::connection_facts {

// "127.0.0.1:50000"; a unix client has no name of its own, and Redis shows the socket's path.
std::string peer_text(ae::ConnectionTable& table, const Session& session);
std::string local_text(ae::ConnectionTable& table, const Session& session);
int descriptor(ae::ConnectionTable& table, const Session& session);
size_t unread_bytes(ae::ConnectionTable& table, const Session& session);
size_t unread_room(ae::ConnectionTable& table, const Session& session);
size_t output_bytes(ae::ConnectionTable& table, const Session& session);

inline ae::PauseReason pause_reason(Wait wait) {
  return wait == Wait::kKey ? ae::PauseReason::kBlocked : ae::PauseReason::kAdmission;
}
inline bool is_suspended(const ae::Connection& connection) {
  return connection.paused(ae::PauseReason::kAdmission) ||
         connection.paused(ae::PauseReason::kBlocked);
}
inline bool is_suspended(ae::ConnectionTable& table, const Session& session) {
  return is_suspended(table.find(session.connection));
}

}  // namespace millrace::connection_facts
