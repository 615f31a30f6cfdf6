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
  AE_ASSERT(options.max_misses <= UINT8_MAX);
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
  Entry& entry = enter(id);
  entry.own_ticks = 0;
  link(id.slot, ticks_until_due(entry));
}

void Heartbeat::track(ConnectionId id, HeartbeatTerms terms) {
  AE_ASSERT(terms.interval > Nanoseconds::zero() && terms.max_misses <= UINT8_MAX);
  AE_ASSERT(to_ticks(terms.interval) < kMaxTermTicks);
  Entry& entry = enter(id);
  entry.own_ticks = uint16_t(to_ticks(terms.interval) + 1);  // one more: see the constructor
  entry.own_max_misses = uint8_t(terms.max_misses);
  link(id.slot, ticks_until_due(entry));
}

Heartbeat::Entry& Heartbeat::enter(ConnectionId id) {
  AE_ASSERT(id.valid() && id.slot < kFirst);
  if (id.slot >= entries_.size()) {
    entries_.resize(std::max<size_t>(id.slot + 1, entries_.size() * 2));
  }
  Entry& entry = entries_[id.slot];
  if (entry.generation == 0) {
    ++tracked_;
  } else {
    unlink(id.slot);
  }
  entry.generation = id.generation;
  entry.stamp = current_tick();
  entry.misses = 0;
  return entry;
}

void Heartbeat::forget(ConnectionId id) {
  if (id.slot >= entries_.size() || entries_[id.slot].generation != id.generation) return;
  entries_[id.slot].generation = 0;
  unlink(id.slot);
  --tracked_;
}

// Ticks of silence until the first probe; 0: no probes.
uint32_t Heartbeat::first_probe(const Entry& entry) const {
  return entry.own_ticks != 0 ? entry.own_ticks : probe_ticks_;
}

// From now; 0 when it is due.
uint32_t Heartbeat::ticks_until_due(const Entry& entry) const {
  uint32_t due = UINT32_MAX;
  if (idle_ticks_ != 0) due = idle_ticks_;
  if (first_probe(entry) != 0) {
    const uint32_t interval = entry.own_ticks != 0 ? entry.own_ticks - 1u : interval_ticks_;
    const uint64_t probe = first_probe(entry) + uint64_t(interval) * entry.misses;
    due = uint32_t(std::min<uint64_t>(due, probe));
  }
  const uint32_t silence = tick_ - entry.stamp;
  return due > silence ? due - silence : 0;
}

void Heartbeat::link(uint32_t slot, uint32_t ticks_ahead) {
  // Never further than the next probe of one that answers: activity() does not move what is linked.
  const uint32_t probe = first_probe(entries_[slot]);
  if (probe != 0) ticks_ahead = std::min(ticks_ahead, probe);
  // Between the next bucket and the last before the hand comes round.
  const auto ring = uint32_t(buckets_.size());
  const uint32_t ahead = std::clamp(tick_ - hand_ + ticks_ahead, 1u, ring - 1);
  const uint32_t bucket = (hand_ + ahead) % ring;
  const uint32_t second = std::exchange(buckets_[bucket], slot);
  entries_[slot].next = second;
  entries_[slot].before = kFirst | bucket;
  if (second != kEnd) entries_[second].before = slot;
}

void Heartbeat::unlink(uint32_t slot) {
  Entry& entry = entries_[slot];
  if (entry.before == kEnd) return;  // under the hand
  next_of(entry.before) = entry.next;
  if (entry.next != kEnd) entries_[entry.next].before = entry.before;
  entry.next = entry.before = kEnd;
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
    const uint32_t slot = buckets_[hand_ % buckets_.size()];
    if (slot == kEnd) {
      if (hand_ == tick_) return;
      ++hand_;
      continue;
    }
    unlink(slot);
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
  hear({slot, entry.generation}, entry);
  const uint32_t ahead = ticks_until_due(entry);
  if (ahead > 0) return link(slot, ahead);
  expire({slot, entry.generation}, entry);
}

// What the application has noted since the stamp.
void Heartbeat::hear(ConnectionId id, Entry& entry) {
  const std::optional<TimePoint> heard = handler_.last_heard(id);
  if (!heard || *heard < start_) return;
  const auto tick = uint32_t((std::min(*heard, loop_.now()) - start_) / resolution_);
  if (int32_t(tick - entry.stamp) <= 0) return;
  entry.stamp = tick;
  entry.misses = 0;
}

void Heartbeat::expire(ConnectionId id, Entry& entry) {
  const bool idle = idle_ticks_ != 0 && tick_ - entry.stamp >= idle_ticks_;
  const uint32_t most = entry.own_ticks != 0 ? entry.own_max_misses : max_misses_;
  const bool lost = !idle && entry.misses >= most;
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
