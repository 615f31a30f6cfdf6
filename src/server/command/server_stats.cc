#include "server/command/server_stats.h"

#include "ae/core/tick_account.h"
#include "server/command/lifecycle.h"

namespace millrace {

LoopTraffic LoopTraffic::of(const Lifecycle& lifecycle) {
  const auto us = [](ae::Nanoseconds time) { return time.count() / 1000; };
  const ae::TickAccount& account = *lifecycle.loops().front().account;
  return {.cycles = account.ticks(),
          .duration_us = us(account.busy() - account.durations(ae::Phase::kPoll).sum()),
          .command_us = us(account.durations(ae::Phase::kRun).sum())};
}

void ServerStats::count_error(std::string_view error) {
  ++errors_replied;
  std::string_view code = error.substr(0, error.find(' '));
  auto found = errors_by_code.find(code);
  if (found != errors_by_code.end()) {
    ++found->second;
  } else if (errors_by_code.size() < kMaxErrorCodes) {
    errors_by_code.emplace(code, 1);
  }
}

}  // namespace millrace
