// Who has been silent for too long? Idle timeouts and application heartbeats for a million
// connections, at the price of one store per activity.
//
// TCP keepalive (socket_options.h) is answered by the kernel of a hung process. Whether the process
// still answers can only be asked in its own protocol: after `probe_after` of silence on_probe asks
// (sends a PING), again every `probe_interval`; after `max_misses` probes without any activity
// on_lost. Any activity counts as an answer. Independent of that, on_idle comes after
// `idle_timeout` without activity.
//
//   buckets_  [0] [1] [2] ... [n-1]       one per `resolution`, a ring; the hand moves on with time
//              |       |
//             #7      #3 -> #12           entries: chains of slot numbers, through
//             entries_[slot].next and .before
//
// activity() only stamps the entry with the present tick. An entry stays in its bucket until the
// hand comes by; if it was active meanwhile it moves on to where it would now be due, else its time
// has come. So each connection is looked at about once per timeout and never otherwise: the "lazy"
// timing wheel. (Wheels: G. Varghese and A. Lauck, SOSP 1987.)
//
// Each connection may have terms of its own (track with HeartbeatTerms): how long until it is
// asked, and how often in vain. And an application that notes the time of the last input itself
// need not call activity() at all: last_heard() is asked when the hand comes by, so the path of the
// bytes pays nothing.
//
// The wheel keeps its bytes per slot up to the highest. Where few of many connections are tracked,
// let them be tracked under ids from a small SlotMap of their own; to the wheel an id is only a
// slot and a generation.
//
// Invariant: an entry is in exactly one chain while its connection is tracked, and no later than it
// is due.
//
// Costs: activity, track, forget O(1), no allocation but for new slots; 20 bytes per slot. A hand's
// visit is cut into slices of kMaxVisitsPerTick, so that a million connections that came in one
// second do not go through in one tick.
//
// Callbacks may do anything, including closing the connection and forget(). A connection that was
// told on_idle or on_lost and lives on starts afresh. Thread: the loop's. Dies before the loop.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ae/core/event_loop.h"
#include "ae/net/connection.h"

namespace ae {

struct HeartbeatOptions {
  // The time between two moves of the hand. Nothing comes early, and at most two of these late.
  Nanoseconds resolution = Seconds(1);
  Nanoseconds idle_timeout{0};    // 0: none
  Nanoseconds probe_after{0};     // 0: no probes
  Nanoseconds probe_interval{0};  // 0: as probe_after
  uint32_t max_misses = 3;
};

// Of one connection. Rounded up to the resolution; at most kMaxTermTicks of them, 255 misses.
struct HeartbeatTerms {
  Nanoseconds interval{0};  // until the first probe, and between probes
  uint32_t max_misses = 3;
};

class HeartbeatHandler {
 public:
  // When input came last, for applications that do not call activity(). Asked once a visit.
  // Must not call the wheel.
  virtual std::optional<TimePoint> last_heard(ConnectionId) { return std::nullopt; }
  virtual void on_idle(ConnectionId id) = 0;
  // The misses-th probe is due; 1 is the first.
  virtual void on_probe(ConnectionId id, uint32_t misses) = 0;
  virtual void on_lost(ConnectionId id) = 0;

 protected:
  ~HeartbeatHandler() = default;
};

class Heartbeat {
 public:
  // A visit costs some 20 ns when the entry only moves on: 16 Ki of them a third of a millisecond.
  static constexpr size_t kMaxVisitsPerTick = 16 * 1024;
  // 18 hours of seconds: what two bytes of an entry hold.
  static constexpr uint32_t kMaxTermTicks = UINT16_MAX - 1;

  Heartbeat(EventLoop& loop, HeartbeatHandler& handler, HeartbeatOptions options);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  // From now on; for one that is tracked already this is activity().
  void track(ConnectionId id);
  // With terms of its own; for one that is tracked already they replace the former.
  void track(ConnectionId id, HeartbeatTerms terms);
  // Bytes came from the peer. Ids that are not tracked are ignored.
  void activity(ConnectionId id) {
    if (id.slot >= entries_.size() || entries_[id.slot].generation != id.generation) return;
    entries_[id.slot].stamp = current_tick();
    entries_[id.slot].misses = 0;
  }
  void forget(ConnectionId id);
  size_t tracked() const { return tracked_; }
  uint64_t visits() const { return visits_; }

 private:
  static constexpr uint32_t kEnd = UINT32_MAX;  // of a chain
  static constexpr uint32_t kFirst = 1u << 31;  // `before` of a chain's first: its bucket, and this

  struct Entry {
    uint32_t next = kEnd;
    uint32_t before = kEnd;   // kEnd: in no chain
    uint32_t generation = 0;  // 0: not tracked
    uint32_t stamp = 0;       // tick of the last activity
    uint16_t own_ticks = 0;   // interval of its own terms; 0: the wheel's terms
    uint8_t own_max_misses = 0;
    uint8_t misses = 0;  // probes without an answer
  };
  static_assert(sizeof(Entry) == 20);

  // By the loop's clock, which may have slept past the next tick before the hand could move.
  uint32_t current_tick() {
    if (loop_.now() >= next_tick_) advance_tick();
    return tick_;
  }
  void advance_tick();
  uint32_t to_ticks(Nanoseconds time) const;
  uint32_t first_probe(const Entry& entry) const;
  uint32_t ticks_until_due(const Entry& entry) const;
  Entry& enter(ConnectionId id);
  void hear(ConnectionId id, Entry& entry);
  void link(uint32_t slot, uint32_t ticks_ahead);
  void unlink(uint32_t slot);
  uint32_t& next_of(uint32_t before) {
    return (before & kFirst) != 0 ? buckets_[before & ~kFirst] : entries_[before].next;
  }
  void move_hand();
  void visit_due();
  void visit(uint32_t slot);
  void expire(ConnectionId id, Entry& entry);

  EventLoop& loop_;
  HeartbeatHandler& handler_;
  uint32_t idle_ticks_ = 0, probe_ticks_ = 0, interval_ticks_ = 0;
  const uint32_t max_misses_;
  const Nanoseconds resolution_;

  std::vector<Entry> entries_;     // by connection slot
  std::vector<uint32_t> buckets_;  // first slot of each chain
  TimePoint start_, next_tick_;
  uint32_t tick_ = 0;  // time in units of the resolution, as of the last move of the hand
  uint32_t hand_ = 0;  // tick whose bucket is being emptied
  size_t tracked_ = 0;
  uint64_t visits_ = 0;
  TimerId timer_, slice_timer_;
};

}  // namespace ae
