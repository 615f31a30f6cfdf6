// What decides the encoding a value has after loading: the thresholds of the configuration.
#pragma once

#include <cstdint>

#include "server/config/config.h"
#include "server/ds/collection_limits.h"
#include "server/ds/list_limit.h"

namespace millrace {

struct ValueLimits {
  ds::ListLimit list = ds::ListLimit();
  ds::ListpackLimits hash = {};
  ds::ListpackLimits sorted_set = {};
  ds::StringSetLimits set = {};

  static ValueLimits of(const Config& config) {
    return {
        .list = ds::ListLimit(config.list_max_listpack_size),
        .hash = {config.hash_max_listpack_entries, config.hash_max_listpack_value_bytes},
        .sorted_set = {config.zset_max_listpack_entries, config.zset_max_listpack_value_bytes},
        .set = {config.set_max_intset_entries, config.set_max_listpack_entries,
                config.set_max_listpack_value_bytes},
    };
  }
};

}  // namespace millrace
