#include "server/command/watched_keys.h"

#include <algorithm>

namespace millrace {

WatchedKeys::WatchedKeys(Clients& clients, Effects& effects, Databases& databases)
    : clients_(clients), effects_(effects), databases_(databases) {
  clients_.on_leave([this](Session& session) { unwatch(session); });
}

void WatchedKeys::watch(Session& session, Key key) {
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
  if (const auto* watchers = watchers_.find({change.db, change.key})) break_watches(*watchers);
}

void WatchedKeys::break_watches(const std::vector<SessionId>& watchers) {
  for (const SessionId id : watchers) clients_.find(id)->extras->watches->broken = true;
}

// A key that was not there before and is not there now has not changed.
void WatchedKeys::on_emptied(int db) {
  for (auto& [key, watchers] : watchers_) {
    if (db != Effects::kEveryDb && key.db != db) continue;
    if (databases_[key.db].find(key.view().key)) break_watches(watchers);
  }
}

void WatchedKeys::on_swapped(uint8_t a, uint8_t b) {
  for (auto& [key, watchers] : watchers_) {
    if (key.db != a && key.db != b) continue;
    const Key name = key.view().key;
    if (databases_[a].find(name) || databases_[b].find(name)) break_watches(watchers);
  }
}

}  // namespace millrace
