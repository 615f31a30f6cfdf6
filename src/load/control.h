// What the conductor and a worker say to each other, over a socketpair: an order, then its result.
// Both sides are the same program, forked, so plain records travel as they lie in memory.
//
// Blocking: neither side has anything else to do meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "ae/base/clock.h"

namespace load {

struct Order {
  uint32_t phase = 0;   // index into the run's phases
  ae::TimePoint start;  // on the clock that all processes of a machine share
};

// False when the other side is gone.
bool send_bytes(int fd, const void* bytes, size_t size);
bool receive_bytes(int fd, void* bytes, size_t size);

template <typename Record>
bool send_record(int fd, const Record& record) {
  static_assert(std::is_trivially_copyable_v<Record>);
  return send_bytes(fd, &record, sizeof(record));
}

template <typename Record>
bool receive_record(int fd, Record& record) {
  static_assert(std::is_trivially_copyable_v<Record>);
  return receive_bytes(fd, &record, sizeof(record));
}

}  // namespace load
