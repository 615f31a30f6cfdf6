// notify-keyspace-events: changes of keys as messages,
//
//   __keyspace@<db>__:<key>     says which event   (K)
//   __keyevent@<db>__:<event>   says which key     (E)
//
// for the classes that the directive names. With the directive empty, this observes nothing. That a
// key is new (class n) is no effect of a command but a fact of the keyspace, and comes from there.
//
// Thread: the one that runs commands.
#pragma once

#include <cstdint>

#include "server/command/effects.h"
#include "server/db/databases.h"
#include "server/pubsub/pub_sub.h"

namespace millrace {

class KeyspaceEvents final : private ChangeObserver {
 public:
  KeyspaceEvents(PubSub& pub_sub, Effects& effects, Databases& databases)
      : pub_sub_(pub_sub), effects_(effects), databases_(databases) {}

  // The directive's value (config.h, keyspace_events).
  void set(uint32_t bits);

 private:
  void on_change(const KeyChange& change) override;
  // Redis sends no events for these.
  void on_emptied(int) override {}
  void on_swapped(uint8_t, uint8_t) override {}

  void set_new_key_hooks();
  void publish(uint8_t db, std::string_view key, std::string_view event);

  PubSub& pub_sub_;
  Effects& effects_;
  Databases& databases_;
  uint32_t bits_ = 0;
};

}  // namespace millrace
