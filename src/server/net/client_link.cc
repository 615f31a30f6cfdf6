#include "server/net/client_link.h"

#include "server/observe/log.h"

namespace millrace {
namespace {

const OutputBufferLimit& limit_of(const Config& config) {
  return config.client_output_buffer_limit[size_t(ClientClass::kNormal)];
}

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
  enforce_limit(session, to);
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

void ConnectionLink::enforce_limit(const Session& session, ae::Connection to) {
  const OutputBufferLimit& limit = limit_of(config_);
  const size_t pending = to.pending_output();
  if (limit.hard_bytes != 0 && pending > limit.hard_bytes) return close_for_output(to, pending);
  if (limit.soft_bytes == 0 || pending <= limit.soft_bytes) {
    over_soft_limit_.erase(session.self.slot);
    return;
  }
  over_soft_limit_.try_emplace(session.self.slot, Since{session.connection, table_.loop().now()});
}

void ConnectionLink::enforce_soft_limits() {
  const OutputBufferLimit& limit = limit_of(config_);
  for (auto it = over_soft_limit_.begin(); it != over_soft_limit_.end();) {
    ae::Connection to = table_.find(it->second.connection);
    const size_t pending = to.pending_output();
    if (pending <= limit.soft_bytes) {
      it = over_soft_limit_.erase(it);
      continue;
    }
    if (table_.loop().now() - it->second.when > ae::Seconds(limit.soft_s))
      close_for_output(to, pending);
    ++it;
  }
}

void ConnectionLink::close_for_output(ae::Connection to, size_t pending) {
  ++closed_for_output_;
  log::warning(
      "Client {} scheduled to be closed ASAP for overcoming of output buffer limits ({} "
      "bytes pending).",
      text_of(to.peer_address()), pending);
  to.close(ae::CloseReason::kOutputLimit);
}

}  // namespace millrace
