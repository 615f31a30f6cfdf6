// What a descriptor can be ready for, and how a registration wants to hear of it.
#pragma once

#include <cstdint>

namespace ae {

enum class Events : uint8_t {
  kNone = 0,
  kReadable = 1,
  kWritable = 2,
  kReadWrite = 3,
  // The peer sent FIN (EPOLLRDHUP). Always delivered together with kReadable: the handler learns
  // the truth from its own read; this bit only tells it that the end is near.
  kHalfClosed = 4,
  // Not an event but an order: deliver Writable before Readable in this tick. For a reply that must
  // leave after an fsync made in before-sleep and before the next request is read.
  kBarrier = 8,
};

constexpr Events operator|(Events a, Events b) {
  return Events(uint8_t(a) | uint8_t(b));
}
constexpr Events operator&(Events a, Events b) {
  return Events(uint8_t(a) & uint8_t(b));
}
constexpr Events operator~(Events a) {
  return Events(~uint8_t(a) & 0x0f);
}
constexpr bool any(Events a) {
  return a != Events::kNone;
}

// How a registration is armed. Level-triggered unless asked otherwise; a poller that cannot do the
// others says so (Poller::supports) and refuses the registration with ENOTSUP.
enum class Trigger : uint8_t { kLevel, kEdge, kOneShot, kExclusive };

// Whose events come first in a tick. kUrgent is for a few: an operator's lane into a busy server.
enum class Priority : uint8_t { kNormal, kUrgent };

}  // namespace ae
