#include "server/command/context.h"

#include "server/command/clients.h"
#include "server/config/config.h"

namespace millrace {
namespace {

std::string_view removal_verb(const Config& config) {
  return config.lazyfree_lazy_expire ? "UNLINK" : "DEL";
}

}  // namespace

void Context::fail(std::string_view error) {
  if (failed_) return;
  failed_ = true;
  services_.stats.count_error(error);
  reply_.error(error);
}

void Context::fail_counted(std::string_view error) {
  if (failed_) return;
  failed_ = true;
  reply_.error(error);
}

void Context::select(uint8_t db) {
  session_.db = db;
  db_ = &services_.databases[db];
}

Entry* Context::drop_if_expired(Key key, Entry* entry) {
  if (!entry || !entry->has_expiry() || entry->expire_at_ms() > now_ms()) return entry;
  return meet_expired(key, entry);
}

// Whoever replays a stream sees the keys as they were: the stream says itself when one is gone. On
// a replica nobody deletes what the master has not; but a writer of its own finds a free place.
Entry* Context::meet_expired(Key key, Entry* entry) {
  if (session_.replays || services_.state.loading()) return entry;
  const bool follows = services_.state.follows_master();
  if ((follows || services_.clients.is_paused(now_ms())) && !command_.spec->has(kWrite))
    return nullptr;
  ++services_.stats.expired_keys;
  Detached gone = db_->detach(key, entry);  // the key's name may be its own
  services_.effects.noted(session_.db, key, KeyEventClass::kExpired, "expired");
  if (!follows) services_.feed.key_went(session_.db, key.name, removal_verb(config()));
  if (config().lazyfree_lazy_expire) services_.lazy_free.add(std::move(gone));
  return nullptr;
}

void Context::touch(Entry& entry) {
  if (session_.has(SessionFlag::kNoTouch)) return;
  services_.access_clock.touch(entry);
}

Entry* Context::inspect(Key key) {
  Entry* entry = drop_if_expired(key, db_->find(key));
  if (entry) {
    ++services_.stats.keyspace_hits;
  } else {
    ++services_.stats.keyspace_misses;
    services_.effects.noted(session_.db, key, KeyEventClass::kMiss, "keymiss");
  }
  return entry;
}

Entry* Context::read(Key key) {
  Entry* entry = inspect(key);
  if (entry) touch(*entry);
  return entry;
}

Entry* Context::write(Key key) {
  Entry* entry = drop_if_expired(key, db_->find(key));
  if (entry) touch(*entry);
  return entry;
}

Entry* Context::peek(Key key) {
  return drop_if_expired(key, db_->find(key));
}

void Context::block(const BlockTerms& terms) {
  blocked_ = true;
  services_.blocking.block(session_, command_, args_, terms);
}

void Context::remove(Key key, std::string_view event) {
  db_->erase(key);
  modified(key, KeyEventClass::kGeneric, event);
}

void Context::remove_if_empty(Key key, Entry* entry) {
  if (entry->collection_size() == 0) remove(key);
}

}  // namespace millrace
