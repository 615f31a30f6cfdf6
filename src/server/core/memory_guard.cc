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

// The clock is read once for so many keys.
constexpr int kKeysPerClockRead = 16;

static_assert(int(EvictionPolicy::kNoEviction) == int(MaxmemoryPolicy::kNoEviction));

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

bool MemoryGuard::make_room() {
  unfinished_ = false;
  const uint64_t to_free = excess();
  if (to_free == 0) return true;
  if (services_.clients.is_paused(services_.tick.unix_us / 1000)) return true;
  if (services_.state.script_is_busy()) return true;  // it would see keys vanish
  // The master's limit is kept by what the master deletes.
  if (services_.state.follows_master() && services_.config.replica_ignore_maxmemory) return true;
  const Config& config = services_.config;
  const ae::TimePoint start = loop_.clock().now();
  const ae::TimePoint deadline = start + time_limit(config.maxmemory_eviction_tenacity);
  // What evicted keys took, not what is used less: who follows them by client-side caching is told
  // of each, and a long name for many clients takes more than the key gave. Measured with that, the
  // next key would have to go for it, until none was left.
  uint64_t freed = 0;
  uint64_t used_before = 0;  // the last key was freed
  int keys = 0;
  const auto demand = [&] {
    const uint64_t used = memory::used_bytes();
    if (used_before > used) freed += used_before - used;
    used_before = 0;
    if (freed >= to_free || excess() == 0) return Evictor::Demand::kEnough;
    if (++keys % kKeysPerClockRead == 0 && loop_.clock().now() > deadline)
      return Evictor::Demand::kPause;
    return Evictor::Demand::kMore;
  };
  const auto on_evicted = [&](size_t db, Entry& victim) {
    ++services_.stats.evicted_keys;
    services_.effects.noted(uint8_t(db), Keyspace::key(victim.key()), KeyEventClass::kEvicted,
                            "evicted");
    services_.feed.key_went(uint8_t(db), victim.key(),
                            config.lazyfree_lazy_eviction ? "UNLINK" : "DEL");
    used_before = memory::used_bytes();
  };
  LazyFree* lazy_free = config.lazyfree_lazy_eviction ? &services_.lazy_free : nullptr;
  const Evictor::Outcome outcome = evictor_.make_room(
      services_.databases.list(), services_.access_clock, lazy_free, demand, on_evicted);

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

}  // namespace millrace
