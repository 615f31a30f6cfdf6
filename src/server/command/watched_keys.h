// WATCH: optimistic locking. A client names keys; if one of them is another when it says EXEC, the
// transaction does not run. From key to watchers for those who change keys, from client to keys for
// the end.
//
// Costs: nothing while nobody watches (this is then no observer of changes); else a lookup per
// change.
//
// Thread: the one that runs commands.
#pragma once

#include <memory>
#include <vector>

#include "server/command/clients.h"
#include "server/command/effects.h"
#include "server/command/key_index.h"
#include "server/db/databases.h"

namespace millrace {

class WatchedKeys final : private ChangeObserver {
 public:
  WatchedKeys(Clients& clients, Effects& effects, Databases& databases);

  void watch(Session& session, Key key, int64_t now_ms);
  // Without effect on one that watches nothing.
  void unwatch(Session& session);
  size_t key_count() const { return watchers_.size(); }
  // After two databases have changed places. (on_swapped() does not know the time.) That a key
  // which was not there is one whose time has come, or the other way round, is no change.
  void swapped(uint8_t a, uint8_t b, int64_t now_ms);
  // INFO: clients that watch something.
  size_t client_count() const { return clients_watching_; }

 private:
  void on_change(const KeyChange& change) override;
  void on_emptied(int db) override;
  void on_swapped(uint8_t, uint8_t) override {}
  Watches& watches_of(SessionId id) { return *clients_.find(id)->extras->watches; }
  static void note_change(Watches& watches, DbKey changed, bool absent);
  void note_swap(WatchedKey& key, bool& broken, uint8_t other, int64_t now_ms) const;

  Clients& clients_;
  Effects& effects_;
  Databases& databases_;
  KeyIndex<std::vector<SessionId>> watchers_;
  size_t clients_watching_ = 0;
};

}  // namespace millrace
