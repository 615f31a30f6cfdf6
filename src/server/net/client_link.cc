#include "server/net/client_link.h"

#include "server/observe/log.h"

namespace millrace {

void ConnectionLink::reply(const Session& session, std::string_view bytes) {
  if (bytes.empty()) return;
  table_.send_view(session.connection, bytes);
  OutputLimits& limits = limits_.of(session);
  if (limits.any()) limits.check(connection(session));
}

void ConnectionLink::push(const Session& session, std::string_view bytes) {
  ae::Connection to = connection(session);
  to.send(bytes);
  limits_.of(session).check(to);
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
  if (log::enabled(LogLevel::kVerbose)) log::verbose("Closing idle client {}", peer_text(session));
  session.set(SessionFlag::kClosing);
  connection(session).close(ae::CloseReason::kIdleTimeout);
}

// A line for each would be a flood when a machine with many clients is gone; INFO counts them all.
void ConnectionLink::close_lost(Session& session) {
  log::warning_once_a_minute("Closing client {}: {}", peer_text(session),
                             ae::name(ae::CloseReason::kHeartbeatLost));
  session.set(SessionFlag::kClosing);
  connection(session).close(ae::CloseReason::kHeartbeatLost);
}

void ConnectionLink::suspend(Session& session, Wait wait, std::string_view unrun) {
  ae::Connection to = connection(session);
  to.pause(connection_facts::pause_reason(wait));
  on_unread_(to.id());
  to.unread(unrun);
}

void ConnectionLink::resume(Session& session, Wait wait) {
  connection(session).resume(connection_facts::pause_reason(wait));
}

}  // namespace millrace
