#include "server/db/eviction.h"

#include <algorithm>
#include <utility>

#include "server/db/lazy_free.h"

namespace millrace {

void Evictor::configure(const Settings& settings) {
  if (settings.policy != settings_.policy) pool_size_ = 0;
  settings_ = settings;
  settings_.samples = std::clamp(settings_.samples, 1, kMaxSamples);
}

bool Evictor::is_random() const {
  return settings_.policy == EvictionPolicy::kAllKeysRandom ||
         settings_.policy == EvictionPolicy::kVolatileRandom;
}

uint64_t Evictor::score_of(const Entry& entry, const AccessClock& clock) const {
  switch (settings_.policy) {
    case EvictionPolicy::kVolatileLfu:
    case EvictionPolicy::kAllKeysLfu:
      return uint64_t{UINT8_MAX} - clock.frequency(entry);
    case EvictionPolicy::kVolatileTtl:
      return UINT64_MAX - static_cast<uint64_t>(entry.expire_at_ms());
    default:
      return clock.idle_seconds(entry);
  }
}

size_t Evictor::candidates_in(const Keyspace& keyspace) const {
  return only_expiring() ? keyspace.expiring() : keyspace.size();
}

Evictor::Victim Evictor::pick(KeyspaceList keyspaces, const AccessClock& clock) {
  if (settings_.policy == EvictionPolicy::kNoEviction) return {};
  return is_random() ? pick_random(keyspaces) : pick_from_pool(keyspaces, clock);
}

// Databases take turns.
Evictor::Victim Evictor::pick_random(KeyspaceList keyspaces) {
  for (size_t tries = 0; tries < keyspaces.size(); ++tries) {
    const size_t db = next_database_++ % keyspaces.size();
    Entry* entry = nullptr;
    if (only_expiring()) {
      keyspaces[db]->sample_expiring(prng_, std::span(&entry, 1));
    } else {
      entry = keyspaces[db]->random(prng_);
    }
    if (entry != nullptr) return {db, entry};
  }
  return {};
}

Evictor::Victim Evictor::pick_from_pool(KeyspaceList keyspaces, const AccessClock& clock) {
  bool any = true;
  while (any) {
    any = false;
    for (size_t db = 0; db < keyspaces.size(); ++db) {
      if (candidates_in(*keyspaces[db]) == 0) continue;
      any = true;
      sample(*keyspaces[db], db, clock);
    }
    // What was sampled just now is alive, so with any candidate at all this ends with a victim.
    while (pool_size_ != 0) {
      const Candidate& best = pool_[pool_size_ - 1];
      const bool known = best.db < keyspaces.size();
      Entry* entry = known ? keyspaces[best.db]->find({best.name, best.hash}) : nullptr;
      const size_t db = best.db;
      const uint64_t score = best.score;
      drop_best();
      if (entry == nullptr || (only_expiring() && !entry->has_expiry())) continue;
      if (score_of(*entry, clock) >= score) return {db, entry};
    }
  }
  return {};
}

void Evictor::sample(Keyspace& keyspace, size_t db, const AccessClock& clock) {
  std::array<Entry*, kMaxSamples> drawn;
  const std::span out(drawn.data(), static_cast<size_t>(settings_.samples));
  const size_t count =
      only_expiring() ? keyspace.sample_expiring(prng_, out) : keyspace.sample(prng_, out);
  for (size_t i = 0; i < count; ++i) offer(*drawn[i], db, score_of(*drawn[i], clock));
}

// Puts the entry at its place in the pool, if it is good enough for one.
void Evictor::offer(const Entry& entry, size_t db, uint64_t score) {
  const auto begin = pool_.begin();
  const auto end = begin + static_cast<ptrdiff_t>(pool_size_);
  const bool full = pool_size_ == kPoolSize;
  if (full && score <= pool_.front().score) return;
  const auto same = [&](const Candidate& other) {
    return other.db == db && other.name == entry.key();
  };
  if (std::any_of(begin, end, same)) return;

  auto place = std::upper_bound(begin, end, score, [](uint64_t value, const Candidate& other) {
    return value < other.score;
  });
  if (full) {
    std::rotate(begin, begin + 1, place);  // the worst one's memory moves to the new place
    --place;
  } else {
    std::rotate(place, end, end + 1);
    ++pool_size_;
  }
  place->score = score;
  place->db = db;
  place->hash = Keyspace::hash(entry.key());
  place->name.assign(entry.key());
}

void Evictor::drop_best() {
  --pool_size_;
}

Evictor::Outcome Evictor::make_room(KeyspaceList keyspaces, const AccessClock& clock,
                                    LazyFree* lazy_free, AskDemand demand, OnEvicted on_evicted) {
  for (;;) {
    const Demand wanted = demand();
    if (wanted == Demand::kEnough) return Outcome::kEnough;
    if (wanted == Demand::kPause) return Outcome::kPaused;
    const Victim victim = pick(keyspaces, clock);
    if (victim.entry == nullptr) return Outcome::kNothingLeft;
    on_evicted(victim.db, *victim.entry);
    Detached detached =
        keyspaces[victim.db]->detach(Keyspace::key(victim.entry->key()), victim.entry);
    if (lazy_free != nullptr) lazy_free->add(std::move(detached));
  }
}

}  // namespace millrace
