// A consumer group of a stream: how far its consumers have read, and what each of them has been
// given and not yet acknowledged.
//
//     ConsumerGroup ── pending_ ──> id ──> Pending { when, how often, to whom }
//          │                                  ^    │
//          └── consumers_ ── "alice" ──> Consumer  │ owner
//                                          │  ^────┘
//                                          └── pending ──> id ──> the same Pending
//
// What is pending stands in two maps by id, the group's and its consumer's, because both are asked
// for ranges (XPENDING, XREADGROUP's history, XAUTOCLAIM). Redis has the same two, as radix trees.
//
// Invariants
//   1. An id is in pending_ if and only if it is in exactly one consumer's map, its owner's, with
//      the same Pending.
//   2. A consumer's name is its key in consumers_.
//
// Costs for n pending: all O(log n) but walks and what is deleted with a consumer. About 72 bytes
// for each pending entry.
//
// A Pending* or Consumer* is good until that one is removed. No thread safety.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "server/ds/id_map.h"

namespace millrace::ds {

struct Consumer;

struct Pending {
  int64_t delivered_ms;
  uint64_t deliveries;
  Consumer* owner;
};

struct Consumer {
  std::string_view name;
  int64_t seen_ms = 0;               // when it last asked
  std::optional<int64_t> active_ms;  // when it last got or claimed something
  IdMap<Pending> pending;
};

class ConsumerGroup {
 public:
  // In order of their names, as Redis lists them.
  using Consumers = std::map<std::string, Consumer, std::less<>>;

  ConsumerGroup() = default;
  ~ConsumerGroup();
  ConsumerGroup(const ConsumerGroup&) = delete;
  ConsumerGroup& operator=(const ConsumerGroup&) = delete;

  StreamId last_id;
  // Which number among all entries ever added the last one read had, if that is known: what the lag
  // is counted from.
  std::optional<uint64_t> entries_read;

  // --- consumers

  const Consumers& consumers() const { return consumers_; }
  Consumer* find_consumer(std::string_view name);
  const Consumer* find_consumer(std::string_view name) const {
    return const_cast<ConsumerGroup*>(this)->find_consumer(name);
  }
  // The name must be new.
  Consumer& add_consumer(std::string_view name, int64_t now_ms);
  // With what it has pending; returns how much that was.
  uint64_t erase_consumer(const Consumer& consumer);

  // --- what is pending

  const IdMap<Pending>& pending() const { return pending_; }
  Pending* find_pending(StreamId id) const;
  // Gives the entry to a consumer, whether it is new to the group or was another's. The caller
  // fills in when and how often.
  Pending& assign(StreamId id, Consumer& consumer);
  // False: it was not pending.
  bool acknowledge(StreamId id);

  // A copy with the same consumers and pending entries goes into an empty group.
  void copy_to(ConsumerGroup& twin) const;
  // Heap behind this object. O(consumers).
  size_t memory_bytes() const;
  // Frees up to `budget` pending entries and consumers; returns how many. Fewer: all are freed.
  size_t free_some(size_t budget);
  // Aborts unless the invariants hold.
  void check() const;

 private:
  IdMap<Pending> pending_;
  Consumers consumers_;
};

}  // namespace millrace::ds
