// LATENCY: spikes of named events ("command", "fast-command", "expire-cycle", "eviction-cycle" ...)
// that reached latency-monitor-threshold, the last 160 seconds' worth of each.
//
// Thread: the loop that runs commands.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "server/command/table.h"
#include "server/config/config.h"

namespace millrace {

class LatencyMonitor {
 public:
  static constexpr size_t kHistory = 160;

  struct Sample {
    int64_t unix_s = 0;
    uint32_t ms = 0;
  };
  // A ring: samples of the same second are merged, the longest stays.
  struct Event {
    std::array<Sample, kHistory> samples{};
    size_t next = 0;
    size_t count = 0;
    uint32_t max_ms = 0;

    // 0 is the oldest.
    const Sample& at(size_t i) const { return samples[(next + kHistory - count + i) % kHistory]; }
    const Sample& latest() const { return at(count - 1); }
  };

  explicit LatencyMonitor(const Config& config) : config_(config) {}

  void command_took(const Command& command, uint64_t us, int64_t unix_s) {
    if (!on() || us < uint64_t(config_.latency_monitor_threshold_ms) * 1000) return;
    add(command.spec->has(kFast) ? "fast-command" : "command", uint32_t(us / 1000), unix_s);
  }
  void sample(std::string_view event, uint64_t us, int64_t unix_s) {
    if (!on() || us < uint64_t(config_.latency_monitor_threshold_ms) * 1000) return;
    add(event, uint32_t(us / 1000), unix_s);
  }
  bool on() const { return config_.latency_monitor_threshold_ms > 0; }

  const std::map<std::string, Event, std::less<>>& events() const { return events_; }
  const Event* find(std::string_view name) const;
  // Forgets one event, or all; returns how many.
  size_t reset(std::string_view name);
  size_t reset_all();

 private:
  void add(std::string_view event, uint32_t ms, int64_t unix_s);

  const Config& config_;
  std::map<std::string, Event, std::less<>> events_;  // a handful: the names stand in our source
};

}  // namespace millrace
