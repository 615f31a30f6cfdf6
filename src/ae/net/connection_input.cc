// The input half of the table: from a readable descriptor, or bytes pushed up, to on_data; and what
// becomes of the bytes that on_data leaves.
//
// There are three places where presented bytes can lie, and one rule for each:
//   the scratch          the usual case. A small half packet kept from before is copied in front of
//                        the read, so that on_data sees one piece
//   the connection's     where the half packet is large, or the parser asked for much: the kernel
//   own block            copies straight behind it, and nothing is copied twice
//   a provided buffer    by completions, and nothing was kept
// What is left unconsumed goes to the connection's own block in all three.
#include <algorithm>
#include <utility>

#include "ae/base/assert.h"
#include "ae/net/connection_table.h"

namespace ae {
namespace {

// A half packet up to this size travels through the scratch: copying 16 KiB costs about as much as
// the second system call that reading into its own block would take for what comes behind it.
constexpr size_t kSmallKeptBytes = 16 * 1024;

// A read with less room than this is not worth its system call; then the held input is run first.
constexpr size_t kLeastRoomBytes = 16 * 1024;

// Provided buffers held at once. They come from a ring of the poller's, which the receives of all
// connections live on; past this many the batch is run early.
constexpr size_t kMaxHeldBuffers = 256;

// The two sizes above, for a scratch that is smaller than usual (a test's).
size_t scaled(size_t bytes, size_t scratch_bytes) {
  return std::min(bytes, scratch_bytes / 4);
}

constexpr uint8_t kAllButBlocked = uint8_t(~uint8_t(PauseReason::kBlocked));

bool reads_on(const ConnectionRecord& record) {
  return record.state == ConnectionState::kOpen && !record.input_ended &&
         (record.pauses & kAllButBlocked) == 0;
}

Bytes view(MutableBytes bytes) {
  return {bytes.data(), bytes.size()};
}

}  // namespace

// --- reading, by readiness

void ConnectionTable::on_readable(ConnectionId id, Record& record, Events ready) {
  if (record.state == ConnectionState::kDraining) return discard_input(id, record);
  if (reads_on(record)) return read_turn(id, record, ready);
  stream_of(record).read_off(record.end, id);  // paused, and the peer sends all the same
}

// One turn: until the kernel has no more (a short read says so without a second call) or the budget
// is spent. Where the loop knows that FIN is there, it is fetched in the same turn.
void ConnectionTable::read_turn(ConnectionId id, Record& record, Events ready) {
  size_t budget = options_.read_budget;
  while (budget > 0 && reads_on(record)) {
    const InputRoom room = make_room(record, budget);
    if (room.bytes.empty()) return stream_of(record).read_off(record.end, id);
    const IoResult got = stream_of(record).read(record.end, room.bytes);
    ++stats_.reads;
    if (got.status == IoStatus::kWouldBlock) return;
    if (got.status == IoStatus::kEnd) return end_input(id, record);
    if (got.status == IoStatus::kError) return close_on_error(id, got.error);
    stats_.read_bytes += got.bytes;
    budget -= got.bytes;
    accept_input(id, record, room, got.bytes);
    if (got.bytes < room.bytes.size() && !any(ready & Events::kHalfClosed)) return;
  }
}

ConnectionTable::InputRoom ConnectionTable::make_room(Record& record, size_t most) {
  const size_t small = scaled(kSmallKeptBytes, scratch_.capacity());
  const Extension* extra = extension(record);
  const size_t kept = extra == nullptr ? 0 : extra->input.size();
  const size_t wanted = extra == nullptr ? 0 : extra->keep_at_least;
  // Read ahead while blocked is bounded: nobody consumes it.
  if (record.pauses != 0 && kept >= options_.read_budget) return {};
  if (kept > small || wanted > small) {
    KeptInput& block = need_extension(record).input;
    kept_capacity_ -= block.capacity();
    const MutableBytes behind = block.room(most, wanted, held_);
    kept_capacity_ += block.capacity();
    return {behind, 0, true};
  }
  const MutableBytes room = room_behind_held(kept);
  // on_input_full may have called anything, even for this connection.
  if (!reads_on(record)) return {};
  extra = extension(record);
  const size_t kept_now = extra == nullptr ? 0 : extra->input.size();
  if (kept_now != kept) return make_room(record, most);  // at most once more: nothing is held now
  if (kept > 0) {
    const MutableBytes half = extensions_.at(record.extension).input.bytes();
    std::copy(half.begin(), half.end(), room.begin());
  }
  return {room.subspan(kept, std::min(most, room.size() - kept)), kept, false};
}

// What the scratch has behind the bytes that are held: enough for a read behind `kept` bytes.
MutableBytes ConnectionTable::room_behind_held(size_t kept) {
  const size_t least = kept + scaled(kLeastRoomBytes, scratch_.capacity());
  if (scratch_.room().size() < least) input_full();
  AE_ASSERT(scratch_.room().size() >= least);  // on_input_full must release
  return scratch_.room();
}

void ConnectionTable::input_full() {
  AE_ASSERT(on_input_full_);  // who holds input must be able to run its batch early
  on_input_full_();
}

void ConnectionTable::accept_input(ConnectionId id, Record& record, const InputRoom& room,
                                   size_t count) {
  if (room.in_block) {
    Extension& extra = extensions_.at(record.extension);
    extra.input.commit(count);
    stats_.kept_input_bytes += count;
    if (extra.input.size() > options_.max_kept_input) return close(id, CloseReason::kInputLimit);
    if (may_present(record, extra.input.size())) present_kept(id, record);
    return;
  }
  const MutableBytes fresh = room.bytes.first(count);
  if (!may_present(record, room.kept_before + count)) return keep(id, record, view(fresh));
  held_.retire(take_kept(record));  // its copy stands in front
  present_scratch(id, record, {fresh.data() - room.kept_before, room.kept_before + count});
}

// While output drains, input is taken from the kernel and dropped: see close_after_flush.
void ConnectionTable::discard_input(ConnectionId id, Record& record) {
  char dropped[4096];
  size_t budget = options_.read_budget;
  while (budget > 0) {
    const IoResult got =
        stream_of(record).read(record.end, {dropped, std::min(sizeof(dropped), budget)});
    ++stats_.reads;
    if (got.status == IoStatus::kWouldBlock) return;
    if (got.status == IoStatus::kError) return close_on_error(id, got.error);
    if (got.status == IoStatus::kEnd) return end_input(id, record);
    stats_.read_bytes += got.bytes;
    budget -= got.bytes;
    if (got.bytes < sizeof(dropped)) return;
  }
}

// --- pushed up, by completions

void ConnectionTable::on_pushed(ConnectionId id, MutableBytes data, uint16_t buffer) {
  ++stats_.reads;
  stats_.read_bytes += data.size();
  Record* record = records_.find(id);
  hold_asked_ = false;
  if (record != nullptr && record->state == ConnectionState::kOpen) {
    take_pushed(id, *record, data);
  }
  if (!std::exchange(hold_asked_, false)) return stream_->recycle(buffer);
  held_buffers_.push_back(buffer);
  if (held_buffers_.size() >= kMaxHeldBuffers) input_full();
}

void ConnectionTable::take_pushed(ConnectionId id, Record& record, MutableBytes data) {
  const Extension* extra = extension(record);
  const size_t kept = extra == nullptr ? 0 : extra->input.size();
  if (kept == 0 && may_present(record, data.size())) {
    const size_t consumed = call_on_data(id, record, data);
    keep(id, record, view(data.subspan(consumed)));
    release_idle_extension(record);
    return;
  }
  keep(id, record, view(data));
  if (may_present(record, kept + data.size())) {
    present_kept(id, record);
    hold_asked_ = false;  // the block is held, not this buffer
  }
  if (record.state == ConnectionState::kOpen && record.pauses != 0 &&
      (!reads_on(record) || kept + data.size() >= options_.read_budget)) {
    stream_of(record).read_off(record.end, id);
  }
}

void ConnectionTable::on_push_ended(ConnectionId id, IoResult why) {
  Record* record = records_.find(id);
  if (record == nullptr || record->state >= ConnectionState::kClosing) return;
  if (why.status == IoStatus::kError) return close_on_error(id, why.error);
  end_input(id, *record);
}

// --- presenting

bool ConnectionTable::may_present(const Record& record, size_t bytes) const {
  if (record.state != ConnectionState::kOpen || record.pauses != 0) return false;
  const Extension* extra = extension(record);
  return extra == nullptr || bytes >= extra->keep_at_least;
}

size_t ConnectionTable::call_on_data(ConnectionId id, Record& record, MutableBytes data) {
  AE_ASSERT(!std::exchange(presenting_, true));
  if (Extension* extra = extension(record)) extra->keep_at_least = 0;
  hold_asked_ = false;
  const InputScope parsing(loop_.account(), data.size());
  const size_t consumed = handler(record).on_data(handle(id), data);
  AE_ASSERT(consumed <= data.size());
  presenting_ = false;
  return consumed;
}

void ConnectionTable::present_scratch(ConnectionId id, Record& record, MutableBytes data) {
  const size_t consumed = call_on_data(id, record, data);
  if (hold_asked_) scratch_.hold_until(data.data() + consumed);
  keep(id, record, view(data.subspan(consumed)));
  release_idle_extension(record);
}

// The block is taken out for the call: unread() inside it starts a new one, which goes first.
void ConnectionTable::present_kept(ConnectionId id, Record& record) {
  KeptInput block = take_kept(record);
  const size_t consumed = call_on_data(id, record, block.bytes());
  if (hold_asked_) held_.hold(block);
  block.consume(consumed);
  const Extension* extra = extension(record);
  const bool started_anew = extra != nullptr && !extra->input.empty();
  if (record.state != ConnectionState::kOpen || block.empty()) {
    held_.retire(std::move(block));
  } else if (started_anew) {
    keep(id, record, view(block.bytes()));
    held_.retire(std::move(block));
  } else {
    put_kept(record, std::move(block));
  }
  release_idle_extension(record);
}

size_t ConnectionTable::deliver_resumed() {
  size_t calls = 0;
  AE_ASSERT(resuming_.empty());
  resuming_.swap(resume_list_);
  for (const ConnectionId id : resuming_) {
    Record* record = records_.find(id);
    if (record == nullptr) continue;
    record->in_resume_list = false;
    const Extension* extra = extension(*record);
    if (extra == nullptr || extra->input.empty()) continue;
    if (!may_present(*record, extra->input.size())) continue;
    present_kept(id, *record);
    ++calls;
  }
  resuming_.clear();
  return calls;
}

void ConnectionTable::schedule_present(ConnectionId id, Record& record) {
  const Extension* extra = extension(record);
  if (extra == nullptr || extra->input.empty() || record.in_resume_list) return;
  record.in_resume_list = true;
  resume_list_.push_back(id);
}

// --- keeping

void ConnectionTable::keep(ConnectionId id, Record& record, Bytes bytes) {
  if (bytes.empty() || record.state != ConnectionState::kOpen) return;
  Extension& extra = need_extension(record);
  if (extra.input.size() + bytes.size() > options_.max_kept_input) {
    return close(id, CloseReason::kInputLimit);
  }
  kept_capacity_ -= extra.input.capacity();
  extra.input.append(bytes, held_);
  kept_capacity_ += extra.input.capacity();
  stats_.kept_input_bytes += bytes.size();
}

KeptInput ConnectionTable::take_kept(Record& record) {
  Extension* extra = extension(record);
  if (extra == nullptr) return {};
  stats_.kept_input_bytes -= extra->input.size();
  kept_capacity_ -= extra->input.capacity();
  return std::move(extra->input);
}

void ConnectionTable::put_kept(Record& record, KeptInput block) {
  stats_.kept_input_bytes += block.size();
  kept_capacity_ += block.capacity();
  need_extension(record).input = std::move(block);
}

void ConnectionTable::unread(ConnectionId id, Bytes bytes) {
  Record* record = records_.find(id);
  if (record == nullptr || record->state != ConnectionState::kOpen || bytes.empty()) return;
  KeptInput behind = take_kept(*record);
  if (Extension* extra = extension(*record)) extra->keep_at_least = 0;  // it counted from elsewhere
  keep(id, *record, bytes);
  keep(id, *record, view(behind.bytes()));
  held_.retire(std::move(behind));
  if (record->state == ConnectionState::kOpen && record->pauses == 0) {
    schedule_present(id, *record);
  }
}

void ConnectionTable::keep_at_least(ConnectionId id, size_t bytes) {
  Record* record = records_.find(id);
  if (record == nullptr || record->state != ConnectionState::kOpen) return;
  if (bytes > options_.max_kept_input) return close(id, CloseReason::kInputLimit);
  if (bytes == 0 && record->extension == kNoIndex) return;
  need_extension(*record).keep_at_least = bytes;
}

// --- holding

void ConnectionTable::hold_input() {
  AE_ASSERT(presenting_);
  hold_asked_ = true;
}

void ConnectionTable::release_input() {
  AE_ASSERT(!presenting_);
  scratch_.release();
  held_.release();
  for (const uint16_t buffer : held_buffers_) stream_->recycle(buffer);
  held_buffers_.clear();
}

// --- FIN

// Level-triggered readiness would report the FIN for ever: interest ends with it.
void ConnectionTable::end_input(ConnectionId id, Record& record) {
  record.input_ended = true;
  stream_of(record).read_off(record.end, id);
  if (record.state != ConnectionState::kOpen) return;
  schedule_end(id, record);
}

void ConnectionTable::schedule_end(ConnectionId id, Record& record) {
  if (!record.input_ended || record.end_announced || record.in_end_list) return;
  record.in_end_list = true;
  end_list_.push_back(id);
}

void ConnectionTable::announce_ends() {
  ending_.swap(end_list_);
  for (const ConnectionId id : ending_) {
    if (Record* record = records_.find(id)) announce_end(id, *record);
  }
  ending_.clear();
}

// Behind everything that was read: not while kept input waits for its turn, nor while paused.
void ConnectionTable::announce_end(ConnectionId id, Record& record) {
  record.in_end_list = false;
  if (record.state != ConnectionState::kOpen || record.end_announced) return;
  if (record.pauses == uint8_t(PauseReason::kBlocked)) {
    return handler(record).on_hang_up(handle(id));
  }
  if (record.pauses != 0) return;  // resume() puts it on the list again
  if (record.in_resume_list) return schedule_end(id, record);
  record.end_announced = true;
  if (record.output_ended) return close(id, CloseReason::kPeerClosed);
  handler(record).on_half_closed(handle(id));
}

size_t ConnectionTable::kept_input(ConnectionId id) const {
  const Record* record = records_.find(id);
  const Extension* extra = record == nullptr ? nullptr : extension(*record);
  return extra == nullptr ? 0 : extra->input.size();
}

size_t ConnectionTable::kept_room(ConnectionId id) const {
  const Record* record = records_.find(id);
  const Extension* extra = record == nullptr ? nullptr : extension(*record);
  return extra == nullptr ? 0 : extra->input.capacity() - extra->input.size();
}

}  // namespace ae
