#include "server/observe/command_stats.h"

namespace millrace {

uint64_t CommandStats::Row::scaled_to_calls(uint64_t recorded) const {
  if (!histogram || histogram->total() == 0) return 0;
  return uint64_t(double(recorded) / double(histogram->total()) * double(calls));
}

CommandStats::CommandStats(size_t commands) : rows_(commands) {}

void CommandStats::record_time(uint16_t command_id, uint64_t ns) {
  Row& row = rows_[command_id];
  ++row.timed_calls;
  row.timed_ns += ns;
  if (!tracking_) return;
  if (!row.histogram) row.histogram = std::make_unique<LatencyHistogram>();
  row.histogram->record(ae::Nanoseconds(int64_t(ns)));
}

void CommandStats::reset() {
  for (Row& row : rows_) row = Row{};
}

}  // namespace millrace
