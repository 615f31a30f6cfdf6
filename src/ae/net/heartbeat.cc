#include "ae/net/heartbeat.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "ae/base/assert.h"

namespace ae {
namespace {

// A ring of one bucket per tick up to the longest timeout, but not longer than this: what is due
// beyond it is looked at once per turn of the ring. A power of two, so that ticks may wrap.
constexpr uint32_t kMaxBuckets = 4096;

}  // namespace

Heartbeat::Heartbeat(EventLoop& loop, HeartbeatHandler& handler, HeartbeatOptions options)
    : loop_(loop),
      handler_(handler),
      max_misses_(options.max_misses),
      resolution_(options.resolution),
      start_(loop.now()) {
  AE_ASSERT(options.resolution > Nanoseconds::zero());
  // One tick more: a stamp may be nearly a tick younger than it says.
  if (options.idle_timeout.count() > 0) idle_ticks_ = to_ticks(options.idle_timeout) + 1;
  if (options.probe_after.count() > 0) probe_ticks_ = to_ticks(options.probe_after) + 1;
  interval_ticks_ = std::max(
      1u,
      to_ticks(options.probe_interval.count() != 0 ? options.probe_interval : options.probe_after));
  AE_ASSERT(idle_ticks_ != 0 || probe_ticks_ != 0);
  const uint32_t longest = std::max({idle_ticks_, probe_ticks_, interval_ticks_});
  buckets_.assign(std::min(std::bit_ceil(longest + 1), kMaxBuckets), kEnd);
  advance_tick();
  timer_ = loop_.add_periodic(resolution_, [this] { move_hand(); });
}

Heartbeat::~Heartbeat() {
  loop_.cancel(timer_);
  loop_.cancel(slice_timer_);
}

// Rounded up.
uint32_t Heartbeat::to_ticks(Nanoseconds time) const {
  if (time <= Nanoseconds::zero()) return 0;
  const auto ticks = (time + resolution_ - Nanoseconds(1)) / resolution_;
  return uint32_t(std::min<int64_t>(ticks, INT32_MAX / 2));
}

void Heartbeat::track(ConnectionId id) {
  AE_ASSERT(id.valid() && id.slot < kNotLinked);
  if (id.slot >= entries_.size()) {
    entries_.resize(std::max<size_t>(id.slot + 1, entries_.size() * 2));
  }
  Entry& entry = entries_[id.slot];
  if (entry.generation == 0) ++tracked_;
  entry.generation = id.generation;
  entry.stamp = current_tick();
  entry.misses = 0;
  if (entry.next == kNotLinked) link(id.slot, ticks_until_due(entry));
}

void Heartbeat::forget(ConnectionId id) {
  if (id.slot >= entries_.size() || entries_[id.slot].generation != id.generation) return;
  entries_[id.slot].generation = 0;
  --tracked_;
}

// From now; 0 when it is due.
uint32_t Heartbeat::ticks_until_due(const Entry& entry) const {
  uint32_t due = UINT32_MAX;
  if (idle_ticks_ != 0) due = idle_ticks_;
  if (probe_ticks_ != 0) {
    const uint64_t probe = probe_ticks_ + uint64_t(interval_ticks_) * entry.misses;
    due = uint32_t(std::min<uint64_t>(due, probe));
  }
  const uint32_t silence = tick_ - entry.stamp;
  return due > silence ? due - silence : 0;
}

void Heartbeat::link(uint32_t slot, uint32_t ticks_ahead) {
  // Never further than the next probe of one that answers: activity() does not move what is linked.
  if (probe_ticks_ != 0) ticks_ahead = std::min(ticks_ahead, probe_ticks_);
  // Between the next bucket and the last before the hand comes round.
  const auto ring = uint32_t(buckets_.size());
  const uint32_t ahead = std::clamp(tick_ - hand_ + ticks_ahead, 1u, ring - 1);
  uint32_t& first = buckets_[(hand_ + ahead) % ring];
  entries_[slot].next = first;
  first = slot;
}

// --- the hand

void Heartbeat::advance_tick() {
  const auto ticks = (loop_.now() - start_) / resolution_;
  tick_ = uint32_t(ticks);
  next_tick_ = start_ + (ticks + 1) * resolution_;
}

void Heartbeat::move_hand() {
  advance_tick();
  // After a long sleep of the machine one turn of the ring meets everybody.
  const auto ring = uint32_t(buckets_.size());
  if (tick_ - hand_ > ring) hand_ = tick_ - ring;
  visit_due();
}

void Heartbeat::visit_due() {
  size_t budget = kMaxVisitsPerTick;
  while (budget > 0) {
    if (due_ == kEnd) {
      if (hand_ == tick_) return;
      ++hand_;
      due_ = std::exchange(buckets_[hand_ % buckets_.size()], kEnd);
      continue;
    }
    const uint32_t slot = due_;
    due_ = std::exchange(entries_[slot].next, kNotLinked);
    visit(slot);
    --budget;
  }
  if (slice_timer_.valid()) return;
  slice_timer_ = loop_.add_timer(Nanoseconds::zero(), [this] {
    slice_timer_ = {};
    visit_due();
  });
}

void Heartbeat::visit(uint32_t slot) {
  ++visits_;
  Entry& entry = entries_[slot];
  if (entry.generation == 0) return;
  const uint32_t ahead = ticks_until_due(entry);
  if (ahead > 0) return link(slot, ahead);
  expire({slot, entry.generation}, entry);
}

void Heartbeat::expire(ConnectionId id, Entry& entry) {
  const bool idle = idle_ticks_ != 0 && tick_ - entry.stamp >= idle_ticks_;
  const bool lost = !idle && entry.misses >= max_misses_;
  if (idle || lost) {
    entry.stamp = tick_;
    entry.misses = 0;
  } else {
    ++entry.misses;
  }
  const uint32_t misses = entry.misses;
  link(id.slot, ticks_until_due(entry));  // before the call, which may track anew or forget
  if (idle) return handler_.on_idle(id);
  if (lost) return handler_.on_lost(id);
  handler_.on_probe(id, misses);
}

}  // namespace ae
