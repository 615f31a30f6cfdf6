// "Logged once, not per byte": lets an event through once per interval and key, and counts the
// rest.
//
//   RateLimit limit(ae::Seconds(60));
//   if (auto suppressed = limit.admit(key_of(peer), now)) write(..., *suppressed);
//
// A key is any number: the address of a format string, a hash of a peer's address. Keys share a
// fixed number of slots, so that somebody who invents keys (a million source addresses) gets no
// more than kSlots lines an interval and no memory at all; two keys that fall into one slot share
// its allowance.
//
// Thread: its owner's. Time comes in from outside.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "ae/base/clock.h"

namespace millrace {

class RateLimit {
 public:
  // Enough that ten noisy peers seldom meet, few enough to bound the log.
  static constexpr size_t kSlots = 64;

  explicit RateLimit(ae::Nanoseconds interval) : interval_(interval) {}

  // How many events were held back since the last one that was let through; nothing: hold this one
  // back. `now` counts from any moment, and does not go back.
  std::optional<uint64_t> admit(uint64_t key, ae::Nanoseconds now) {
    Slot& slot = slots_[mixed(key) % kSlots];
    if (slot.used && now - slot.let_through < interval_) {
      ++slot.held_back;
      return std::nullopt;
    }
    const uint64_t held_back = slot.held_back;
    slot = {now, 0, true};
    return held_back;
  }

 private:
  struct Slot {
    ae::Nanoseconds let_through{};
    uint64_t held_back = 0;
    bool used = false;
  };

  // Addresses differ in their middle bits only; a multiplication carries those to the top.
  static size_t mixed(uint64_t key) {
    constexpr uint64_t kGoldenRatio = 0x9e3779b97f4a7c15;  // 2^64 / φ
    return static_cast<size_t>((key * kGoldenRatio) >> 32);
  }

  ae::Nanoseconds interval_;
  std::array<Slot, kSlots> slots_{};
};

}  // namespace millrace
