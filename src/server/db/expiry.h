// Active expiry: deletes keys whose time has passed and that nobody asks for. (Those that are asked
// for are deleted on sight: command/context.h.)
//
//   ActiveExpiry expiry;
//   const auto deadline = now + expiry.time_limit(effort, hz);
//   while (expiry.step(keyspaces, now_ms, options, on_expired) == ActiveExpiry::Progress::kMore &&
//          clock.now() < deadline) {
//   }
//
// Keys with an expiry carry a mark in the hash table's slots, and segments without marked keys are
// skipped (ds/hash_table.h), so one step visits a run of buckets and looks only at entries that can
// expire. Where the last step stopped is a cursor per database. A step of a database in which more
// than an acceptable share of what was looked at had expired asks to be followed by another at
// once; else it is the next database's turn, and when each had its turn the cycle is done. So the
// work follows the number of keys that expire, and every key is looked at within one round of the
// cursor.
//
// Redis samples instead and stops at the same share (4 to 9 %, less with more `effort`); the share
// and the time limit are its numbers, what INFO calls expired_stale_perc means the same.
//
// Thread: the main thread's. Time is what the caller says; there is no clock in here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "server/db/keyspace.h"
#include "server/ds/function_ref.h"

namespace millrace {

// The databases of a server: what db/databases.h iterates over.
using KeyspaceList = std::span<const std::unique_ptr<Keyspace>>;

class ActiveExpiry {
 public:
  enum class Progress { kMore, kDone };

  struct Options {
    int effort = 1;                 // active-expire-effort, 1 to 10
    LazyFree* lazy_free = nullptr;  // where large values go; null: freed at once
  };

  struct Totals {
    uint64_t expired = 0;
    uint64_t examined = 0;
    double stale_percent =
        0;  // running estimate of how many of the keys with an expiry are past it
  };

  // Called before the key is deleted; must not change the keyspace. The Entry& is good during the
  // call.
  using OnExpired = ds::FunctionRef<void(size_t db, Entry& entry)>;

  // One slice: some hundred buckets of one database. kDone: every database had its turn.
  Progress step(KeyspaceList keyspaces, int64_t now_ms, const Options& options,
                OnExpired on_expired);

  // How long one cycle may take, of a second divided into `hz` cycles: 27 % of it at effort 1, 45 %
  // at 10.
  static std::chrono::microseconds time_limit(int effort, int hz);

  const Totals& totals() const { return totals_; }

 private:
  // Keys looked at before a step ends, at effort 1; a quarter more for each step of effort. Redis'
  // 20 are too few to make a slice worth its overhead; these take about 10 us.
  static constexpr size_t kKeysPerStep = 100;
  // Buckets visited for each of those keys, so that a database with few expiring keys among many
  // ends its turn too.
  static constexpr size_t kBucketsPerKey = 20;
  // Of the keys looked at, expired ones beyond this percentage ask for another step at once.
  static constexpr int kAcceptableStalePercent = 10;

  struct Slice {
    size_t examined = 0;
    bool round_ended = false;  // the cursor has come to the end of the database
  };

  Slice collect(Keyspace& keyspace, uint64_t& cursor, int64_t now_ms, int effort);
  void remove_collected(Keyspace& keyspace, size_t db, LazyFree* lazy_free, OnExpired on_expired);
  bool is_stale(const Slice& slice, int effort);
  Progress next_database(size_t count);

  std::vector<uint64_t> cursors_;  // one for each database
  std::vector<Entry*> expired_;    // of the current slice
  size_t database_ = 0;
  Totals totals_;
};

}  // namespace millrace
