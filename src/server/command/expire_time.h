// Times of expiry as commands give them: seconds or milliseconds, from now or since 1970, to the
// one form that entries keep, milliseconds since 1970. Overflow is an error, not a wrap.
#pragma once

#include <cstdint>
#include <optional>

namespace millrace {

enum class TimeUnit : uint8_t { kSeconds, kMilliseconds };
enum class TimeBase : uint8_t { kNow, kEpoch };

// Nothing where the result does not fit.
inline std::optional<int64_t> expire_at_ms(int64_t value, TimeUnit unit, TimeBase base,
                                           int64_t now_ms) {
  int64_t ms = value;
  if (unit == TimeUnit::kSeconds && __builtin_mul_overflow(value, int64_t{1000}, &ms))
    return std::nullopt;
  if (base == TimeBase::kNow && __builtin_add_overflow(ms, now_ms, &ms)) return std::nullopt;
  return ms;
}

}  // namespace millrace
