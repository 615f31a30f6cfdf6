// What follows from a change of a key, in one place: the count of changes since the start, and
// whoever asked to be told (keyspace events, watched keys, client-side caches, the append-only file
// and the replicas each attach here when they exist; a handler never knows of them).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ae/base/callback.h"
#include "server/db/keyspace.h"

namespace millrace {

// The classes of notify-keyspace-events, with Redis' letters.
enum class KeyEventClass : uint16_t {
  kGeneric = 1 << 2,    // g
  kString = 1 << 3,     // $
  kList = 1 << 4,       // l
  kSet = 1 << 5,        // s
  kHash = 1 << 6,       // h
  kSortedSet = 1 << 7,  // z
  kExpired = 1 << 8,    // x
  kEvicted = 1 << 9,    // e
  kStream = 1 << 10,    // t
};

struct KeyChange {
  uint8_t db;
  Key key;
  KeyEventClass event_class;
  std::string_view event;
};

class Effects {
 public:
  // Called for every change, after it was made. Observers must not change the keyspace.
  using Observer = ae::Callback<void(const KeyChange&)>;
  void observe(Observer observer) { observers_.push_back(std::move(observer)); }

  void modified(uint8_t db, Key key, KeyEventClass event_class, std::string_view event) {
    ++changes_;
    if (observers_.empty()) return;
    tell({db, key, event_class, event});
  }
  // Changes that have no key: FLUSHDB, SWAPDB.
  void modified_whole(uint64_t keys) { changes_ += keys; }

  uint64_t changes() const { return changes_; }
  void reset_changes() { changes_ = 0; }

 private:
  void tell(const KeyChange& change) {
    for (Observer& observer : observers_) observer(change);
  }

  uint64_t changes_ = 0;
  std::vector<Observer> observers_;
};

}  // namespace millrace
