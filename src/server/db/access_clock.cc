#include "server/db/access_clock.h"

namespace millrace {

uint8_t AccessClock::decayed(uint32_t bits) const {
  const uint32_t count = bits & 0xff;
  if (settings_.lfu_decay_minutes == 0) return static_cast<uint8_t>(count);
  const uint32_t passed = (minutes_ - (bits >> 8)) & 0xffff;
  const uint32_t loss = passed / static_cast<uint32_t>(settings_.lfu_decay_minutes);
  return static_cast<uint8_t>(loss > count ? 0 : count - loss);
}

uint32_t AccessClock::count_access(uint32_t bits) {
  uint8_t count = decayed(bits);
  if (count != UINT8_MAX) {
    const double above = count > kInitialCount ? count - kInitialCount : 0;
    if (prng_.fraction() < 1.0 / (above * settings_.lfu_log_factor + 1)) ++count;
  }
  return minutes_ << 8 | count;
}

}  // namespace millrace
