// maxmemory: which keys go when memory is short, by eight policies.
//
//   Evictor evictor(seed);
//   evictor.configure({.policy = EvictionPolicy::kAllKeysLru, .samples = 5});
//   auto outcome = evictor.make_room(
//       keyspaces, access_clock, nullptr,
//       [&] { return used_bytes() > limit ? Evictor::Demand::kMore : Evictor::Demand::kEnough; },
//       [&](size_t db, Entry& victim) { ++evicted; effects.modified(...); });
//
// An exact order of use would cost two pointers per key and a list operation per access. As in
// Redis, keys are sampled instead, `samples` from each database, and the best candidates of all
// samples so far are kept in a pool of 16, from which the best goes. The longer the pool lives the
// better it gets: with 5 samples about 92 % of what is evicted is from the older half an exact LRU
// would have evicted, with 10 about 97 % (eviction_test measures it). What makes a candidate
// better:
//
//   lru      idle for longer                 volatile-ttl   expires sooner
//   lfu      used less often                 random         no pool: the first one drawn goes
//   volatile-*: only keys with a time of expiry are candidates.
//
// (S. Sanfilippo, "Random notes on improving the Redis LRU algorithm", 2014.) The pool holds names,
// not pointers: a candidate may be gone, or used again, by the time it is its turn; it is then
// looked up and dropped. Redis does not notice that a candidate was used again; here it is weighed
// again.
//
// Thread: the main thread's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ae/base/prng.h"
#include "server/db/expiry.h"
#include "server/db/keyspace.h"
#include "server/ds/function_ref.h"

namespace millrace {

// In the order of MaxmemoryPolicy in the configuration.
enum class EvictionPolicy : uint8_t {
  kVolatileLru,
  kVolatileLfu,
  kVolatileRandom,
  kVolatileTtl,
  kAllKeysLru,
  kAllKeysLfu,
  kAllKeysRandom,
  kNoEviction,
};

// What the access bits must mean under a policy.
constexpr AccessClock::Measure measure_of(EvictionPolicy policy) {
  return policy == EvictionPolicy::kVolatileLfu || policy == EvictionPolicy::kAllKeysLfu
             ? AccessClock::Measure::kFrequency
             : AccessClock::Measure::kRecency;
}

class Evictor {
 public:
  static constexpr size_t kPoolSize = 16;
  static constexpr int kMaxSamples = 64;  // Redis takes any number; beyond 10 nothing is gained

  struct Settings {
    EvictionPolicy policy = EvictionPolicy::kNoEviction;
    int samples = 5;  // maxmemory-samples, 1 to kMaxSamples; more counts as that
  };

  struct Victim {
    size_t db = 0;
    Entry* entry = nullptr;  // null: there is no candidate
  };

  // What the caller wants: enough is free; evict one more; stop although more is needed (its time
  // is up).
  enum class Demand { kEnough, kMore, kPause };
  enum class Outcome { kEnough, kPaused, kNothingLeft };

  // Called before the key is deleted; must not change the keyspace.
  using OnEvicted = ds::FunctionRef<void(size_t db, Entry& entry)>;
  using AskDemand = ds::FunctionRef<Demand()>;

  explicit Evictor(uint64_t seed) : prng_(seed) {}

  // Candidates of another policy are forgotten.
  void configure(const Settings& settings);
  const Settings& settings() const { return settings_; }

  // The key that should go next; it stays.
  Victim pick(KeyspaceList keyspaces, const AccessClock& clock);

  // Evicts, asking before each key. Large values go to `lazy_free` if there is one.
  Outcome make_room(KeyspaceList keyspaces, const AccessClock& clock, LazyFree* lazy_free,
                    AskDemand demand, OnEvicted on_evicted);

 private:
  struct Candidate {
    uint64_t score = 0;  // the highest goes first
    uint64_t hash = 0;
    size_t db = 0;
    std::string name;
  };

  bool only_expiring() const { return settings_.policy < EvictionPolicy::kAllKeysLru; }
  bool is_random() const;
  uint64_t score_of(const Entry& entry, const AccessClock& clock) const;
  size_t candidates_in(const Keyspace& keyspace) const;
  Victim pick_random(KeyspaceList keyspaces);
  Victim pick_from_pool(KeyspaceList keyspaces, const AccessClock& clock);
  void sample(Keyspace& keyspace, size_t db, const AccessClock& clock);
  void offer(const Entry& entry, size_t db, uint64_t score);
  void drop_best();

  Settings settings_;
  ae::Prng prng_;
  // Worst first; the first pool_size_ are in use. Names keep their memory.
  std::array<Candidate, kPoolSize> pool_;
  size_t pool_size_ = 0;
  size_t next_database_ = 0;
};

}  // namespace millrace
