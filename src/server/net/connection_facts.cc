#include "server/net/connection_facts.h"

namespace millrace::connection_facts {
namespace {

std::string text_of(const ae::Result<ae::Address>& address) {
  return address ? address->to_string() : std::string("?:0");
}

}  // namespace

std::string peer_text(ae::ConnectionTable& table, const Session& session) {
  if (session.has(SessionFlag::kUnixSocket)) return local_text(table, session);
  return text_of(table.find(session.connection).peer_address());
}

std::string local_text(ae::ConnectionTable& table, const Session& session) {
  return text_of(table.find(session.connection).local_address());
}

int descriptor(ae::ConnectionTable& table, const Session& session) {
  return table.find(session.connection).fd();
}

size_t unread_bytes(ae::ConnectionTable& table, const Session& session) {
  return table.kept_input(session.connection);
}

size_t unread_room(ae::ConnectionTable& table, const Session& session) {
  return table.kept_room(session.connection);
}

size_t output_bytes(ae::ConnectionTable& table, const Session& session) {
  return table.find(session.connection).pending_output();
}

}  // namespace millrace::connection_facts
