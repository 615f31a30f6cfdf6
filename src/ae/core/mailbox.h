// Closures for a loop from other threads: a bounded queue of many producers and one consumer.
//
// A ring of cells, each with a sequence number that says whose turn the cell is (D. Vyukov,
// "Bounded MPMC queue", 1024cores.net, 2010; here with a single consumer, which then needs no
// atomic of its own). For the cell of position p in a ring of n:
//
//     sequence == p          free: the producer that takes ticket p may write it
//     sequence == p + 1      filled: the consumer at p may take it
//     sequence == p + n      free again, for ticket p + n
//
// Producers take tickets by compare-and-swap and never wait for each other. A producer that is
// preempted between taking its ticket and filling its cell hides the cells behind it for that long;
// it notifies the loop after filling, so nothing is lost.
//
// Costs: post is one compare-and-swap and one exchange; the eventfd is written only if the loop
// sleeps (wake_gate.h). Nothing is allocated after construction but what the closures capture.
// Thread: post() any; run() and the destructor the loop's.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "ae/base/callback.h"
#include "ae/base/limits.h"
#include "ae/core/wake_gate.h"

namespace ae {

class Mailbox {
 public:
  // `capacity` is rounded up to a power of two.
  Mailbox(size_t capacity, WakeGate& gate);

  // False when it is full: the caller must be able to hold back, or drop.
  bool post(Callback<void()> task);

  // Runs what is there, in order of posting, but no more than one ring: a task that posts itself
  // again runs once a tick. Returns how many ran.
  size_t run();

 private:
  struct Cell {
    std::atomic<size_t> sequence;
    Callback<void()> task;
  };

  Cell& cell(size_t position) { return cells_[position & mask_]; }

  const size_t mask_;
  std::unique_ptr<Cell[]> cells_;
  WakeGate& gate_;
  // Producers write the one, the consumer the other: not on one cache line.
  alignas(kCacheLineBytes) std::atomic<size_t> next_ticket_{0};
  alignas(kCacheLineBytes) size_t next_to_run_ = 0;
};

}  // namespace ae
