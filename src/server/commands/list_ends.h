// What pushing, popping and moving share: the ends of a list, their events, and what follows once
// elements are gone.
#pragma once

#include "server/commands/collection.h"

namespace millrace {

using ds::End;

inline std::string_view push_event(End end) {
  return end == End::kFront ? "lpush" : "rpush";
}
inline std::string_view pop_event(End end) {
  return end == End::kFront ? "lpop" : "rpop";
}
// The command that pops there, for the stream of changes.
inline std::string_view pop_verb(End end) {
  return end == End::kFront ? "LPOP" : "RPOP";
}

// LEFT | RIGHT
inline End read_end(ArgReader& args) {
  if (args.take("LEFT")) return End::kFront;
  if (!args.take("RIGHT")) args.syntax_error();
  return End::kBack;
}

inline void reply_element(Context& c, const ds::Element& element) {
  if (element.is_integer()) return c.reply().bulk_integer(element.integer());
  c.reply().bulk(element.string());
}

// The event, and the end of the key or perhaps its small encoding.
inline void after_removal(Context& c, Key key, Entry* entry, std::string_view event) {
  c.modified(key, KeyEventClass::kList, event);
  if (entry->list().empty()) return c.remove(key);
  entry->list().settle_after_removal(list_limit(c));
}

}  // namespace millrace
