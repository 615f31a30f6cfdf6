// A connection: a byte stream with a state, a reason it ended, and no buffer while it waits.
//
//   Connecting --> Open --> Draining --> Closing --> Closed
//        \__________\____________________/^
//
// Connections live in a ConnectionTable (connection_table.h), one table per loop, as flat records
// of fixed size; everybody else holds a ConnectionId (slot + generation) and looks it up.
// `Connection` is the pair (table, id) with the calls spelled as methods: copy it freely, keep it
// as long as you like, a call on a connection that is gone does nothing.
//
// Closing. close(reason) may be called anywhere, twice, inside any callback: it marks, stops
// interest and joins the reap list; it never calls back. on_closed comes exactly once, last, from
// the reap phase; the descriptor is closed there too, so that its number cannot come back within
// the batch. close_after_flush() delivers pending output first, with a deadline.
//
// Backpressure. Reading goes on while the set of pause reasons is empty. The table itself pauses a
// connection whose output passes the high watermark, until it is below the low one.
#pragma once

#include <cstdint>
#include <string_view>

#include "ae/base/bytes.h"
#include "ae/base/clock.h"
#include "ae/base/result.h"
#include "ae/net/address.h"

namespace ae {

class ConnectionTable;

struct ConnectionId {
  uint32_t slot = 0;
  uint32_t generation = 0;  // 0 names nothing
  bool valid() const { return generation != 0; }
  uint64_t packed() const { return uint64_t(generation) << 32 | slot; }
  static ConnectionId unpack(uint64_t v) { return {uint32_t(v), uint32_t(v >> 32)}; }
  friend bool operator==(ConnectionId, ConnectionId) = default;
};

enum class ConnectionState : uint8_t { kConnecting, kOpen, kDraining, kClosing, kClosed };
std::string_view name(ConnectionState state);

enum class CloseReason : uint8_t {
  kNone,
  kPeerClosed,     // FIN
  kPeerReset,      // ECONNRESET, EPIPE, ETIMEDOUT on an established connection
  kConnectFailed,  // refused, unreachable, deadline
  kIdleTimeout,
  kHeartbeatLost,
  kOutputLimit,
  kInputLimit,
  kProtocolError,
  kDrainDeadline,  // close_after_flush ran out of time
  kRequested,      // the application said so (QUIT, CLIENT KILL)
  kShutdown,
  kSystemError,
};
std::string_view name(CloseReason reason);

enum class PauseReason : uint8_t {
  kOutput = 1,     // the table's own: output above the high watermark
  kBusy = 2,       // a request is under way elsewhere (another thread, an upstream)
  kBlocked = 4,    // the application waits for something else (BLPOP); alone, it lets up to
                   // read_budget bytes be read ahead and kept, so that a FIN is noticed
  kAdmission = 8,  // the application throttles
  kUser = 16,
};

// What a protocol implements, one object for all its connections. All calls come on the loop's
// thread. Any of them may call anything on any connection, including close() on this one.
class Connection;
class ConnectionHandler {
 public:
  // A dialled connection is established. Accepted ones are open from the start: no call.
  virtual void on_open(Connection connection);
  // Bytes arrived; returns how many were consumed. The rest is kept and presented again, with more
  // behind it. Consuming nothing is how a half packet waits; `wanted` in keep_at_least (table)
  // saves calls that cannot succeed. The bytes may be changed in place. They live until the call
  // returns, or, where the handler called ConnectionTable::hold_input(), until release_input().
  virtual size_t on_data(Connection connection, MutableBytes data) = 0;
  // The peer sent FIN and everything before it was presented; nothing more will be read. Default:
  // close_after_flush(kPeerClosed). Called before the loop sleeps, behind the after-events hooks:
  // what they replied to the last requests is pending output by then. A handler whose replies come
  // later (another thread, an upstream) overrides this and closes when the last one is there.
  virtual void on_half_closed(Connection connection);
  // The peer sent FIN while the connection is paused for kBlocked: whom the application keeps
  // waiting has left. on_half_closed follows in its turn after resume(). Default: nothing.
  virtual void on_hang_up(Connection connection);
  // Output that had to wait has left completely.
  virtual void on_drained(Connection connection);
  // Output passed the high watermark (once per crossing). Reading is paused already.
  virtual void on_high_watermark(Connection connection);
  // Exactly once, last. The connection's user word and statistics can still be read; calls that
  // send or close do nothing.
  virtual void on_closed(Connection connection, CloseReason reason) = 0;

 protected:
  ~ConnectionHandler() = default;
};

class Connection {
 public:
  Connection() = default;
  Connection(ConnectionTable* table, ConnectionId id) : table_(table), id_(id) {}

  ConnectionId id() const { return id_; }
  ConnectionTable& table() const { return *table_; }
  bool alive() const;             // in the table and not Closed
  ConnectionState state() const;  // kClosed for one that is gone
  uint64_t user() const;          // the application's word
  void set_user(uint64_t word);
  int fd() const;                    // -1 for one that is gone
  CloseReason close_reason() const;  // kNone until closing
  int error() const;                 // the errno behind the reason, 0 where there is none

  // Queues bytes (copied). They leave in one gathered write before the loop sleeps. While
  // connecting they wait for the connection; once draining or closing they are dropped.
  void send(Bytes bytes);
  // Sends FIN behind the last pending byte; reading goes on. send() does nothing from here on. When
  // the peer's FIN has come too, the connection closes by itself (kPeerClosed).
  void shutdown_output();
  size_t pending_output() const;  // bytes queued and not yet taken by the kernel
  // Gives bytes back that on_data reported consumed and that must be presented again after
  // resume(); they go before anything that is still unread. A keep_at_least of before is forgotten.
  void unread(Bytes bytes);

  void pause(PauseReason reason);
  // When the last reason goes, kept input is presented again in the same tick's after-events phase
  // at the latest, without waiting for the peer to send more.
  void resume(PauseReason reason);
  bool paused(PauseReason reason) const;

  void close(CloseReason reason);
  // With nothing pending this is close(). Else: input is read and thrown away from now on (a socket
  // closed with unread input sends RST, which would take the reply from the peer's hands), and the
  // connection closes with the last byte, or with kDrainDeadline.
  void close_after_flush(CloseReason reason, Nanoseconds deadline = Seconds(5));

  Result<Address> peer_address() const;
  Result<Address> local_address() const;

 private:
  ConnectionTable* table_ = nullptr;
  ConnectionId id_;
};

}  // namespace ae
