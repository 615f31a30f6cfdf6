// A process looked at from outside: memory and processor time, out of /proc.
#pragma once

#include <cstdint>
#include <optional>

#include "ae/base/clock.h"

namespace load {

struct ServerSample {
  ae::TimePoint taken;
  uint64_t resident_bytes = 0;
  ae::Nanoseconds cpu{0};  // since its start, all its threads
};

// Nothing where there is no such process, or it may not be looked at.
std::optional<ServerSample> sample_server(int pid);

}  // namespace load
