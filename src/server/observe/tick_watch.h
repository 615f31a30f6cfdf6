// What fills a tick, and the worst ticks of the last hour: LATENCY TICKS.
//
// The loop's account (ae/core/tick_account.h) knows how long each phase of a tick took. This adds
// what the server did in it: how many commands ran and which of them took longest, on which key;
// how long the cron's slices were. Notes are taken at each tick, in place and without allocation;
// only a tick above `latency-ticks-threshold` becomes an entry.
//
//   account -> on_long_tick -> TickWatch::describe -> TickLog::add -> LATENCY TICKS
//
// Of a command its name and its first key are kept, and no other argument: no key is a secret.
// Commands that are not timed (core/dispatch.h) cannot be the longest; each takes microseconds.
//
// Thread: TickWatch is the command loop's. TickLog is anybody's, so that other loops can report
// their ticks; it locks, for what happens this seldom.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "ae/core/tick_account.h"
#include "server/observe/slow_log.h"

namespace millrace {

class Context;
struct Command;
struct ServerStats;

// Slices of housekeeping, wherever in the tick they ran. Expiry that the cron began is in both.
enum class TickPart : uint8_t { kCron, kExpiry, kEviction, kFreeing };
inline constexpr size_t kTickParts = 4;
inline constexpr std::string_view kTickPartNames[kTickParts] = {"cron", "expiry", "eviction",
                                                                "freeing"};

struct LongTick {
  std::string loop;
  ae::TickRecord record;
  std::array<ae::Nanoseconds, kTickParts> parts{};
  uint64_t commands = 0;
  // The longest of those that were timed; no name: none was.
  std::string_view command = {};
  bool has_key = false;
  std::string key = {};
  ae::Nanoseconds command_took{0};
  uint64_t client_id = 0;

  ae::Nanoseconds length() const { return record.total + record.late; }
  // The phase that took most, or "late".
  std::string_view filled_by() const;
};

class TickLog {
 public:
  // As many as one reads; and for so long, because what was slow yesterday hides what is slow now.
  static constexpr size_t kMaxEntries = 16;
  static constexpr int64_t kMaxAgeUs = 3'600'000'000;

  void add(LongTick tick, int64_t now_us);
  // The longest first.
  std::vector<LongTick> worst(int64_t now_us);
  // Returns how many there were.
  size_t reset();

 private:
  void drop_old(int64_t now_us);

  std::mutex mutex_;
  std::vector<LongTick> entries_;  // sorted
};

class TickWatch {
 public:
  explicit TickWatch(ae::TickAccount& account) : account_(account) {}

  ae::TickAccount& account() { return account_; }
  TickLog& log() { return log_; }

  // When the loop has woken.
  void begin(const ServerStats& stats);
  // For each command that was timed.
  void command_took(Context& context, ae::Nanoseconds took) {
    if (took > longest_) note(context, took);
  }
  void part_took(TickPart part, ae::Nanoseconds took) { parts_[size_t(part)] += took; }
  // The tick that ends now.
  void keep(const ae::TickRecord& record, const ServerStats& stats);

 private:
  void note(Context& context, ae::Nanoseconds took);

  ae::TickAccount& account_;
  TickLog log_;
  uint64_t commands_before_ = 0;
  std::array<ae::Nanoseconds, kTickParts> parts_{};
  ae::Nanoseconds longest_{0};
  const Command* command_ = nullptr;
  uint64_t client_id_ = 0;
  bool has_key_ = false;
  size_t key_bytes_ = 0;
  std::array<char, SlowLog::kMaxArgumentBytes> key_{};  // its beginning
};

// Times a slice of housekeeping, for the watch.
class TickPartScope {
 public:
  TickPartScope(TickWatch& watch, TickPart part, ae::Clock& clock)
      : watch_(watch), part_(part), clock_(clock), start_(clock.now()) {}
  ~TickPartScope() { watch_.part_took(part_, clock_.now() - start_); }
  TickPartScope(const TickPartScope&) = delete;
  TickPartScope& operator=(const TickPartScope&) = delete;

 private:
  TickWatch& watch_;
  TickPart part_;
  ae::Clock& clock_;
  ae::TimePoint start_;
};

}  // namespace millrace
