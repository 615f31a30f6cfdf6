// What follows from a change of a key, in one place: the count of changes since the start, and
// whoever asked to be told (keyspace events, watched keys, clients that wait for a key, client-side
// caches, the append-only file and the replicas each attach here; a handler never knows of them).
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

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
  kMiss = 1 << 11,      // m: a key that was looked for and is not there; nothing has changed
};

struct KeyChange {
  uint8_t db;
  Key key;
  KeyEventClass event_class;
  std::string_view event;

  // Whether the key is another now. A miss is only news.
  bool is_change() const { return event_class != KeyEventClass::kMiss; }
};

// Observers must not change the keyspace.
class ChangeObserver {
 public:
  // After it was made.
  virtual void on_change(const KeyChange& change) = 0;
  // Before all keys of a database go (FLUSHDB), or those of kEveryDb.
  virtual void on_emptied(int db) = 0;
  // After two databases have changed places.
  virtual void on_swapped(uint8_t a, uint8_t b) = 0;

 protected:
  ~ChangeObserver() = default;
};

class Effects {
 public:
  static constexpr int kEveryDb = -1;

  // Told in the order they came; one that has nothing to look for should not be attached.
  void attach(ChangeObserver& observer) {
    if (!is_attached(observer)) observers_.push_back(&observer);
  }
  void detach(ChangeObserver& observer) { std::erase(observers_, &observer); }
  bool observed() const { return !observers_.empty(); }

  void modified(uint8_t db, Key key, KeyEventClass event_class, std::string_view event) {
    ++changes_;
    if (observers_.empty()) return;
    tell({db, key, event_class, event});
  }
  // Changes that nobody is told of: what a stream's consumers have pending, which is not what is
  // under the key.
  void counted(uint64_t changes) { changes_ += changes; }
  // Something to be told of that nobody's command changed: a miss, a key that went by itself. Like
  // Redis' dirty counter, changes() does not count it.
  void noted(uint8_t db, Key key, KeyEventClass event_class, std::string_view event) {
    if (!observers_.empty()) tell({db, key, event_class, event});
  }
  void emptied(int db, uint64_t keys) {
    changes_ += keys;
    for (ChangeObserver* observer : observers_) observer->on_emptied(db);
  }
  void swapped(uint8_t a, uint8_t b) {
    ++changes_;
    for (ChangeObserver* observer : observers_) observer->on_swapped(a, b);
  }

  uint64_t changes() const { return changes_; }  // since the start
  // Of these the first so many are safe on the disk.
  void saved_up_to(uint64_t changes) { saved_ = changes; }
  uint64_t unsaved_changes() const { return changes_ - saved_; }

 private:
  bool is_attached(const ChangeObserver& observer) const {
    return std::find(observers_.begin(), observers_.end(), &observer) != observers_.end();
  }
  void tell(const KeyChange& change) {
    for (ChangeObserver* observer : observers_) observer->on_change(change);
  }

  uint64_t changes_ = 0;
  std::vector<ChangeObserver*> observers_;
  uint64_t saved_ = 0;
};

}  // namespace millrace
