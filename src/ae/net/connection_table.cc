// The life of a connection: adopted, opened, paused, closed, reaped. Bytes are in
// connection_input.cc and connection_output.cc.
#include "ae/net/connection_table.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "ae/base/assert.h"
#include "ae/net/connection_state.h"

namespace ae {
namespace {

// Handlers are protocols, not connections; they are found by a linear search when a connection is
// adopted.
constexpr size_t kMaxHandlers = 256;

}  // namespace

ConnectionTable::ConnectionTable(EventLoop& loop, ConnectionOptions options)
    : loop_(loop), options_(options), scratch_(options.scratch_bytes) {
  AE_ASSERT(options.scratch_bytes >= 256 && options.read_budget > 0);
  AE_ASSERT(options.low_watermark <= options.high_watermark);
  const bool complete = options.use_completions && loop.poller().completions() != nullptr;
  stream_ = complete ? create_completion_stream(loop, *this, *this)
                     : create_readiness_stream(loop, *this);
  if (complete) urgent_stream_ = create_readiness_stream(loop, *this);
  loop.after_sleep([this] { past_flush_ = false; });
  loop.after_events([this] { deliver_resumed(); });
  loop.before_sleep([this] { before_sleep(); });
}

ConnectionTable::~ConnectionTable() {
  for (uint32_t slot = 0; slot < records_.reached(); ++slot) {
    if (!records_.live(slot)) continue;
    Record& record = records_.at(slot);
    stream_of(record).stop(record.end, records_.id_of(slot));
    discard_buffers(record);
    loop_.os().close(record.end.fd);
  }
}

// --- beginning

uint16_t ConnectionTable::index_of(ConnectionHandler& handler) {
  const auto found = std::find(handlers_.begin(), handlers_.end(), &handler);
  if (found != handlers_.end()) return uint16_t(found - handlers_.begin());
  AE_ASSERT(handlers_.size() < kMaxHandlers);
  handlers_.push_back(&handler);
  return uint16_t(handlers_.size() - 1);
}

Result<Connection> ConnectionTable::insert(int fd, ConnectionHandler& handler, uint64_t user,
                                           ConnectionState state, Priority priority) {
  const ConnectionId id = records_.emplace();
  Record& record = records_.at(id.slot);
  record.user = user;
  record.handler = index_of(handler);
  record.state = state;
  record.end.fd = fd;
  record.end.urgent = priority == Priority::kUrgent;
  const bool connecting = state == ConnectionState::kConnecting;
  const Status started = connecting ? stream_of(record).write_on(record.end, id)
                                    : stream_of(record).start(record.end, id);
  if (!started) {
    loop_.os().close(fd);
    records_.erase(id);
    return fail(started.error());
  }
  if (!connecting) ++stats_.opened;
  return handle(id);
}

Result<Connection> ConnectionTable::adopt(int fd, ConnectionHandler& handler, uint64_t user,
                                          Priority priority) {
  return insert(fd, handler, user, ConnectionState::kOpen, priority);
}

Result<Connection> ConnectionTable::adopt_connecting(int fd, ConnectionHandler& handler,
                                                     uint64_t user) {
  return insert(fd, handler, user, ConnectionState::kConnecting, Priority::kNormal);
}

// Writable says that connect() has come to an end; SO_ERROR says to which.
void ConnectionTable::finish_connecting(ConnectionId id, Record& record) {
  const int error = loop_.os().pending_error(record.end.fd);
  if (error != 0) return close(id, CloseReason::kConnectFailed, error);
  stream_of(record).write_off(record.end);
  if (const Status started = stream_of(record).start(record.end, id); !started) {
    return close(id, CloseReason::kSystemError, started.error().code);
  }
  enter(record.state, ConnectionState::kOpen);
  ++stats_.opened;
  if (has_output(record) || record.output_ending) queue_flush(id, record);
  handler(record).on_open(handle(id));
}

// --- events

// Reading comes before writing, as everywhere in ae; writing itself is left to the flush, so that a
// reply made in this tick leaves in the same write as what had to wait.
void ConnectionTable::on_file_event(FileId, uint32_t slot, Events ready) {
  Record& record = records_.at(slot);
  const ConnectionId id = records_.id_of(slot);
  if (record.state == ConnectionState::kConnecting) return finish_connecting(id, record);
  if (any(ready & Events::kReadable)) on_readable(id, record, ready);
  if (any(ready & Events::kWritable) && record.kernel_full) {
    record.kernel_full = false;
    queue_flush(id, record);
  }
}

uint32_t ConnectionTable::visit(uint32_t cursor, size_t limit,
                                const std::function<void(Connection)>& visitor) {
  return records_.visit(cursor, limit, [&](ConnectionId id, Record&) { visitor(handle(id)); });
}

void ConnectionTable::set_user(ConnectionId id, uint64_t word) {
  if (Record* record = records_.find(id)) record->user = word;
}

// --- pausing

// Lazy: the kernel keeps reporting until the peer really sends while nobody reads (on_readable),
// which for a request-reply protocol is never. A pause for one reply then costs no system call.
void ConnectionTable::pause(ConnectionId id, PauseReason reason) {
  if (Record* record = records_.find(id)) record->pauses |= uint8_t(reason);
}

void ConnectionTable::resume(ConnectionId id, PauseReason reason) {
  Record* record = records_.find(id);
  if (record == nullptr || (record->pauses & uint8_t(reason)) == 0) return;
  record->pauses &= uint8_t(~uint8_t(reason));
  if (record->state != ConnectionState::kOpen) return;
  if ((record->pauses & uint8_t(~uint8_t(PauseReason::kBlocked))) != 0) return;
  schedule_end(id, *record);
  if (!record->input_ended) {
    if (const Status reading = stream_of(*record).read_on(record->end, id); !reading) {
      return close(id, CloseReason::kSystemError, reading.error().code);
    }
  }
  if (record->pauses == 0) schedule_present(id, *record);
}

// --- the end

CloseReason ConnectionTable::reason_of(int error) {
  return reason_of_error(error);
}

void ConnectionTable::close(ConnectionId id, CloseReason reason, int error) {
  Record* record = records_.find(id);
  if (record == nullptr || record->state >= ConnectionState::kClosing) return;
  enter(record->state, ConnectionState::kClosing);
  record->reason = reason;
  record->error = error;
  stream_of(*record).stop(record->end, id);
  if (!record->end.sending) drop_views(*record);
  loop_.reap_later(this, id.packed());
}

void ConnectionTable::close_after_flush(ConnectionId id, CloseReason reason, Nanoseconds deadline) {
  Record* record = records_.find(id);
  if (record == nullptr || record->state >= ConnectionState::kDraining) return;
  if (record->state == ConnectionState::kConnecting || !has_output(*record)) {
    return close(id, reason, 0);
  }
  enter(record->state, ConnectionState::kDraining);
  record->reason = reason;
  Extension& extra = need_extension(*record);
  extra.drain_timer = loop_.add_timer(deadline, [this, id] { on_drain_deadline(id); });
  held_.retire(take_kept(*record));
  if (record->input_ended) return;
  if (const Status reading = stream_of(*record).read_on(record->end, id); !reading) {
    close(id, CloseReason::kSystemError, reading.error().code);
  }
}

void ConnectionTable::on_drain_deadline(ConnectionId id) {
  Record* record = records_.find(id);
  if (record == nullptr) return;
  if (Extension* extra = extension(*record)) extra->drain_timer = {};
  close(id, CloseReason::kDrainDeadline, 0);
}

void ConnectionTable::on_reap(uint64_t token) {
  const ConnectionId id = ConnectionId::unpack(token);
  Record* record = records_.find(id);
  AE_ASSERT(record != nullptr && record->state == ConnectionState::kClosing);
  if (!record->end.at_rest()) {
    record->reap_waits = true;  // the kernel still works on this connection's memory: on_at_rest
    return;
  }
  discard_buffers(*record);
  enter(record->state, ConnectionState::kClosed);
  ++stats_.closed;
  handler(*record).on_closed(handle(id), record->reason);
  loop_.os().close(record->end.fd);
  records_.erase(id);
}

StreamEnd* ConnectionTable::find_end(ConnectionId id) {
  Record* record = records_.find(id);
  return record == nullptr ? nullptr : &record->end;
}

void ConnectionTable::on_at_rest(ConnectionId id) {
  Record* record = records_.find(id);
  if (record == nullptr || !record->reap_waits) return;
  record->reap_waits = false;
  loop_.reap_later(this, id.packed());
}

void ConnectionTable::discard_buffers(Record& record) {
  drop_views(record);
  Extension* extra = extension(record);
  if (extra == nullptr) return;
  held_.retire(take_kept(record));
  stats_.queued_output_bytes -= extra->output.bytes();
  extra->output.clear(chunks_);
  extra->keep_at_least = 0;
  if (extra->drain_timer.valid()) loop_.cancel(std::exchange(extra->drain_timer, {}));
  release_idle_extension(record);
}

TableMemory ConnectionTable::memory() const {
  const size_t live = records_.live_bytes() + extensions_.live_bytes();
  const size_t ids = flush_list_.capacity() + flushing_.capacity() + resume_list_.capacity() +
                     resuming_.capacity() + end_list_.capacity() + ending_.capacity();
  return {.records = records_.live_bytes(),
          .extensions = extensions_.live_bytes(),
          .kept_input = kept_capacity_,
          .queued_output = chunks_.lent_bytes(),
          .spare_slots = records_.reserved_bytes() + extensions_.reserved_bytes() - live,
          .scratch = scratch_.capacity(),
          .pool = chunks_.pooled_bytes(),
          .lists = ids * sizeof(ConnectionId) + views_.capacity() * sizeof(PendingView)};
}

// --- the rare part of a record

ConnectionTable::Extension* ConnectionTable::extension(const Record& record) {
  return record.extension == kNoIndex ? nullptr : &extensions_.at(record.extension);
}

const ConnectionTable::Extension* ConnectionTable::extension(const Record& record) const {
  return record.extension == kNoIndex ? nullptr : &extensions_.at(record.extension);
}

ConnectionTable::Extension& ConnectionTable::need_extension(Record& record) {
  if (record.extension == kNoIndex) record.extension = extensions_.emplace().slot;
  stats_.extensions = extensions_.size();
  return extensions_.at(record.extension);
}

void ConnectionTable::release_idle_extension(Record& record) {
  if (record.extension == kNoIndex || !extensions_.at(record.extension).idle()) return;
  extensions_.erase(extensions_.id_of(record.extension));
  record.extension = kNoIndex;
  stats_.extensions = extensions_.size();
}

}  // namespace ae
