// The numbered databases of one server. A key's hash is the same in all of them (Keyspace::hash).
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "server/db/keyspace.h"

namespace millrace {

class Databases {
 public:
  // New entries are stamped by `clock`, which must outlive the databases.
  Databases(size_t count, const AccessClock& clock);

  Keyspace& operator[](size_t index) { return *databases_[index]; }
  const Keyspace& operator[](size_t index) const { return *databases_[index]; }
  size_t count() const { return databases_.size(); }

  void swap(size_t a, size_t b) { databases_[a]->swap(*databases_[b]); }
  size_t total_keys() const;

  // For what goes through all of them (expiry, eviction).
  std::span<const std::unique_ptr<Keyspace>> list() const { return databases_; }

 private:
  std::vector<std::unique_ptr<Keyspace>> databases_;
};

}  // namespace millrace
