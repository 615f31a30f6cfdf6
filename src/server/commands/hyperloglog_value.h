// A string that is a HyperLogLog, as the commands on them see it.
#pragma once

#include <string_view>

#include "server/command/context.h"
#include "server/config/config.h"
#include "server/ds/hyperloglog.h"

namespace millrace {

inline constexpr std::string_view kCorruptHyperLogLog = "INVALIDOBJ Corrupted HLL object detected";

// A change that the log and watchers must learn of, and no keyspace event tells.
inline constexpr auto kNoEvent = KeyEventClass{0};

// Whether a key's value, which is there, is one; false: answered an error.
bool is_hyperloglog(Context& c, const Entry& entry);

// Makes an empty one under a key that is absent.
Entry* add_hyperloglog(Context& c, Key key);

// Calls f(HyperLogLog&) with the value, which must be one, to be changed; `entry` may move.
template <typename F>
auto edit_hyperloglog(Context& c, Key key, Entry*& entry, F&& f) {
  const auto resize = [&](size_t length) { return c.db().edit_string(key, entry, length); };
  ds::HyperLogLog value(resize(entry->text_length()), resize, c.config().hll_sparse_max_bytes);
  return f(value);
}

}  // namespace millrace
