// One database: names to entries.
//
//   Keyspace db(access_clock);
//   const Key key{"user:1", Keyspace::hash("user:1")};
//   db.set_string(key, "ada", kNoExpiry);
//   if (Entry* entry = db.find(key)) ...
//   db.erase(key);
//
// A Keyspace knows that keys have a time of expiry, and finds those that have one quickly; it does
// not know what time it is. Whoever looks up decides whether an entry is still alive
// (command/context.h, expiry.h).
//
// An Entry* is good until the next change of the same key; a change of another key does not move
// it. Functions that may move an entry return where it is now.
//
// Batches: prefetch_bucket() for every key, then prefetch_entry() for every key, then the commands;
// see ds/hash_table.h. Costs are the table's: O(1), no operation longer than some 60 us at any
// size.
//
// Thread: the main thread's. Errors: none; without memory the process ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "ae/base/bytes.h"
#include "ae/base/callback.h"
#include "server/db/access_clock.h"
#include "server/db/entry.h"
#include "server/db/entry_store.h"
#include "server/ds/hash.h"
#include "server/ds/hash_table.h"

namespace millrace {

class LazyFree;

// A name and its hash, which is computed once per request.
struct Key {
  std::string_view name;
  uint64_t hash;
};

struct EntryPolicy {
  using Element = Entry;
  // The key and the value of the usual small entry.
  static constexpr size_t kPrefetchBytes = 64;
  static std::string_view key(const Entry& entry) { return entry.key(); }
};
using EntryTable = ds::HashTable<EntryPolicy>;

class Keyspace {
 public:
  Keyspace() = default;
  // New entries get their access bits from this clock, which must outlive the keyspace.
  explicit Keyspace(const AccessClock& clock) : clock_(&clock) {}
  ~Keyspace() { clear(); }
  Keyspace(const Keyspace&) = delete;
  Keyspace& operator=(const Keyspace&) = delete;
  void stamp_with(const AccessClock& clock) { clock_ = &clock; }
  // Called for every key that was not there before, once it is (the keyspace event "new"). Empty:
  // nobody wants to know.
  using NewKeyHook = ae::Callback<void(Key)>;
  void on_new_key(NewKeyHook hook) { new_key_hook_ = std::move(hook); }
  // Exchanges the contents (SWAPDB).
  void swap(Keyspace& other) noexcept { std::swap(table_, other.table_); }

  static uint64_t hash(std::string_view name) { return ds::hash_bytes(name); }
  static Key key(std::string_view name) { return {name, hash(name)}; }

  size_t size() const { return table_.size(); }
  size_t expiring() const { return table_.marked_count(); }  // keys that have a time of expiry
  size_t bucket_count() const { return table_.bucket_count(); }
  size_t table_bytes() const { return table_.memory_bytes(); }  // beside the entries

  // --- finding

  Entry* find(Key key) const { return table_.find(key.name, key.hash); }
  void prefetch_bucket(uint64_t hash) const { table_.prefetch_bucket(hash); }
  void prefetch_entry(uint64_t hash) const { table_.prefetch_element(hash); }

  // --- strings
  // `known` is the entry that find(key) has just returned, if the caller has looked: it saves a
  // lookup. An expiry is a time, kNoExpiry or kKeepExpiry. A value must not be a view of the entry
  // it replaces. Returns the entry, which may have moved.

  // Inserts or overwrites, whatever the type was. Text that is an integer's one spelling is kept as
  // an integer. No allocation if the value fits the block of the old one.
  Entry* set_string(Key key, std::string_view value, int64_t expire_at_ms);
  Entry* set_string(Key key, std::string_view value, int64_t expire_at_ms, Entry* known);
  Entry* set_integer(Key key, int64_t value, int64_t expire_at_ms);
  Entry* set_integer(Key key, int64_t value, int64_t expire_at_ms, Entry* known);
  // Makes the string a raw one of `new_length` bytes and returns them for writing: what was there
  // stays in front, bytes that are new are undefined. `entry` is updated. Grows in larger steps
  // than asked for, so that appending is O(1) amortized.
  ae::MutableBytes edit_string(Key key, Entry*& entry, size_t new_length);

  // --- collections

  // The key must be absent.
  template <class T>
  Entry* add(Key key, T&& collection) {
    return insert(key, stamped(EntryStore::make_object(key.name, std::forward<T>(collection))));
  }

  // --- removing, moving

  // False: there was no such key. What the entry holds is freed at once.
  bool erase(Key key);
  void erase(Key key, Entry* known);
  void erase(Entry* known) { erase(key(known->key()), known); }
  // Takes the entry out without freeing it: for RENAME, MOVE, and for LazyFree. Empty if absent.
  Detached detach(Key key);
  Detached detach(Key key, Entry* known);
  // Puts a detached entry under a name, which must be absent. Value, expiry and access bits stay.
  Entry* attach(Key new_name, Detached detached);
  // Everything at once, for LazyFree (FLUSHALL ASYNC); the keyspace is empty then.
  EntryTable detach_all() { return std::exchange(table_, EntryTable()); }
  // Everything at once, freed here.
  void clear() {
    table_.clear([](Entry* entry) { EntryStore::destroy(entry); });
  }

  // --- expiry

  Entry* set_expiry(Key key, Entry* entry, int64_t expire_at_ms);
  Entry* clear_expiry(Key key, Entry* entry);
  Entry* set_expiry(Entry* entry, int64_t expire_at_ms) {
    return set_expiry(key(entry->key()), entry, expire_at_ms);
  }
  Entry* clear_expiry(Entry* entry) { return clear_expiry(key(entry->key()), entry); }

  // --- walking; the callbacks must not change the keyspace

  // SCAN: f(Entry&) for the entries of one bucket. 0 begins, 0 is returned at the end; any number
  // is a valid cursor. What is there throughout is reported exactly once.
  template <class F>
  uint64_t scan(uint64_t cursor, F&& f) const {
    return table_.scan(cursor, std::forward<F>(f));
  }
  // The same over up to `budget_buckets` buckets, for entries that have a time of expiry.
  template <class F>
  uint64_t scan_expiring(uint64_t cursor, size_t budget_buckets, F&& f) const {
    return table_.scan_marked(cursor, budget_buckets, std::forward<F>(f));
  }
  template <class F>
  void for_each(F&& f) const {
    table_.for_each(std::forward<F>(f));
  }
  // Null if there is none.
  Entry* random(ae::Prng& prng) const { return table_.random(prng); }
  // Random entries, perhaps one twice; returns how many: all of `out`, or 0 of an empty keyspace.
  size_t sample(ae::Prng& prng, std::span<Entry*> out) const { return table_.sample(prng, out); }
  // The same among those that have a time of expiry, each once.
  size_t sample_expiring(ae::Prng& prng, std::span<Entry*> out) const {
    return table_.sample_marked(prng, out);
  }

  // Asserts the table's invariants, and that exactly the entries with an expiry are marked.
  void check() const;

 private:
  Entry* insert(Key key, Entry* entry);
  Entry* store(Key key, const StringValue& value, int64_t expire_at_ms, Entry* known);
  Entry* exchange(Key key, const Entry* old, Entry* fresh);
  Entry* stamped(Entry* entry) const {
    entry->set_access(clock_ == nullptr ? 0 : clock_->initial());
    return entry;
  }

  EntryTable table_;
  const AccessClock* clock_ = nullptr;
  NewKeyHook new_key_hook_;
};

}  // namespace millrace
