// All connections of one loop: flat records in a slot map, and the code that moves bytes between
// the kernel and a ConnectionHandler.
//
// Input goes into the table's scratch, one block for all connections: a connection that waits owns
// no buffer. Only the unread remainder of a half packet is kept, in a block of its own, and given
// back with its last byte. A handler that collects the requests of many connections into one batch
// calls hold_input() in on_data: the scratch then moves on behind those bytes, and when it is full
// the table calls `on_input_full` (the handler runs its batch and calls release_input()).
//
// Output. send() copies into a queue of pooled chunks; send_view() queues bytes that the caller
// keeps alive until on_flushed, so that the usual reply is never copied: only what the kernel did
// not take is. All output of a connection leaves in one gathered write, before the loop sleeps;
// write interest exists only after the kernel refused.
//
// Fairness: a connection is read at most `read_budget` bytes a tick; a short read ends its turn
// without a second call.
//
// Where the table stands in the tick (event_loop.h):
//   deliver file events   read, on_data; Writable marks a connection for the flush
//   after-events hook     deliver_resumed(): kept input of resumed connections
//   reap                  on_closed, the descriptor is closed
//   before-sleep hook     on_half_closed, then flush()
// Hooks run in order of registration: register what must precede the table's before constructing
// it.
//
// Cost of a request on a ready connection, asserted by tests/ae/net/connection_cost_test.cc: one
// read, one write, no epoll_ctl, no allocation.
//
// The code is split by noun: connection_table.cc (life), connection_input.cc, connection_output.cc,
// connection.cc (handle); connection_state (transitions), connection_record.h (memory), in_buffer,
// out_queue, stream.h (the kernel's side).
//
// Thread: the loop's. Ownership: the table owns the descriptors it adopted. It outlives the loop's
// last tick, and dies before the loop. One table per loop.
//
// Example (examples/echo.cc is the whole program):
//
//   struct Echo : ae::ConnectionHandler {
//     size_t on_data(ae::Connection c, ae::MutableBytes data) override {
//       c.send({data.data(), data.size()});
//       return data.size();
//     }
//     void on_closed(ae::Connection, ae::CloseReason) override {}
//   };
//   ae::ConnectionTable table(*loop);
//   table.adopt(accepted_fd, echo);
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "ae/core/event_loop.h"
#include "ae/net/connection.h"
#include "ae/net/connection_record.h"
#include "ae/net/in_buffer.h"
#include "ae/net/out_queue.h"
#include "ae/net/stream.h"

namespace ae {

struct ConnectionOptions {
  size_t scratch_bytes = 256 * 1024;    // input scratch of the table; at least 256
  size_t read_budget = 64 * 1024;       // bytes per connection and tick
  size_t high_watermark = 1024 * 1024;  // output that pauses reading
  size_t low_watermark = 256 * 1024;
  size_t max_kept_input = 1024 * 1024 * 1024;  // a half packet longer than this closes: kInputLimit
  // Receive and send by completions where the poller has them.
  bool use_completions = true;
};

struct TableStats {
  uint64_t reads = 0, read_bytes = 0;      // calls made to the Os, or completions received
  uint64_t writes = 0, written_bytes = 0;  // calls made to the Os, or sends submitted
  uint64_t opened = 0, closed = 0;
  size_t kept_input_bytes = 0;     // half packets, now
  size_t queued_output_bytes = 0;  // now
  size_t extensions = 0;           // connections that are not idle, now
};

// User memory of a table, in bytes. Kept by counting: asking is O(1).
struct TableMemory {
  // the connections' own
  size_t records = 0;
  size_t extensions = 0;     // of those that are not idle
  size_t kept_input = 0;     // blocks of half packets
  size_t queued_output = 0;  // chunks of output that waits
  // beside them
  size_t spare_slots = 0;  // in the tables of both
  size_t scratch = 0;      // input, lent to whoever is read
  size_t pool = 0;         // chunks that wait for output
  size_t lists = 0;        // who is to be flushed, resumed, told of an end; pending views
};

class ConnectionTable final : private FileHandler, private Reaper, private StreamOwner {
 public:
  ConnectionTable(EventLoop& loop, ConnectionOptions options = {});
  ~ConnectionTable();  // closes every descriptor; no callbacks
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  // Takes an established (adopt) or connecting descriptor. From here on the table owns it, also
  // when this fails. `user` is the application's word. An urgent connection is read, served (the
  // after-events hooks run) and flushed before all others of the tick; event_loop.h says how many
  // there may be.
  Result<Connection> adopt(int fd, ConnectionHandler& handler, uint64_t user = 0,
                           Priority priority = Priority::kNormal);
  Result<Connection> adopt_connecting(int fd, ConnectionHandler& handler, uint64_t user = 0);

  Connection find(ConnectionId id) { return Connection(this, id); }
  size_t size() const { return records_.size(); }  // connections not yet reaped
  // Visits up to `limit` connections from `cursor` on; returns the cursor to go on with, 0 at the
  // end. For housekeeping in slices: nothing here visits a million at once.
  uint32_t visit(uint32_t cursor, size_t limit, const std::function<void(Connection)>& visitor);

  // --- batching (see above)
  // Only inside on_data: the bytes that this call consumes stay until release_input().
  void hold_input();
  // Ends every hold. Not inside on_data.
  void release_input();
  // Called between two reads, when the scratch is full of held bytes. Must call release_input().
  void set_on_input_full(Callback<void()> callback) { on_input_full_ = std::move(callback); }
  // Presents kept input of the connections resumed so far. The table's own after-events hook calls
  // it; an application whose later hook resumes connections may call it again, else their input
  // comes in the next tick, which then does not wait. Returns how many on_data calls were made.
  size_t deliver_resumed();

  // Queues a view of bytes that stay valid until on_flushed.
  //
  // on_flushed is called when no view is pending or under way any more. By readiness that is the
  // end of flush(); by completions the sends complete in the wait that follows, and on_flushed
  // comes there, before any on_data of that tick. So one reply arena is enough in both cases: fill
  // it, and reset it in on_flushed, not at the end of the batch. A view that is dropped because its
  // connection closed counts as gone.
  void send_view(ConnectionId id, Bytes bytes);
  // Sends what is pending, one gathered write per connection. The loop's before-sleep hook calls
  // it; an application that orders other work (an fsync) before may call it earlier itself, but not
  // from inside a ConnectionHandler's callback.
  void flush();
  void set_on_flushed(Callback<void()> callback) { on_flushed_ = std::move(callback); }
  // Called by every flush() that has something to send, before any of it leaves: what must be done
  // first, by a promise to the peers (a log written, or synced).
  void set_before_flush(Callback<void()> callback) { before_flush_ = std::move(callback); }

  // The next on_data of this connection comes only when at least this many bytes are there (a
  // parser knows how much it misses). Kept with the half packet; forgotten when it is consumed.
  // More than max_kept_input closes: kInputLimit.
  void keep_at_least(ConnectionId id, size_t bytes);

  // --- what Connection's methods do; see connection.h
  const ConnectionRecord* record(ConnectionId id) const { return records_.find(id); }
  void set_user(ConnectionId id, uint64_t word);
  void send(ConnectionId id, Bytes bytes);
  void shutdown_output(ConnectionId id);
  size_t pending_output(ConnectionId id) const;
  size_t kept_input(ConnectionId id) const;  // bytes of a half packet
  size_t kept_room(ConnectionId id) const;   // beside them, for the rest of it
  void unread(ConnectionId id, Bytes bytes);
  void pause(ConnectionId id, PauseReason reason);
  void resume(ConnectionId id, PauseReason reason);
  void close(ConnectionId id, CloseReason reason) { close(id, reason, 0); }
  void close_after_flush(ConnectionId id, CloseReason reason, Nanoseconds deadline);

  EventLoop& loop() { return loop_; }
  const TableStats& stats() const { return stats_; }
  TableMemory memory() const;

 private:
  using Record = ConnectionRecord;
  using Extension = ConnectionExtension;

  struct PendingView {
    Bytes bytes;
    uint32_t next = kNoIndex;
  };

  // Where the next read goes.
  struct InputRoom {
    MutableBytes bytes;      // empty: do not read
    size_t kept_before = 0;  // kept bytes that were copied in front of it, in the scratch
    bool in_block = false;   // it lies in the connection's own block
  };

  // --- life (connection_table.cc)
  uint16_t index_of(ConnectionHandler& handler);
  Result<Connection> insert(int fd, ConnectionHandler& handler, uint64_t user,
                            ConnectionState state, Priority priority);
  Stream& stream_of(const Record& record) {
    return record.end.urgent && urgent_stream_ != nullptr ? *urgent_stream_ : *stream_;
  }
  void finish_connecting(ConnectionId id, Record& record);
  void close(ConnectionId id, CloseReason reason, int error);
  void close_on_error(ConnectionId id, int error) { close(id, reason_of(error), error); }
  static CloseReason reason_of(int error);
  void on_drain_deadline(ConnectionId id);
  void discard_buffers(Record& record);
  Extension* extension(const Record& record);
  const Extension* extension(const Record& record) const;
  Extension& need_extension(Record& record);
  void release_idle_extension(Record& record);
  Connection handle(ConnectionId id) { return Connection(this, id); }
  ConnectionHandler& handler(const Record& record) { return *handlers_[record.handler]; }

  void on_file_event(FileId file, uint32_t slot, Events ready) override;
  void on_reap(uint64_t token) override;
  StreamEnd* find_end(ConnectionId id) override;
  void on_at_rest(ConnectionId id) override;

  // --- input (connection_input.cc)
  void on_readable(ConnectionId id, Record& record, Events ready);
  void read_turn(ConnectionId id, Record& record, Events ready);
  InputRoom make_room(Record& record, size_t most);
  MutableBytes room_behind_held(size_t kept);
  void accept_input(ConnectionId id, Record& record, const InputRoom& room, size_t count);
  void discard_input(ConnectionId id, Record& record);
  bool may_present(const Record& record, size_t bytes) const;
  size_t call_on_data(ConnectionId id, Record& record, MutableBytes data);
  void present_scratch(ConnectionId id, Record& record, MutableBytes data);
  void present_kept(ConnectionId id, Record& record);
  void keep(ConnectionId id, Record& record, Bytes bytes);
  KeptInput take_kept(Record& record);
  void put_kept(Record& record, KeptInput block);
  void input_full();
  void end_input(ConnectionId id, Record& record);
  void announce_ends();
  void announce_end(ConnectionId id, Record& record);
  void schedule_present(ConnectionId id, Record& record);
  void schedule_end(ConnectionId id, Record& record);
  void on_pushed(ConnectionId id, MutableBytes data, uint16_t buffer) override;
  void on_push_ended(ConnectionId id, IoResult why) override;
  void take_pushed(ConnectionId id, Record& record, MutableBytes data);

  // --- output (connection_output.cc)
  void before_sleep();
  void queue_flush(ConnectionId id, Record& record);
  void flush_one(ConnectionId id, Record& record);
  size_t gather(const Record& record, std::span<iovec> pieces) const;
  void settle(ConnectionId id, Record& record, IoResult result);
  size_t consume_views(Record& record, size_t count);
  void queue_views(Record& record);
  void drop_views(Record& record);
  void output_left(ConnectionId id, Record& record);
  void output_waits(ConnectionId id, Record& record);
  void check_watermarks(ConnectionId id, Record& record);
  void tell_watermark(ConnectionId id, Record& record);
  bool has_output(const Record& record) const;
  void views_may_be_done();
  void on_sent(ConnectionId id, IoResult result) override;

  EventLoop& loop_;
  const ConnectionOptions options_;
  TableStats stats_;
  size_t kept_capacity_ = 0;  // of the blocks whose bytes kept_input_bytes counts
  SlotMap<Record, ConnectionId> records_;
  SlotMap<Extension> extensions_;
  std::vector<ConnectionHandler*> handlers_;  // the few there are; records hold the index
  std::unique_ptr<Stream> stream_;
  // By readiness, beside a stream by completions: those come in the kernel's order.
  std::unique_ptr<Stream> urgent_stream_;

  InputScratch scratch_;
  HeldInput held_;
  std::vector<uint16_t> held_buffers_;  // provided buffers, by completions
  bool hold_asked_ = false;             // by the on_data under way
  bool presenting_ = false;
  Callback<void()> on_input_full_;
  std::vector<ConnectionId> resume_list_, resuming_;
  std::vector<ConnectionId> end_list_, ending_;

  ChunkPool chunks_;
  std::vector<PendingView> views_;
  size_t views_pending_ = 0;
  bool views_handed_in_ = false;  // since on_flushed was called last
  Callback<void()> on_flushed_;
  Callback<void()> before_flush_;
  std::vector<ConnectionId> flush_list_, flushing_;
  bool past_flush_ = false;  // this tick's flush has been; who sends now must not be slept on
};

}  // namespace ae
