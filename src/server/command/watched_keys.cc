#include "server/command/watched_keys.h"

#include <algorithm>

namespace millrace {
namespace {

bool is_over(const Entry& entry, int64_t now_ms) {
  return entry.has_expiry() && entry.expire_at_ms() <= now_ms;
}

}  // namespace

WatchedKeys::WatchedKeys(Clients& clients, Effects& effects, Databases& databases)
    : clients_(clients), effects_(effects), databases_(databases) {
  clients_.on_leave([this](Session& session) { unwatch(session); });
}

void WatchedKeys::watch(Session& session, Key key, int64_t now_ms) {
  const DbKey wanted{session.db, key};
  std::vector<SessionId>& watchers = watchers_[wanted];
  if (std::find(watchers.begin(), watchers.end(), session.self) != watchers.end()) return;
  watchers.push_back(session.self);
  clients_.change_extras(session, [&](SessionExtras& extras) {
    if (!extras.watches) {
      extras.watches = std::make_unique<Watches>();
      ++clients_watching_;
    }
    extras.watches->keys.emplace_back(wanted);
    const Entry* entry = databases_[session.db].find(key);
    extras.watches->keys.back().was_gone = entry && is_over(*entry, now_ms);
  });
  effects_.attach(*this);
}

void WatchedKeys::unwatch(Session& session) {
  if (!session.extras || !session.extras->watches) return;
  std::unique_ptr<Watches> watches;
  clients_.change_extras(session,
                         [&](SessionExtras& extras) { watches = std::move(extras.watches); });
  --clients_watching_;
  for (const KeptKey& key : watches->keys) {
    std::vector<SessionId>& watchers = *watchers_.find(key.view());
    std::erase(watchers, session.self);
    if (watchers.empty()) watchers_.erase(key.view());
  }
  if (watchers_.empty()) effects_.detach(*this);
}

void WatchedKeys::on_change(const KeyChange& change) {
  if (!change.is_change()) return;
  const DbKey changed{change.db, change.key};
  const auto* watchers = watchers_.find(changed);
  if (!watchers) return;
  const bool absent = databases_[change.db].find(change.key) == nullptr;
  for (const SessionId id : *watchers) note_change(watches_of(id), changed, absent);
}

// One that was gone already may go.
void WatchedKeys::note_change(Watches& watches, DbKey changed, bool absent) {
  const auto known = std::find_if(
      watches.keys.begin(), watches.keys.end(),
      [&](const KeptKey& key) { return key.db == changed.db && key.name == changed.key.name; });
  if (absent && known->was_gone) {
    known->was_gone = false;
  } else {
    watches.broken = true;
  }
}

// A key that was not there before and is not there now has not changed.
void WatchedKeys::on_emptied(int db) {
  for (auto& [key, watchers] : watchers_) {
    if (db != Effects::kEveryDb && key.db != db) continue;
    if (!databases_[key.db].find(key.view().key)) continue;
    for (const SessionId id : watchers) note_change(watches_of(id), key.view(), true);
  }
}

void WatchedKeys::swapped(uint8_t a, uint8_t b, int64_t now_ms) {
  for (auto& [kept, watchers] : watchers_) {
    if (kept.db != a && kept.db != b) continue;
    for (const SessionId id : watchers) {
      Watches& watches = watches_of(id);
      for (WatchedKey& key : watches.keys)
        if (key.db == kept.db && key.name == kept.name)
          note_swap(key, watches.broken, kept.db == a ? b : a, now_ms);
    }
  }
}

void WatchedKeys::note_swap(WatchedKey& key, bool& broken, uint8_t other, int64_t now_ms) const {
  const Entry* now = databases_[key.db].find(key.view().key);
  const Entry* before = databases_[other].find(key.view().key);
  const bool gone_now = !now || is_over(*now, now_ms);
  const bool gone_before = !before || key.was_gone;
  if (!gone_now || !gone_before) {
    broken = true;
  } else {
    key.was_gone = now != nullptr;
  }
}

}  // namespace millrace
