// Whole seconds from one moment to another, as INFO, ROLE and the timeouts of the configuration
// count.
#pragma once

#include <cstdint>

#include "ae/base/clock.h"

namespace millrace {

inline int64_t seconds_between(ae::TimePoint from, ae::TimePoint to) {
  return std::chrono::duration_cast<ae::Seconds>(to - from).count();
}

}  // namespace millrace
