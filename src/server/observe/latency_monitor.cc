#include "server/observe/latency_monitor.h"

#include <algorithm>

namespace millrace {

void LatencyMonitor::add(std::string_view name, uint32_t ms, int64_t unix_s) {
  auto found = events_.find(name);
  if (found == events_.end()) found = events_.emplace(name, Event{}).first;
  Event& event = found->second;
  event.max_ms = std::max(event.max_ms, ms);
  if (event.count > 0) {
    Sample& last = event.samples[(event.next + kHistory - 1) % kHistory];
    if (last.unix_s == unix_s) {
      last.ms = std::max(last.ms, ms);
      return;
    }
  }
  event.samples[event.next] = {unix_s, ms};
  event.next = (event.next + 1) % kHistory;
  event.count = std::min(event.count + 1, kHistory);
}

const LatencyMonitor::Event* LatencyMonitor::find(std::string_view name) const {
  auto found = events_.find(name);
  return found == events_.end() ? nullptr : &found->second;
}

size_t LatencyMonitor::reset(std::string_view name) {
  auto found = events_.find(name);
  if (found == events_.end()) return 0;
  events_.erase(found);
  return 1;
}

size_t LatencyMonitor::reset_all() {
  size_t count = events_.size();
  events_.clear();
  return count;
}

}  // namespace millrace
