#include "server/core/memory_guard.h"

#include <cmath>

#include "ae/base/prng.h"
#include "server/command/clients.h"
#include "server/config/config.h"
#include "server/db/databases.h"
#include "server/observe/latency_monitor.h"
#include "server/observe/memory_meter.h"
#include "server/observe/memory_overview.h"
#include "server/observe/tick_watch.h"

namespace millrace {
namespace {

// Redis' scale: 0 means at once, up to 10 half a millisecond at most, beyond it grows by 15 % a
// step, and 100 means without limit.
ae::Nanoseconds time_limit(int tenacity) {
  if (tenacity >= 100) return ae::Seconds(3600);
  if (tenacity <= 10) return ae::Microseconds(50) * tenacity;
  return ae::Microseconds(int64_t(500.0 * std::pow(1.15, tenacity - 10)));
}

// The clock is read, and what is used compared, once for so many keys.
constexpr int kKeysPerLook = 16;

static_assert(int(EvictionPolicy::kNoEviction) == int(MaxmemoryPolicy::kNoEviction));

// What the evicted keys took, which is not what is used less: who follows them by client-side
// caching is told of each, and a long name for many clients takes more than the key gave. Were that
// counted, the next key would have to go for it, until none was left.
class FreedBytes {
 public:
  void key_goes() { used_before_ = memory::used_bytes(); }
  void key_has_gone() {
    if (used_before_ == 0) return;
    const uint64_t used = memory::used_bytes();
    if (used_before_ > used) sum_ += used_before_ - used;
    used_before_ = 0;
  }
  uint64_t sum() const { return sum_; }

 private:
  uint64_t used_before_ = 0;
  uint64_t sum_ = 0;
};

}  // namespace

MemoryGuard::MemoryGuard(ae::EventLoop& loop, Services& services)
    : loop_(loop), services_(services), evictor_(services.prng.next()) {
  configure();
  loop_.before_sleep([this] {
    if (!unfinished_) return;
    loop_.account().note_work();
    make_room();
  });
}

void MemoryGuard::configure() {
  const Config& config = services_.config;
  evictor_.configure(
      {.policy = EvictionPolicy(config.maxmemory_policy), .samples = config.maxmemory_samples});
}

// Not at once: who lowers the limit may stand within a transaction, which runs to its end with the
// keys it has.
void MemoryGuard::refresh() {
  configure();
  unfinished_ = limited();
}

bool MemoryGuard::limited() const {
  return services_.config.maxmemory_bytes != 0;
}

uint64_t MemoryGuard::excess() const {
  if (!limited()) return 0;
  const uint64_t limit = services_.config.maxmemory_bytes;
  const uint64_t used = memory::used_bytes();
  if (used <= limit) return 0;
  const uint64_t counted = limit + uncounted_bytes(services_);
  return used > counted ? used - counted : 0;
}

// Whether a key may go now, whatever is used.
bool MemoryGuard::may_evict() const {
  if (services_.clients.is_paused(services_.tick.unix_us / 1000)) return false;
  if (services_.state.script_is_busy()) return false;  // it would see keys vanish
  // The master's limit is kept by what the master deletes.
  return !services_.state.follows_master() || !services_.config.replica_ignore_maxmemory;
}

bool MemoryGuard::make_room() {
  unfinished_ = false;
  const uint64_t to_free = excess();
  if (to_free == 0 || !may_evict()) return true;
  const ae::TimePoint start = loop_.clock().now();
  const Evictor::Outcome outcome = evict(to_free, start);
  const ae::Nanoseconds took = loop_.clock().now() - start;
  services_.ticks.part_took(TickPart::kEviction, took);
  services_.latency.sample("eviction-cycle", uint64_t(took.count()) / 1000,
                           services_.tick.unix_us / 1'000'000);
  if (outcome == Evictor::Outcome::kPaused) {
    unfinished_ = true;
    loop_.wake_next_tick();
  }
  return outcome != Evictor::Outcome::kNothingLeft;
}

Evictor::Outcome MemoryGuard::evict(uint64_t to_free, ae::TimePoint start) {
  const Config& config = services_.config;
  const ae::TimePoint deadline = start + time_limit(config.maxmemory_eviction_tenacity);
  FreedBytes freed;
  int keys = 0;
  const auto demand = [&] {
    freed.key_has_gone();
    if (freed.sum() >= to_free) return Evictor::Demand::kEnough;
    if (++keys % kKeysPerLook != 0) return Evictor::Demand::kMore;
    if (excess() == 0) return Evictor::Demand::kEnough;  // what was freed lazily counts, too
    return loop_.clock().now() > deadline ? Evictor::Demand::kPause : Evictor::Demand::kMore;
  };
  const auto on_evicted = [&](size_t db, Entry& victim) {
    ++services_.stats.evicted_keys;
    services_.effects.noted(uint8_t(db), Keyspace::key(victim.key()), KeyEventClass::kEvicted,
                            "evicted");
    services_.feed.key_went(uint8_t(db), victim.key(),
                            config.lazyfree_lazy_eviction ? "UNLINK" : "DEL");
    freed.key_goes();
  };
  LazyFree* lazy_free = config.lazyfree_lazy_eviction ? &services_.lazy_free : nullptr;
  return evictor_.make_room(services_.databases.list(), services_.access_clock, lazy_free, demand,
                            on_evicted);
}

}  // namespace millrace
