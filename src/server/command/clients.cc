#include "server/command/clients.h"

#include <algorithm>

namespace millrace {

Session& Clients::open(uint32_t uptime_s) {
  SessionId id = sessions_.emplace();
  Session& session = *sessions_.find(id);
  session.self = id;
  session.id = next_id_++;
  session.created_s = session.active_s = uptime_s;
  return session;
}

void Clients::mark_admin(Session& session) {
  session.set(SessionFlag::kAdmin);
  ++admin_count_;
}

void Clients::unpin() {
  const SessionId id = std::exchange(pinned_, {});
  if (std::exchange(pinned_has_left_, false)) closed(id);
}

void Clients::closed(SessionId id) {
  Session* session = find(id);
  if (session && id == pinned_) {
    session->set(SessionFlag::kClosing);
    pinned_has_left_ = true;
    return;
  }
  if (session)
    for (LeaveHook& hook : leave_hooks_) hook(*session);
  if (session && session->extras) extras_bytes_ -= session->extras->memory_bytes();
  if (session != nullptr && session->has(SessionFlag::kAdmin)) --admin_count_;
  sessions_.erase(id);
}

Session* Clients::find_by_client_id(uint64_t client_id) {
  Session* found = nullptr;
  each([&](Session& session) {
    if (session.id == client_id) found = &session;
  });
  return found;
}

void Clients::each(const std::function<void(Session&)>& visitor) {
  visit(0, sessions_.reached(), visitor);
}

uint32_t Clients::visit(uint32_t cursor, size_t limit,
                        const std::function<void(Session&)>& visitor) {
  return sessions_.visit(cursor, limit, [&](SessionId, Session& session) { visitor(session); });
}

void Clients::push(const Session& session, std::string_view bytes) {
  if (bytes.empty()) return;
  if (session.self == serving_) {
    deferred_.append(bytes);
  } else {
    link_.push(session, bytes);
  }
}

void Clients::pause(PauseKind kind, int64_t until_ms) {
  // A pause never shortens or weakens one that is in force, as in Redis.
  pause_kind_ = std::max(pause_kind_, kind);
  pause_until_ms_ = std::max(pause_until_ms_, until_ms);
  if (on_pause_change_) on_pause_change_();
}

void Clients::unpause() {
  pause_kind_ = PauseKind::kNone;
  pause_until_ms_ = 0;
  if (on_pause_change_) on_pause_change_();
  std::vector<SessionId> parked = std::move(parked_);
  parked_.clear();
  for (SessionId id : parked)
    if (Session* session = find(id)) link_.resume(*session, Wait::kPause);
}

PauseKind Clients::paused(int64_t now_ms) {
  if (pause_kind_ != PauseKind::kNone && now_ms >= pause_until_ms_) unpause();
  return pause_kind_;
}

size_t Clients::parked_count() const {
  return size_t(std::count_if(parked_.begin(), parked_.end(),
                              [&](SessionId id) { return sessions_.find(id) != nullptr; }));
}

void Clients::park(Session& session, std::string_view unrun) {
  link_.suspend(session, Wait::kPause, unrun);
  parked_.push_back(session.self);
}

}  // namespace millrace
