// The requests that wait for their replies, in the order they were asked: a ring. Each also links
// to the next one of the same client, since replies come in order per connection and in any order
// between connections.
//
//   ring    [ done | #7 | done | #3 | #7 | ... ]     entries carry when they were due, and who
//   asked
//             ^ oldest    `--next of #7--^           the front goes once it is done
//
// The deadline is the same for all, so the oldest expires first, and only the front need be looked
// at. Entries are named by a sequence number that wraps; its low bits are the place in the ring.
//
// Costs: 16 bytes an entry, everything O(1). The ring doubles when full, up to kMost.
#pragma once

#include <cstdint>
#include <vector>

#include "ae/base/assert.h"
#include "ae/base/clock.h"

namespace load {

class Outstanding {
 public:
  // 256 MiB; at 100,000 requests a second nearly three minutes without a single reply.
  static constexpr uint32_t kMost = 1u << 24;
  static constexpr uint32_t kNobody = UINT32_MAX;

  struct Entry {
    ae::TimePoint due;
    uint32_t client = kNobody;  // kNobody: done
    uint32_t next = 0;          // of the same client; meaningless for its last
  };
  static_assert(sizeof(Entry) == 16);

  bool empty() const { return oldest_ == end_; }
  bool full() const { return end_ - oldest_ == kMost; }

  uint32_t push(ae::TimePoint due, uint32_t client) {
    AE_ASSERT(!full());
    if (end_ - oldest_ == entries_.size()) grow();
    at(end_) = {due, client, 0};
    return end_++;
  }

  Entry& at(uint32_t sequence) { return entries_[sequence & (entries_.size() - 1)]; }

  // Not empty.
  Entry& oldest() { return at(oldest_); }

  void finish(uint32_t sequence) {
    at(sequence).client = kNobody;
    while (!empty() && oldest().client == kNobody) ++oldest_;
  }

 private:
  void grow() {
    std::vector<Entry> larger(2 * entries_.size());
    for (uint32_t i = oldest_; i != end_; ++i) larger[i & (larger.size() - 1)] = at(i);
    entries_.swap(larger);
  }

  std::vector<Entry> entries_ = std::vector<Entry>(1024);  // a power of two, always
  uint32_t oldest_ = 0, end_ = 0;
};

}  // namespace load
