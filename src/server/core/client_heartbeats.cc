#include "server/core/client_heartbeats.h"

#include "proto/byte_sink.h"
#include "proto/reply_writer.h"
#include "server/command/clients.h"
#include "server/command/server_stats.h"

namespace millrace {

void ClientHeartbeats::start(Session& session, HeartbeatTerms terms) {
  // The wheel's own terms are never used; they say how far it has to reach.
  if (!wheel_) {
    ae::HeartbeatHandler& handler = *this;
    wheel_.emplace(loop_, handler,
                   ae::HeartbeatOptions{.probe_after = ae::Seconds(HeartbeatTerms::kMaxIntervalS)});
  }
  clients_.change_extras(session, [this](SessionExtras& extras) {
    if (!beats_.find(extras.heartbeat)) extras.heartbeat = beats_.emplace();
  });
  const ae::ConnectionId id = session.extras->heartbeat;
  beats_.find(id)->session = session.self;
  session.set(SessionFlag::kHeartbeat);
  wheel_->track(id, {ae::Seconds(terms.interval_s), terms.misses});
}

void ClientHeartbeats::stop(Session& session) {
  if (!session.has(SessionFlag::kHeartbeat)) return;
  session.clear(SessionFlag::kHeartbeat);
  ae::ConnectionId id;
  clients_.change_extras(session,
                         [&](SessionExtras& extras) { id = std::exchange(extras.heartbeat, {}); });
  wheel_->forget(id);
  beats_.erase(id);
}

// A session's seconds are rounded down; here up, so that nobody is asked early.
std::optional<ae::TimePoint> ClientHeartbeats::last_heard(ae::ConnectionId id) {
  Beat& beat = *beats_.find(id);
  const Session& session = *clients_.find(beat.session);
  const size_t unread = clients_.link().unread_bytes(session);
  const bool more_came = std::exchange(beat.unread_bytes, unread) != unread && unread != 0;
  if (more_came || clients_.link().is_suspended(session)) return loop_.now();
  return started_ + ae::Seconds(session.active_s + 1);
}

void ClientHeartbeats::on_probe(ae::ConnectionId id, uint32_t misses) {
  ++stats_.heartbeat_probes;
  proto::StringSink text;
  proto::ReplyWriter probe(text, proto::Resp::k3);
  probe.push(2);
  probe.bulk("heartbeat");
  probe.integer(misses);
  clients_.push(*clients_.find(beats_.find(id)->session), text.view());
}

void ClientHeartbeats::on_lost(ae::ConnectionId id) {
  Session& session = *clients_.find(beats_.find(id)->session);
  ++stats_.heartbeat_lost_clients;
  stop(session);
  clients_.link().close_lost(session);
}

}  // namespace millrace
