// While one request of a batch runs, what later ones will touch is on its way from memory. On a
// keyspace larger than the cache, waiting for those lines is most of the cost of a command.
//
// A lookup is a chain of lines, each known only when the one before is there, so a request passes
// four stages, each some requests before the next:
//
//   position   +24          +16         +10                          +5                      0
//              key's    ->  entry   ->  a member's place in the  ->  the member itself  ->   run
//              bucket                   collection, or its listpack
//
// The last two are for commands whose row names the argument that is a member (SADD, HSET, ZSCORE).
// Stages are hints: what a command in between changes costs a miss, never a wrong answer, since
// each stage looks the entry up again.
//
// (Staged prefetching: S. Chen et al., "Improving Hash Join Performance through Prefetching",
// 2004.)
#pragma once

#include <cstddef>

#include "server/core/request_batch.h"

namespace millrace {

class BatchPrefetch {
 public:
  // Distances in requests. Far enough that the line is there when it is needed (some 100 ns, at 20
  // to 100 ns a request), near enough to stay within the core's dozen or two outstanding misses.
  static constexpr size_t kBucketAhead = 24;
  static constexpr size_t kEntryAhead = 16;
  static constexpr size_t kPlaceAhead = 10;
  static constexpr size_t kMemberAhead = 5;

  explicit BatchPrefetch(RequestBatch& batch) : batch_(batch) {}

  // Before the first request runs.
  void begin();
  // Before the request at `position` runs.
  void ahead(size_t position);

 private:
  using Stage = void (BatchPrefetch::*)(Request&) const;

  template <Stage stage>
  void first(size_t count);
  template <Stage stage>
  void at(size_t position);

  void fetch_bucket(Request& request) const;
  void fetch_entry(Request& request) const;
  void fetch_place(Request& request) const;
  void fetch_member(Request& request) const;
  const class Entry* entry_of(const Request& request) const;

  RequestBatch& batch_;
};

}  // namespace millrace
