// What the server knows of a client: the logic half. The I/O half is ae::Connection; they meet in
// the request batch and in reply bytes, and neither includes the other's header beyond an id.
//
// A Session is a flat record of fixed size without interior pointers but one: `extras`, rare state
// that most clients never have. A million idle clients pay for the fields below and nothing more.
#pragma once

#include <cstdint>
#include <memory>

#include "ae/base/slot_map.h"
#include "ae/net/connection.h"
#include "server/command/table.h"

namespace millrace {

struct SessionId {
  uint32_t slot = 0;
  uint32_t generation = 0;
  bool valid() const { return generation != 0; }
  uint64_t packed() const { return uint64_t(generation) << 32 | slot; }
  static SessionId unpack(uint64_t v) { return {uint32_t(v), uint32_t(v >> 32)}; }
  friend bool operator==(SessionId, SessionId) = default;
};

enum class SessionFlag : uint16_t {
  kAuthenticated = 1,
  kClosing = 2,  // close_after_flush was asked for: no further request runs
  kMonitor = 4,
  kNoEvict = 8,
  kNoTouch = 16,    // reads do not refresh access time
  kReplyOff = 32,   // CLIENT REPLY OFF
  kSkipNext = 64,   // CLIENT REPLY SKIP was run: the next reply is dropped
  kSkipping = 128,  // ... and this is the one
  kUnixSocket = 256,
  kLocal = 512,       // over loopback or a unix socket
  kAdmin = 1024,      // came in by the admin lane; set with Clients::mark_admin
  kHeartbeat = 2048,  // CLIENT HEARTBEAT ON
  kMulti = 4096,      // between MULTI and EXEC
  kBlocked = 8192,    // its last request waits for a key (core/blocked_clients.h)
  kSubscribed = 16384,
  kTracking = 32768,
};

struct SessionExtras;  // session_extras.h
struct DeleteExtras {
  void operator()(SessionExtras* extras) const;
};

struct Session {
  static constexpr uint16_t kNoCommand = UINT16_MAX;

  SessionId self;   // its own name in the table
  uint64_t id = 0;  // CLIENT ID: grows, never reused
  ae::ConnectionId connection;
  std::unique_ptr<SessionExtras, DeleteExtras>
      extras;              // null: nothing rare. Changed by Clients::change_extras
  uint32_t created_s = 0;  // monotonic seconds since the server started
  uint32_t active_s = 0;   // of the last request
  uint16_t flags = 0;
  uint16_t last_command = kNoCommand;  // by its id: CLIENT LIST's cmd=
  uint8_t db = 0;
  uint8_t resp = 2;
  uint8_t thread = 0;           // the IO thread whose loop has the connection; 0: the main one
  bool named_user : 1 = false;  // logged in as another than the default user: SessionExtras::user
  bool replays : 1 = false;     // no client: a Replayer's (replayer.h)
  bool replica : 1 = false;     // it has said PSYNC: what it is pushed is the stream of changes

  bool has(SessionFlag flag) const { return (flags & uint16_t(flag)) != 0; }
  // Logged in as the default user, and in no state in which some commands mean something else.
  bool is_plain() const {
    constexpr auto kAsked = uint16_t(SessionFlag::kAuthenticated) | uint16_t(SessionFlag::kMulti) |
                            uint16_t(SessionFlag::kSubscribed) | uint16_t(SessionFlag::kTracking);
    return (flags & kAsked) == uint16_t(SessionFlag::kAuthenticated) && !named_user;
  }
  void set(SessionFlag flag) { flags |= uint16_t(flag); }
  void clear(SessionFlag flag) { flags &= uint16_t(~uint16_t(flag)); }
  // CLIENT REPLY: between two requests SKIP moves on by one.
  void next_request() {
    bool skipping = has(SessionFlag::kSkipNext);
    clear(SessionFlag::kSkipNext);
    skipping ? set(SessionFlag::kSkipping) : clear(SessionFlag::kSkipping);
  }
  bool silent() const { return has(SessionFlag::kReplyOff) || has(SessionFlag::kSkipping); }
};
// At a million clients each further word is 8 MB. With the connection's record (48) and the loop's
// registration (24), and four bytes of generation each, this is what an idle client costs.
static_assert(sizeof(Session) <= 48);

using SessionTable = ae::SlotMap<Session, SessionId>;

}  // namespace millrace
