#include "server/db/lazy_free.h"

namespace millrace {

LazyFree::~LazyFree() {
  while (!step(SIZE_MAX)) {
  }
}

void LazyFree::add(Detached detached) {
  if (!detached || detached->collection_size() <= kFreeAtOnce) return;  // its destructor frees it
  entries_.push_back(std::move(detached));
}

void LazyFree::add(EntryTable table) {
  if (table.size() == 0) return;
  tables_.push_back(std::move(table));
}

size_t LazyFree::pending() const {
  size_t keys = entries_.size();
  for (const EntryTable& table : tables_) keys += table.size();
  return keys;
}

bool LazyFree::step(size_t budget_elements) {
  const size_t left = budget_elements - free_from_entries(budget_elements);
  free_from_tables(left);
  return empty();
}

// Returns how many elements were freed, at most the budget.
size_t LazyFree::free_from_entries(size_t budget) {
  size_t left = budget;
  while (!entries_.empty() && left != 0) {
    const size_t done = EntryStore::free_some(entries_.front().get(), left);
    if (done >= left) return budget;
    left -= done;
    entries_.pop_front();
    ++freed_;
  }
  return budget - left;
}

// Big values of a database join the queue of entries instead of being freed within one step.
void LazyFree::free_from_tables(size_t budget) {
  constexpr size_t kKeysAtOnce = 16;
  size_t freed = 0;
  while (!tables_.empty() && freed < budget) {
    const bool done = tables_.front().clear_step(kKeysAtOnce, [&](Entry* entry) {
      const uint64_t elements = entry->collection_size();
      if (elements > kFreeAtOnce) {
        entries_.emplace_back(entry);
        return;
      }
      EntryStore::destroy(entry);
      freed += elements;
      ++freed_;
    });
    if (done) tables_.pop_front();
  }
}

}  // namespace millrace
