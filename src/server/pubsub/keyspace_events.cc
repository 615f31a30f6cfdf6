#include "server/pubsub/keyspace_events.h"

#include <string>

#include "server/config/config.h"

namespace millrace {
namespace {

std::string channel_name(std::string_view kind, uint8_t db, std::string_view rest) {
  std::string name = "__";
  name.append(kind).append("@").append(std::to_string(db)).append("__:").append(rest);
  return name;
}

}  // namespace

void KeyspaceEvents::set(uint32_t bits) {
  if (bits == bits_) return;
  bits_ = bits;
  constexpr uint32_t kWays = keyspace_events::kKeyspace | keyspace_events::kKeyevent;
  const bool any = (bits & kWays) != 0 && (bits & ~kWays) != 0;
  any ? effects_.attach(*this) : effects_.detach(*this);
  set_new_key_hooks();
}

void KeyspaceEvents::set_new_key_hooks() {
  for (size_t i = 0; i < databases_.count(); ++i) {
    Keyspace::NewKeyHook hook;
    if (bits_ & keyspace_events::kNew)
      hook = [this, db = uint8_t(i)](Key key) { publish(db, key.name, "new"); };
    databases_[i].on_new_key(std::move(hook));
  }
}

void KeyspaceEvents::on_change(const KeyChange& change) {
  if (bits_ & uint32_t(change.event_class)) publish(change.db, change.key.name, change.event);
}

void KeyspaceEvents::publish(uint8_t db, std::string_view key, std::string_view event) {
  if (pub_sub_.empty()) return;
  if (bits_ & keyspace_events::kKeyspace)
    pub_sub_.publish(channel_name("keyspace", db, key), event);
  if (bits_ & keyspace_events::kKeyevent)
    pub_sub_.publish(channel_name("keyevent", db, event), key);
}

}  // namespace millrace
