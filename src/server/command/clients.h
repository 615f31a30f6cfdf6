// The clients of the server: their sessions, and what can be done to one from outside its own
// request (CLIENT KILL, CLIENT LIST, MONITOR's feed). The connections behind the sessions are
// reached through ClientLink, which server/net implements: this layer knows no socket.
//
// Thread: the loop that runs commands.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ae/base/callback.h"
#include "server/command/session.h"
#include "server/command/session_extras.h"

namespace millrace {

struct Services;

// Why a client's requests wait.
enum class Wait : uint8_t { kPause, kKey };

// What a session can ask of its connection.
class ClientLink {
 public:
  virtual std::string peer_text(const Session& session) = 0;  // "127.0.0.1:50000", "/run/x.sock:0"
  virtual std::string local_text(const Session& session) = 0;
  virtual int descriptor(const Session& session) = 0;
  virtual size_t unread_bytes(const Session& session) = 0;  // of a half packet
  virtual size_t unread_room(const Session& session) = 0;   // beside them, for the rest of it
  virtual size_t output_bytes(const Session& session) = 0;  // not yet taken by the kernel
  // The reply bytes of the requests just run. `bytes` stay valid until the next flush.
  virtual void reply(const Session& session, std::string_view bytes) = 0;
  // Bytes nobody asked for in this tick (MONITOR, push messages); copied.
  virtual void push(const Session& session, std::string_view bytes) = 0;
  virtual void close_now(Session& session) = 0;
  // Delivers what is pending, then closes. No further request of this client runs. A handler that
  // ends its own client (QUIT) only sets SessionFlag::kClosing: its reply is not with the
  // connection yet, and the executor calls this when it is.
  virtual void close_after_reply(Session& session) = 0;
  virtual void close_idle(Session& session) = 0;
  // It has not answered its heartbeat.
  virtual void close_lost(Session& session) = 0;
  // Stops the reading of requests until resume() for the same reason. `unrun` holds requests that
  // were read and did not run; they come again first. A client that is gone while it waits for a
  // key is noticed all the same.
  virtual void suspend(Session& session, Wait wait, std::string_view unrun) = 0;
  virtual void resume(Session& session, Wait wait) = 0;
  virtual bool is_suspended(const Session& session) = 0;

 protected:
  ~ClientLink() = default;
};

enum class PauseKind : uint8_t { kNone, kWrites, kAll };

class Clients {
 public:
  explicit Clients(ClientLink& link) : link_(link) {}

  Session& open(uint32_t uptime_s);
  void closed(SessionId id);
  Session* find(SessionId id) { return sessions_.find(id); }
  SessionId id_of(const Session& session) const { return session.self; }
  // By CLIENT ID. Visits all; for administration.
  Session* find_by_client_id(uint64_t client_id);
  size_t count() const { return sessions_.size(); }

  // A session that stays when its connection has ended, until unpin(): its request is laid aside
  // (core/script_stage.h). One at a time.
  void pin(SessionId id) { pinned_ = id; }
  void unpin();

  // A client of the admin lane: not one of those that `maxclients` counts.
  void mark_admin(Session& session);
  size_t admin_count() const { return admin_count_; }

  // Visits every session in order of slot; the visitor may close any.
  void each(const std::function<void(Session&)>& visitor);
  // A slice of it: from `cursor` on, at most `limit` slots; returns the next cursor, 0 at the end.
  uint32_t visit(uint32_t cursor, size_t limit, const std::function<void(Session&)>& visitor);

  // The one way to the rare part of a session: change(SessionExtras&) sees what is there, or a new
  // one; what is empty afterwards is given back.
  template <typename Change>
  void change_extras(Session& session, Change&& change) {
    if (session.extras) {
      extras_bytes_ -= session.extras->memory_bytes();
    } else {
      session.extras.reset(new SessionExtras());
    }
    change(*session.extras);
    if (session.extras->empty()) return session.extras.reset();
    extras_bytes_ += session.extras->memory_bytes();
  }

  // --- memory: of the sessions there are, of the slots kept free beside them, of all extras
  size_t session_bytes() const { return sessions_.live_bytes(); }
  size_t spare_slot_bytes() const { return sessions_.reserved_bytes() - sessions_.live_bytes(); }
  size_t extras_bytes() const { return extras_bytes_; }

  // Called when a session ends, before it is forgotten, for those who keep something about it.
  using LeaveHook = ae::Callback<void(Session&)>;
  void on_leave(LeaveHook hook) { leave_hooks_.push_back(std::move(hook)); }

  // Bytes that are no reply to the client (MONITOR, messages, invalidations). To the one whose
  // request is running they come right behind its reply.
  void push(const Session& session, std::string_view bytes);
  // For the executor: whose requests run; what push() has put aside, to be taken after each.
  void begin_serving(SessionId id) { serving_ = id; }
  SessionId serving() const { return serving_; }
  std::string take_deferred() { return std::exchange(deferred_, {}); }
  bool has_deferred() const { return !deferred_.empty(); }

  ClientLink& link() { return link_; }

  // CLIENT PAUSE: until then requests of this kind wait. kNone once the time has passed.
  void pause(PauseKind kind, int64_t until_ms);
  void unpause();
  PauseKind paused(int64_t now_ms);
  bool is_paused(int64_t now_ms) const {
    return pause_kind_ != PauseKind::kNone && now_ms < pause_until_ms_;
  }
  int64_t pause_until_ms() const { return pause_until_ms_; }
  // Called when a pause begins, changes or ends, for those who keep a copy of what it means
  // (Gates).
  void on_pause_change(ae::Callback<void()> hook) { on_pause_change_ = std::move(hook); }
  // For a session whose request met the pause: it waits, with the requests it has sent (encoded in
  // `unrun`), and is resumed with all others when the pause ends.
  void park(Session& session, std::string_view unrun);
  size_t parked_count() const;

 private:
  ClientLink& link_;
  SessionTable sessions_;
  size_t extras_bytes_ = 0;
  uint64_t next_id_ = 1;
  size_t admin_count_ = 0;
  PauseKind pause_kind_ = PauseKind::kNone;
  int64_t pause_until_ms_ = 0;
  std::vector<SessionId> parked_;
  SessionId pinned_;
  bool pinned_has_left_ = false;
  SessionId serving_;
  std::string deferred_;
  std::vector<LeaveHook> leave_hooks_;
  ae::Callback<void()> on_pause_change_;
};

}  // namespace millrace
