#include "server/db/keyspace.h"

namespace millrace {

Entry* Keyspace::insert(Key key, Entry* entry) {
  const EntryTable::Slot slot = table_.insert(entry, key.hash);
  if (entry->has_expiry()) table_.mark(slot);
  if (new_key_hook_) [[unlikely]]
    new_key_hook_(key);
  return entry;
}

// `fresh` takes the place of `old`, which need not exist any more.
Entry* Keyspace::exchange(Key key, const Entry* old, Entry* fresh) {
  const EntryTable::Slot slot = table_.slot_of(old, key.hash);
  AE_ASSERT(slot);
  slot.replace(fresh);
  if (fresh->has_expiry()) {
    table_.mark(slot);
  } else {
    table_.unmark(slot);
  }
  return fresh;
}

Entry* Keyspace::store(Key key, const StringValue& value, int64_t expire_at_ms, Entry* known) {
  if (known == nullptr) {
    const int64_t expiry = expire_at_ms == kKeepExpiry ? kNoExpiry : expire_at_ms;
    return insert(key, stamped(EntryStore::make_string(key.name, value, expiry)));
  }
  if (expire_at_ms == kKeepExpiry) expire_at_ms = known->expire_at_ms();
  const uint32_t access = clock_ == nullptr ? 0 : clock_->after_overwrite(known->access());
  if (!EntryStore::overwrite(known, value, expire_at_ms)) {
    Entry* fresh = EntryStore::make_string(key.name, value, expire_at_ms);
    exchange(key, known, fresh);
    EntryStore::destroy(known);
    known = fresh;
  }
  known->set_access(access);
  return known;
}

Entry* Keyspace::set_string(Key key, std::string_view value, int64_t expire_at_ms) {
  return store(key, StringValue::of(value), expire_at_ms, find(key));
}

Entry* Keyspace::set_string(Key key, std::string_view value, int64_t expire_at_ms, Entry* known) {
  return store(key, StringValue::of(value), expire_at_ms, known);
}

Entry* Keyspace::set_integer(Key key, int64_t value, int64_t expire_at_ms) {
  return store(key, StringValue::of(value), expire_at_ms, find(key));
}

Entry* Keyspace::set_integer(Key key, int64_t value, int64_t expire_at_ms, Entry* known) {
  return store(key, StringValue::of(value), expire_at_ms, known);
}

ae::MutableBytes Keyspace::edit_string(Key key, Entry*& entry, size_t new_length) {
  AE_ASSERT(entry->type() == Type::kString);
  ae::MutableBytes bytes;
  const Entry* old = entry;
  entry = EntryStore::edit(entry, new_length, bytes);
  if (entry != old) exchange(key, old, entry);
  return bytes;
}

Detached Keyspace::detach(Key key) {
  return Detached(table_.remove(key.name, key.hash));
}

Detached Keyspace::detach(Key key, Entry* known) {
  const EntryTable::Slot slot = table_.slot_of(known, key.hash);
  AE_ASSERT(slot);
  return Detached(table_.remove(slot));
}

// The destructors of the temporaries free what was detached.
bool Keyspace::erase(Key key) {
  return static_cast<bool>(detach(key));
}
void Keyspace::erase(Key key, Entry* known) {
  detach(key, known);
}

Entry* Keyspace::attach(Key new_name, Detached detached) {
  Entry* entry = detached.release();
  if (entry->key() != new_name.name) {
    entry = EntryStore::rebuild(entry, new_name.name, entry->expire_at_ms());
  }
  return insert(new_name, entry);
}

Entry* Keyspace::set_expiry(Key key, Entry* entry, int64_t expire_at_ms) {
  if (expire_at_ms == kNoExpiry) return clear_expiry(key, entry);
  if (entry->has_expiry()) {
    EntryStore::replace_expiry(entry, expire_at_ms);
    return entry;
  }
  return exchange(key, entry, EntryStore::rebuild(entry, key.name, expire_at_ms));
}

Entry* Keyspace::clear_expiry(Key key, Entry* entry) {
  if (!entry->has_expiry()) return entry;
  return exchange(key, entry, EntryStore::rebuild(entry, key.name, kNoExpiry));
}

void Keyspace::check() const {
  table_.check();
  size_t expiring = 0;
  for_each([&](const Entry& entry) {
    expiring += entry.has_expiry() ? 1 : 0;
    const EntryTable::Slot slot = table_.find_slot(entry.key(), hash(entry.key()));
    AE_ASSERT(slot && slot.element() == &entry && slot.marked() == entry.has_expiry());
  });
  AE_ASSERT(expiring == this->expiring());
}

}  // namespace millrace
