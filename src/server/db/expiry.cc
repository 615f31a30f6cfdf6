#include "server/db/expiry.h"

#include "server/db/lazy_free.h"

namespace millrace {

std::chrono::microseconds ActiveExpiry::time_limit(int effort, int hz) {
  constexpr int kBasePercent = 25;
  constexpr int kPercentPerEffort = 2;
  const int percent = kBasePercent + kPercentPerEffort * effort;
  return std::chrono::microseconds(1'000'000 / hz * percent / 100);
}

ActiveExpiry::Progress ActiveExpiry::step(KeyspaceList keyspaces, int64_t now_ms,
                                          const Options& options, OnExpired on_expired) {
  cursors_.resize(keyspaces.size());
  if (database_ >= keyspaces.size()) database_ = 0;
  Keyspace& keyspace = *keyspaces[database_];
  if (keyspace.expiring() == 0) return next_database(keyspaces.size());

  const Slice slice = collect(keyspace, cursors_[database_], now_ms, options.effort);
  const bool stale = is_stale(slice, options.effort);
  remove_collected(keyspace, database_, options.lazy_free, on_expired);
  if (stale && !slice.round_ended) return Progress::kMore;
  return next_database(keyspaces.size());
}

ActiveExpiry::Progress ActiveExpiry::next_database(size_t count) {
  database_ = database_ + 1 < count ? database_ + 1 : 0;
  return database_ == 0 ? Progress::kDone : Progress::kMore;
}

// Fills expired_.
ActiveExpiry::Slice ActiveExpiry::collect(Keyspace& keyspace, uint64_t& cursor, int64_t now_ms,
                                          int effort) {
  const size_t keys = kKeysPerStep + kKeysPerStep / 4 * static_cast<size_t>(effort - 1);
  // So many buckets between two looks at the count of keys.
  constexpr size_t kStride = 16;
  Slice slice;
  expired_.clear();
  for (size_t buckets = 0; buckets < keys * kBucketsPerKey && slice.examined < keys;
       buckets += kStride) {
    cursor = keyspace.scan_expiring(cursor, kStride, [&](Entry& entry) {
      ++slice.examined;
      if (entry.expire_at_ms() <= now_ms) expired_.push_back(&entry);
    });
    slice.round_ended = cursor == 0;
    if (slice.round_ended) break;
  }
  return slice;
}

void ActiveExpiry::remove_collected(Keyspace& keyspace, size_t db, LazyFree* lazy_free,
                                    OnExpired on_expired) {
  for (Entry* entry : expired_) {
    on_expired(db, *entry);
    Detached detached = keyspace.detach(Keyspace::key(entry->key()), entry);
    if (lazy_free != nullptr) lazy_free->add(std::move(detached));
  }
  totals_.expired += expired_.size();
}

bool ActiveExpiry::is_stale(const Slice& slice, int effort) {
  if (slice.examined == 0) return false;
  totals_.examined += slice.examined;
  const double percent =
      100.0 * static_cast<double>(expired_.size()) / static_cast<double>(slice.examined);
  constexpr double kWeight = 0.05;  // of the newest slice, as in Redis
  totals_.stale_percent = percent * kWeight + totals_.stale_percent * (1 - kWeight);
  return percent > kAcceptableStalePercent - effort;
}

}  // namespace millrace
