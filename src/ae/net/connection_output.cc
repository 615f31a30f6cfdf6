// The output half of the table: views and queued bytes, gathered into one write per connection
// before the loop sleeps.
//
// Order on the wire: views, then the queue. A send() goes to the queue and hence behind a pending
// view; a send_view() behind queued bytes is copied to the queue. What the kernel does not take of
// a view is copied to the front of the queue, so that no view outlives its flush (or its send under
// way).
#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "ae/base/assert.h"
#include "ae/net/connection_table.h"

namespace ae {
namespace {

// Who may still add output. A connecting one may: it leaves when the connection is there.
bool takes_output(const ConnectionRecord& record) {
  return record.state <= ConnectionState::kOpen && !record.output_ending;
}

}  // namespace

// --- queueing

void ConnectionTable::send(ConnectionId id, Bytes bytes) {
  Record* record = records_.find(id);
  if (record == nullptr || bytes.empty() || !takes_output(*record)) return;
  Extension& extra = need_extension(*record);
  extra.output.append(chunks_, bytes);
  stats_.queued_output_bytes += bytes.size();
  check_watermarks(id, *record);
  queue_flush(id, *record);
}

// What is copied or dropped counts as a view too: its owner waits for on_flushed all the same.
void ConnectionTable::send_view(ConnectionId id, Bytes bytes) {
  views_handed_in_ = true;
  Record* record = records_.find(id);
  if (record == nullptr || bytes.empty() || !takes_output(*record)) return;
  const Extension* extra = extension(*record);
  const bool queued = extra != nullptr && !extra->output.empty();
  if (queued || record->kernel_full || record->state != ConnectionState::kOpen) {
    return send(id, bytes);
  }
  const auto index = uint32_t(views_.size());
  views_.push_back({bytes, kNoIndex});
  ++views_pending_;
  if (record->first_view == kNoIndex) {
    record->first_view = index;
  } else {
    views_[record->last_view].next = index;
  }
  record->last_view = index;
  queue_flush(id, *record);
}

void ConnectionTable::shutdown_output(ConnectionId id) {
  Record* record = records_.find(id);
  if (record == nullptr || !takes_output(*record)) return;
  record->output_ending = true;
  queue_flush(id, *record);
}

bool ConnectionTable::has_output(const Record& record) const {
  if (record.first_view != kNoIndex || record.end.sending) return true;
  const Extension* extra = extension(record);
  return extra != nullptr && !extra->output.empty();
}

size_t ConnectionTable::pending_output(ConnectionId id) const {
  const Record* record = records_.find(id);
  if (record == nullptr) return 0;
  const Extension* extra = extension(*record);
  size_t bytes = extra == nullptr ? 0 : extra->output.bytes();
  for (uint32_t i = record->first_view; i != kNoIndex; i = views_[i].next) {
    bytes += views_[i].bytes.size();
  }
  return bytes;
}

// --- the flush

void ConnectionTable::before_sleep() {
  announce_ends();
  flush();
  past_flush_ = true;
  // Resumed, ended or queued by a callback of just now: its turn is the next tick.
  if (!flush_list_.empty() || !resume_list_.empty() || !end_list_.empty()) loop_.wake_next_tick();
}

void ConnectionTable::queue_flush(ConnectionId id, Record& record) {
  if (record.in_flush_list) return;
  record.in_flush_list = true;
  flush_list_.push_back(id);
  if (past_flush_) loop_.wake_next_tick();
}

// Those that callbacks of this flush add to the list wait for the next one: a handler that answers
// every on_drained with more would keep the loop here for ever.
void ConnectionTable::flush() {
  AE_ASSERT(flushing_.empty());
  flushing_.swap(flush_list_);
  if (flushing_.empty()) return views_may_be_done();
  if (before_flush_) before_flush_();
  const PhaseScope writing(loop_.account(), Phase::kWrite);
  for (const ConnectionId id : flushing_) {
    Record* record = records_.find(id);
    if (record == nullptr) continue;
    record->in_flush_list = false;
    flush_one(id, *record);
  }
  flushing_.clear();
  views_may_be_done();
}

void ConnectionTable::flush_one(ConnectionId id, Record& record) {
  const bool flows =
      record.state == ConnectionState::kOpen || record.state == ConnectionState::kDraining;
  if (!flows || record.end.sending) return;  // finish_connecting, on_sent queue it again
  if (record.kernel_full) return tell_watermark(id, record);
  std::array<iovec, OutQueue::kMaxGatheredPieces> pieces;
  const size_t count = gather(record, pieces);
  if (count == 0) return output_left(id, record);
  ++stats_.writes;
  const std::optional<IoResult> taken =
      stream_of(record).send(record.end, id, std::span(pieces).first(count));
  if (!taken) return;
  settle(id, record, *taken);
  tell_watermark(id, record);
}

size_t ConnectionTable::gather(const Record& record, std::span<iovec> pieces) const {
  size_t count = 0;
  uint32_t at = record.first_view;
  for (; at != kNoIndex && count < pieces.size(); at = views_[at].next) {
    const Bytes bytes = views_[at].bytes;
    pieces[count++] = {const_cast<char*>(bytes.data()), bytes.size()};
  }
  const Extension* extra = extension(record);
  if (extra == nullptr || at != kNoIndex) return count;
  return count + extra->output.gather(pieces.data() + count, pieces.size() - count);
}

void ConnectionTable::on_sent(ConnectionId id, IoResult result) {
  if (Record* record = records_.find(id)) {
    settle(id, *record, result);
    tell_watermark(id, *record);
    if (record->state >= ConnectionState::kClosing) drop_views(*record);
  }
  views_may_be_done();
}

// What became of a write. The queue and the views lose what was taken; the rest waits.
void ConnectionTable::settle(ConnectionId id, Record& record, IoResult result) {
  if (record.state >= ConnectionState::kClosing) return;
  if (result.status == IoStatus::kError) return close_on_error(id, result.error);
  const size_t taken = result.status == IoStatus::kOk ? result.bytes : 0;
  stats_.written_bytes += taken;
  const size_t of_queue = taken - consume_views(record, taken);
  queue_views(record);
  Extension* extra = extension(record);
  if (extra != nullptr && of_queue > 0) {
    extra->output.consume(chunks_, of_queue);
    stats_.queued_output_bytes -= of_queue;
  }
  if (extra == nullptr || extra->output.empty()) return output_left(id, record);
  output_waits(id, record);
}

void ConnectionTable::output_left(ConnectionId id, Record& record) {
  stream_of(record).write_off(record.end);
  if (record.state == ConnectionState::kDraining) return close(id, record.reason, record.error);
  release_idle_extension(record);
  check_watermarks(id, record);
  if (record.output_ending && !record.output_ended) {
    record.output_ended = true;
    if (const Status sent = loop_.os().shutdown_write(record.end.fd); !sent) {
      return close_on_error(id, sent.error().code);
    }
    if (record.end_announced) return close(id, CloseReason::kPeerClosed);
  }
  if (!record.output_waited) return;
  record.output_waited = false;
  handler(record).on_drained(handle(id));
}

// Not all was taken: the kernel is full, or there were more pieces than one write gathers. Both
// times the next attempt follows Writable, so that one connection with much to say does not keep
// the others from their turn.
void ConnectionTable::output_waits(ConnectionId id, Record& record) {
  record.kernel_full = true;
  record.output_waited = true;
  if (const Status waiting = stream_of(record).write_on(record.end, id); !waiting) {
    return close(id, CloseReason::kSystemError, waiting.error().code);
  }
  check_watermarks(id, record);
}

// Above the high watermark reading pauses at once; the handler is told by the next flush, where
// callbacks are expected, if it is still so.
void ConnectionTable::check_watermarks(ConnectionId id, Record& record) {
  const Extension* extra = extension(record);
  const size_t queued = extra == nullptr ? 0 : extra->output.bytes();
  const bool above = (record.pauses & uint8_t(PauseReason::kOutput)) != 0;
  if (!above && queued > options_.high_watermark) {
    record.watermark_due = true;
    return pause(id, PauseReason::kOutput);
  }
  if (above && queued <= options_.low_watermark) {
    record.watermark_due = false;
    return resume(id, PauseReason::kOutput);
  }
}

void ConnectionTable::tell_watermark(ConnectionId id, Record& record) {
  if (!record.watermark_due || record.state != ConnectionState::kOpen) return;
  record.watermark_due = false;
  handler(record).on_high_watermark(handle(id));
}

// --- views

// How many of the first `count` bytes were views.
size_t ConnectionTable::consume_views(Record& record, size_t count) {
  size_t consumed = 0;
  while (record.first_view != kNoIndex) {
    PendingView& first = views_[record.first_view];
    const size_t part = std::min(first.bytes.size(), count - consumed);
    first.bytes.remove_prefix(part);
    consumed += part;
    if (!first.bytes.empty()) break;
    record.first_view = first.next;
    --views_pending_;
  }
  return consumed;
}

// The views that are left, to the front of the queue, in order.
void ConnectionTable::queue_views(Record& record) {
  if (record.first_view == kNoIndex) return;
  OutQueue behind;
  Extension& extra = need_extension(record);
  std::swap(behind, extra.output);
  for (uint32_t i = record.first_view; i != kNoIndex; i = views_[i].next) {
    extra.output.append(chunks_, views_[i].bytes);
    stats_.queued_output_bytes += views_[i].bytes.size();
  }
  extra.output.splice(behind);
  drop_views(record);
}

void ConnectionTable::drop_views(Record& record) {
  for (; record.first_view != kNoIndex; record.first_view = views_[record.first_view].next) {
    --views_pending_;
  }
}

void ConnectionTable::views_may_be_done() {
  if (views_pending_ != 0 || !std::exchange(views_handed_in_, false)) return;
  views_.clear();
  if (on_flushed_) on_flushed_();
}

}  // namespace ae
