// The latency monitor's samples as text for a person: LATENCY GRAPH and LATENCY DOCTOR.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/observe/latency_monitor.h"

namespace millrace {

// A chart of one event, a column per sample, the oldest to the left; below each column its age.
//
//   command - high 500 ms, low 100 ms (all time high 500 ms)
//   --------------------------------------------------------
//      #
//      |
//    o |
//   _| |
//
//   43 1
//   ms 5
//     s
std::string latency_chart(std::string_view name, const LatencyMonitor::Event& event, int64_t now_s);

// A few sentences about every event, with what usually helps.
std::string latency_report(const LatencyMonitor& monitor, int64_t now_s);

}  // namespace millrace
