// SLOWLOG: the commands that took longest, with their arguments, newest first.
//
// Kept in memory, at most slowlog-max-len entries of at most kMaxArguments arguments of at most
// kMaxArgumentBytes each, so a log of slow commands on huge values stays small.
//
// Thread: the loop that runs commands.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "server/config/config.h"

namespace millrace {

class Context;

class SlowLog {
 public:
  static constexpr size_t kMaxArguments = 32;
  static constexpr size_t kMaxArgumentBytes = 128;

  struct Entry {
    uint64_t id;
    int64_t unix_s;
    uint64_t us;
    std::vector<std::string> args;
    std::string peer;
    std::string client_name;
  };

  explicit SlowLog(const Config& config) : config_(config) {}

  // Called with the duration of every command that was timed.
  void consider(Context& context, uint64_t us) {
    const int64_t threshold_us = config_.slowlog_log_slower_than_us;
    if (threshold_us < 0 || us < uint64_t(threshold_us)) return;
    add(context, us);
  }
  // An argument as it is shown, of which at least the first kMaxArgumentBytes are in `text`.
  static std::string shortened(std::string_view text, size_t whole_bytes);
  const std::deque<Entry>& entries() const { return entries_; }  // newest first
  void reset() { entries_.clear(); }
  // After slowlog-max-len has changed.
  void trim();

 private:
  void add(Context& context, uint64_t us);

  const Config& config_;
  std::deque<Entry> entries_;
  uint64_t next_id_ = 0;
};

}  // namespace millrace
