// From keys to whatever somebody keeps about them: who watches a key, who waits for it, who has
// read it. Such keys need not exist. Looking one up costs no hashing and no allocation: the hash
// comes with the key.
//
//   KeyIndex<std::vector<SessionId>> watchers;
//   watchers[{db, key}].push_back(session.self);
//   if (auto* list = watchers.find({db, key})) ...
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

#include "server/db/keyspace.h"

namespace millrace {

// A key and the database it is in, as a view.
struct DbKey {
  uint8_t db;
  Key key;
};

// The same with a name of its own.
struct KeptKey {
  explicit KeptKey(DbKey from) : db(from.db), hash(from.key.hash), name(from.key.name) {}

  DbKey view() const { return {db, {name, hash}}; }

  uint8_t db;
  uint64_t hash;
  std::string name;
};

template <typename Value>
class KeyIndex {
 public:
  bool empty() const { return map_.empty(); }
  size_t size() const { return map_.size(); }

  Value* find(DbKey key) {
    const auto found = map_.find(key);
    return found == map_.end() ? nullptr : &found->second;
  }
  // What is kept about the key; new when there was nothing.
  Value& operator[](DbKey key) {
    if (Value* known = find(key)) return *known;
    return map_.try_emplace(KeptKey(key)).first->second;
  }
  void erase(DbKey key) {
    if (const auto found = map_.find(key); found != map_.end()) map_.erase(found);
  }
  void clear() { map_.clear(); }

  auto begin() { return map_.begin(); }
  auto end() { return map_.end(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(DbKey key) const { return size_t(key.key.hash + key.db); }
    size_t operator()(const KeptKey& key) const { return size_t(key.hash + key.db); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const { return same(view(a), view(b)); }
    static DbKey view(DbKey key) { return key; }
    static DbKey view(const KeptKey& key) { return key.view(); }
    static bool same(DbKey a, DbKey b) { return a.db == b.db && a.key.name == b.key.name; }
  };

  std::unordered_map<KeptKey, Value, Hash, Equal> map_;
};

}  // namespace millrace
