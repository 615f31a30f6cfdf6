// Timers, ordered by deadline: a heap with four children per node.
//
//   heap_      [ deadline | slot ]  16 bytes; four siblings are 64 bytes in a row
//   timers_    slot -> callback, interval, position in the heap
//
// Invariants: a parent is due no later than its children; timers_[heap_[i].slot].position == i.
//
// Four children instead of two halve the depth, and the extra comparisons touch memory that was
// fetched anyway (D. B. Johnson's d-ary heap, 1975; the layout is A. LaMarca and R. Ladner's, "The
// influence of caches on the performance of heaps", 1996). The position makes cancel exact: no dead
// entries to wade through.
//
// Costs: add and cancel O(log4 n), next deadline O(1); 16 bytes in the heap and 60 in the table per
// timer. For the timeouts of very many connections, which are nearly always cancelled or moved, a
// wheel with a stamp per activity is the tool (ae/net/heartbeat.h), not a timer each.
//
// Timers with equal deadlines run in the order they were added.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "ae/base/callback.h"
#include "ae/base/clock.h"
#include "ae/base/slot_map.h"

namespace ae {

// Names one timer; stale once it has run (a periodic one: once it was cancelled).
struct TimerId {
  uint32_t slot = 0;
  uint32_t generation = 0;  // 0 names nothing
  bool valid() const { return generation != 0; }
  friend bool operator==(TimerId, TimerId) = default;
};

class TimerQueue {
 public:
  // Run per tick, so that ten thousand due at once do not keep the sockets waiting: the rest is due
  // in the next tick, which does not block. At a microsecond each a tick then grows by a
  // millisecond.
  static constexpr size_t kMaxRunsPerTick = 1024;

  // `interval` zero: once. Otherwise again `interval` after each deadline; deadlines already missed
  // by the time it runs are skipped.
  TimerId add(TimePoint deadline, Nanoseconds interval, Callback<void()> callback);
  // False if the timer is gone. A callback may cancel its own timer and any other.
  bool cancel(TimerId id);

  // Nothing where there are no timers.
  std::optional<TimePoint> next_deadline() const;
  // Runs what is due at `now`, but nothing that was added by a callback of this very call. Returns
  // how many ran.
  size_t run_due(TimePoint now);
  size_t size() const { return heap_.size(); }

 private:
  static constexpr size_t kChildren = 4;
  static constexpr size_t kRunning = SIZE_MAX;  // a position: not in the heap, its callback runs

  struct Node {
    TimePoint deadline;
    uint32_t slot;
    uint32_t order;  // of adding, modulo 2^32; breaks ties
  };
  struct Timer {
    Callback<void()> callback;
    Nanoseconds interval;
    size_t position;
  };

  static bool before(const Node& a, const Node& b) {
    if (a.deadline != b.deadline) return a.deadline < b.deadline;
    return static_cast<int32_t>(a.order - b.order) < 0;
  }

  void place(size_t position, Node node);
  void sift_up(size_t position, Node node);
  void sift_down(size_t position, Node node);
  size_t first_child(size_t parent) const;
  void push(TimePoint deadline, uint32_t slot);
  void remove_at(size_t position);
  void run_top(TimePoint now);

  std::vector<Node> heap_;
  SlotMap<Timer, TimerId> timers_;
  uint32_t next_order_ = 0;
};

}  // namespace ae
