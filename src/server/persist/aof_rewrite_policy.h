// When an append-only file is to be rewritten by itself, and when not again so soon.
//
//   RewritePolicy policy;
//   if (policy.growth_percent(now, base) >= limit && !policy.is_held_back(now_s)) rewrite();
//   policy.finished(RewritePolicy::Outcome::kFailed);
//
// A rewrite that fails leaves one more increment behind. So after kPatience failures in a row the
// next one waits a minute, then two, four and so on up to an hour. Whoever asks for one by
// BGREWRITEAOF is not held back. The numbers are Redis 7's.
//
// Thread: the loop's.
#pragma once

#include <algorithm>
#include <cstdint>

namespace millrace {

class RewritePolicy {
 public:
  static constexpr uint64_t kPatience = 3;
  static constexpr int64_t kLongestDelayMinutes = 60;

  enum class Outcome : uint8_t { kDone, kFailed };
  void finished(Outcome outcome) {
    failures_ = outcome == Outcome::kDone ? 0 : failures_ + 1;
    if (failures_ < kPatience) delay_minutes_ = retry_at_s_ = 0;
  }
  uint64_t failures_in_a_row() const { return failures_; }

  // True with a new delay: it has just begun, and may be told of. It begins when somebody wants to
  // rewrite, and is over when it has passed, until the next failure.
  struct Delay {
    bool holds = false;
    int64_t begun_minutes = 0;  // 0: it had begun before
  };
  Delay ask(int64_t now_s) {
    if (failures_ < kPatience) return {};
    if (retry_at_s_ != 0) {
      if (now_s < retry_at_s_) return {true, 0};
      retry_at_s_ = 0;
      return {};
    }
    delay_minutes_ = std::clamp<int64_t>(delay_minutes_ * 2, 1, kLongestDelayMinutes);
    retry_at_s_ = now_s + delay_minutes_ * 60;
    return {true, delay_minutes_};
  }

  // How much larger the file is than after its last rewrite.
  static int64_t growth_percent(uint64_t bytes, uint64_t base_bytes) {
    const double base = base_bytes == 0 ? 1 : double(base_bytes);
    return int64_t(double(bytes) * 100 / base) - 100;
  }

 private:
  uint64_t failures_ = 0;
  int64_t delay_minutes_ = 0;
  int64_t retry_at_s_ = 0;  // 0: nothing is held back
};

}  // namespace millrace
