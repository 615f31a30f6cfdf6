#include "server/db/databases.h"

namespace millrace {

Databases::Databases(size_t count, const AccessClock& clock) {
  databases_.reserve(count);
  for (size_t i = 0; i < count; ++i) databases_.push_back(std::make_unique<Keyspace>(clock));
}

size_t Databases::total_keys() const {
  size_t total = 0;
  for (const auto& database : databases_) total += database->size();
  return total;
}

}  // namespace millrace
