// When, or how often, a key was used: the meaning of an entry's 24 access bits. Eviction and OBJECT
// IDLETIME / FREQ read them.
//
//   LRU   24 bits: seconds, modulo 2^24 (194 days)
//   LFU   16 bits: minutes, modulo 2^16 (45 days), of the last decay | 8 bits: a logarithmic
//   counter
//
// The LFU counter is probabilistic (R. Morris, "Counting large numbers of events in small
// registers", 1978): an access raises it with probability 1 / ((counter - kInitialCount) * log
// factor + 1), so that 8 bits reach a million accesses; it loses one for every `decay minutes` that
// pass. These are Redis' rules and numbers, as OBJECT FREQ shows them.
//
// The bits mean one or the other by the policy in force. When the policy changes from one to the
// other they are misread until a key is used again, as in Redis.
//
// Thread: the main thread's. Time comes from set_now(), once a tick; there is no clock in here.
#pragma once

#include <cstdint>

#include "ae/base/prng.h"
#include "server/db/entry.h"

namespace millrace {

class AccessClock {
 public:
  enum class Measure : uint8_t { kRecency, kFrequency };

  struct Settings {
    Measure measure = Measure::kRecency;
    int lfu_log_factor = 10;
    int lfu_decay_minutes = 1;  // 0: no decay
  };

  static constexpr uint32_t kBits = 24;
  static constexpr uint32_t kMask = (1U << kBits) - 1;
  // New keys must not be the first to go before they had a chance to be used.
  static constexpr uint8_t kInitialCount = 5;

  void configure(const Settings& settings) {
    settings_ = settings;
    refresh();
  }
  const Settings& settings() const { return settings_; }
  void set_now(int64_t unix_ms) {
    if (unix_ms / 1000 == now_s_) return;
    now_s_ = unix_ms / 1000;
    recency_ = static_cast<uint32_t>(now_s_) & kMask;
    minutes_ = static_cast<uint32_t>(now_s_ / 60) & 0xffff;
  }

  // The bits of a key that is made now.
  uint32_t initial() const {
    if (settings_.measure == Measure::kRecency) return recency_;
    return minutes_ << 8 | kInitialCount;
  }
  // The bits of a key whose value is replaced: it was used, but its frequency is what it was.
  uint32_t after_overwrite(uint32_t bits) const {
    return settings_.measure == Measure::kRecency ? recency_ : bits;
  }
  // The key was used.
  void touch(Entry& entry) {
    if (traces_ == Traces::kRecency) [[likely]]
      entry.set_access(recency_);
    else if (traces_ == Traces::kFrequency)
      entry.set_access(count_access(entry.access()));
  }
  // While a forked child shares the memory, a mark on every key that is looked at would copy it
  // page by page: nothing is marked until release().
  void hold() {
    held_ = true;
    refresh();
  }
  void release() {
    held_ = false;
    refresh();
  }

  // OBJECT IDLETIME; with kRecency only.
  uint32_t idle_seconds(const Entry& entry) const { return (recency_ - entry.access()) & kMask; }
  // OBJECT FREQ: the counter as it is after the decay that is due; with kFrequency only.
  uint8_t frequency(const Entry& entry) const { return decayed(entry.access()); }

  // Bits that say a given idle time or frequency, for RESTORE's options and for tests.
  uint32_t bits_of_idle(uint32_t idle_seconds) const { return (recency_ - idle_seconds) & kMask; }
  uint32_t bits_of_frequency(uint8_t count) const { return minutes_ << 8 | count; }

 private:
  enum class Traces : uint8_t { kRecency, kFrequency, kNone };
  void refresh() {
    const bool by_recency = settings_.measure == Measure::kRecency;
    traces_ = by_recency ? Traces::kRecency : Traces::kFrequency;
    if (held_) traces_ = Traces::kNone;
  }
  uint8_t decayed(uint32_t bits) const;
  uint32_t count_access(uint32_t bits);

  Settings settings_;
  Traces traces_ = Traces::kRecency;
  bool held_ = false;
  int64_t now_s_ = 0;
  uint32_t recency_ = 0;
  uint32_t minutes_ = 0;
  ae::Prng prng_{0x6d696c6c};
};

}  // namespace millrace
