// Frees what is large in slices from the loop, so that UNLINK of a set with a million members, or
// FLUSHALL ASYNC, holds nobody up.
//
//   lazy_free.add(keyspace.detach(key));          // small: freed here and now
//   lazy_free.add(keyspace.detach_all());
//   loop.before_sleep([&] { if (!lazy_free.empty()) lazy_free.step(); });
//
// Redis hands such values to another thread. A slice of the loop costs the same memory traffic
// without locks in the allocator and without memory being touched by two cores; what is waiting
// here is bounded by what was stored.
//
// Thread: the main thread's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "server/db/keyspace.h"

namespace millrace {

class LazyFree {
 public:
  // A collection of so many elements or fewer is freed at once: queueing it would cost more. Redis'
  // number.
  static constexpr size_t kFreeAtOnce = 64;
  // Elements freed in one step, some 60 us with cold caches: what a client that comes meanwhile
  // waits. A tick between two steps costs a small part of it.
  static constexpr size_t kStepElements = 1024;

  LazyFree() = default;
  LazyFree(const LazyFree&) = delete;
  LazyFree& operator=(const LazyFree&) = delete;
  // Frees what is left.
  ~LazyFree();

  void add(Detached detached);
  void add(EntryTable table);

  bool empty() const { return entries_.empty() && tables_.empty(); }
  // Keys that wait (lazyfree_pending_objects), and all that were freed by steps
  // (lazyfreed_objects).
  size_t pending() const;
  uint64_t freed() const { return freed_; }
  void reset_freed() { freed_ = 0; }

  // Frees about `budget_elements`; true when nothing is left.
  bool step(size_t budget_elements = kStepElements);

 private:
  size_t free_from_entries(size_t budget);
  void free_from_tables(size_t budget);

  std::deque<Detached> entries_;
  std::deque<EntryTable> tables_;
  uint64_t freed_ = 0;
};

}  // namespace millrace
