#include "server/net/client_link.h"

#include "server/observe/log.h"

namespace millrace {
namespace {

std::string text_of(const ae::Result<ae::Address>& address) {
  return address ? address->to_string() : std::string("?:0");
}

}  // namespace

std::string ConnectionLink::peer_text(const Session& session) {
  ae::Connection peer = connection(session);
  // A unix client has no name of its own; Redis shows the socket's path.
  if (session.has(SessionFlag::kUnixSocket)) return text_of(peer.local_address());
  return text_of(peer.peer_address());
}

std::string ConnectionLink::local_text(const Session& session) {
  return text_of(connection(session).local_address());
}

int ConnectionLink::descriptor(const Session& session) {
  return connection(session).fd();
}

size_t ConnectionLink::unread_bytes(const Session& session) {
  return table_.kept_input(session.connection);
}

size_t ConnectionLink::output_bytes(const Session& session) {
  return connection(session).pending_output();
}

void ConnectionLink::reply(const Session& session, std::string_view bytes) {
  if (!bytes.empty()) table_.send_view(session.connection, bytes);
}

void ConnectionLink::push(const Session& session, std::string_view bytes) {
  ae::Connection to = connection(session);
  to.send(bytes);
  limits_.check(to);
}

void ConnectionLink::close_now(Session& session) {
  session.set(SessionFlag::kClosing);
  connection(session).close(ae::CloseReason::kRequested);
}

void ConnectionLink::close_after_reply(Session& session) {
  session.set(SessionFlag::kClosing);
  connection(session).close_after_flush(ae::CloseReason::kRequested);
}

void ConnectionLink::close_idle(Session& session) {
  log::verbose("Closing idle client {}", peer_text(session));
  session.set(SessionFlag::kClosing);
  connection(session).close(ae::CloseReason::kIdleTimeout);
}

void ConnectionLink::suspend(Session& session, std::string_view unrun) {
  ae::Connection to = connection(session);
  to.pause(ae::PauseReason::kAdmission);
  to.unread(unrun);
}

void ConnectionLink::resume(Session& session) {
  connection(session).resume(ae::PauseReason::kAdmission);
}

}  // namespace millrace
