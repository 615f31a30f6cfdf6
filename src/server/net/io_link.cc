#include "server/net/io_link.h"

#include "server/net/connection_facts.h"
#include "server/observe/log.h"

namespace millrace {

std::string IoLink::peer_text(const Session& session) {
  return connection_facts::peer_text(pool_.look_into(session.thread).table(), session);
}

std::string IoLink::local_text(const Session& session) {
  return connection_facts::local_text(pool_.look_into(session.thread).table(), session);
}

int IoLink::descriptor(const Session& session) {
  return connection_facts::descriptor(pool_.look_into(session.thread).table(), session);
}

size_t IoLink::unread_bytes(const Session& session) {
  return connection_facts::unread_bytes(pool_.look_into(session.thread).table(), session);
}

size_t IoLink::unread_room(const Session& session) {
  return connection_facts::unread_room(pool_.look_into(session.thread).table(), session);
}

size_t IoLink::output_bytes(const Session& session) {
  return connection_facts::output_bytes(pool_.look_into(session.thread).table(), session);
}

void IoLink::order(const Session& session, IoDelivery delivery) {
  delivery.connection = session.connection;
  pool_.at(session.thread).order(delivery);
}

void IoLink::send(const Session& session, std::string_view bytes) {
  order(
      session,
      {.kind = IoDelivery::Kind::kSend, .limits = ClassLimits::class_of(session), .bytes = bytes});
}

// The bytes lie in the batch that is being run, and travel with it.
void IoLink::reply(const Session& session, std::string_view bytes) {
  if (!bytes.empty()) send(session, bytes);
}

void IoLink::push(const Session& session, std::string_view bytes) {
  const std::string_view kept = pool_.at(session.thread).copy(bytes);
  send(session, kept);
}

void IoLink::close_now(Session& session) {
  session.set(SessionFlag::kClosing);
  order(session, {.kind = IoDelivery::Kind::kClose, .reason = ae::CloseReason::kRequested});
}

void IoLink::close_after_reply(Session& session) {
  session.set(SessionFlag::kClosing);
  order(session,
        {.kind = IoDelivery::Kind::kCloseAfterFlush, .reason = ae::CloseReason::kRequested});
}

void IoLink::close_idle(Session& session) {
  if (log::enabled(LogLevel::kVerbose)) log::verbose("Closing idle client {}", peer_text(session));
  session.set(SessionFlag::kClosing);
  order(session, {.kind = IoDelivery::Kind::kClose, .reason = ae::CloseReason::kIdleTimeout});
}

// A line for each would be a flood when a machine with many clients is gone; INFO counts them all.
void IoLink::close_lost(Session& session) {
  log::warning_once_a_minute("Closing client {}: {}", peer_text(session),
                             ae::name(ae::CloseReason::kHeartbeatLost));
  session.set(SessionFlag::kClosing);
  order(session, {.kind = IoDelivery::Kind::kClose, .reason = ae::CloseReason::kHeartbeatLost});
}

bool IoLink::is_suspended(const Session& session) {
  return connection_facts::is_suspended(pool_.look_into(session.thread).table(), session);
}

void IoLink::suspend(Session& session, Wait wait, std::string_view unrun) {
  const std::string_view kept = pool_.at(session.thread).copy(unrun);
  order(session, {.kind = IoDelivery::Kind::kSuspend,
                  .pause = connection_facts::pause_reason(wait),
                  .bytes = kept});
}

void IoLink::resume(Session& session, Wait wait) {
  order(session,
        {.kind = IoDelivery::Kind::kResume, .pause = connection_facts::pause_reason(wait)});
}

}  // namespace millrace
