#include "server/observe/latency_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace millrace {
namespace {

using Event = LatencyMonitor::Event;

struct Summary {
  uint32_t low = UINT32_MAX;
  uint32_t high = 0;
  double mean = 0;
  double mean_deviation = 0;
  double seconds_between = 0;
};

Summary summarize(const Event& event) {
  Summary summary;
  for (size_t i = 0; i < event.count; ++i) {
    summary.low = std::min(summary.low, event.at(i).ms);
    summary.high = std::max(summary.high, event.at(i).ms);
    summary.mean += double(event.at(i).ms) / double(event.count);
  }
  for (size_t i = 0; i < event.count; ++i)
    summary.mean_deviation += std::abs(double(event.at(i).ms) - summary.mean) / double(event.count);
  const int64_t span_s = event.latest().unix_s - event.at(0).unix_s;
  if (event.count > 1) summary.seconds_between = double(span_s) / double(event.count - 1);
  return summary;
}

// --- the chart

constexpr int kRows = 4;
// A column's top, from low to high; below it stands a bar.
constexpr std::string_view kTops = "_o#";
constexpr int kLevels = kRows * int(kTops.size());

int level_of(uint32_t ms, const Summary& summary) {
  const uint32_t range = std::max(summary.high - summary.low, 1U);
  return int((ms - summary.low) * uint64_t(kLevels - 1) / range);
}

char cell(int level, int row_from_bottom) {
  const int top_row = level / int(kTops.size());
  if (row_from_bottom > top_row) return ' ';
  return row_from_bottom < top_row ? '|' : kTops[size_t(level % int(kTops.size()))];
}

std::string age_text(int64_t seconds) {
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m", seconds / 60);
  if (seconds < 86400) return fmt::format("{}h", seconds / 3600);
  return fmt::format("{}d", seconds / 86400);
}

void end_row(std::string& chart) {
  chart.erase(chart.find_last_not_of(' ') + 1);
  chart += '\n';
}

void append_bars(std::string& chart, const Event& event, const Summary& summary) {
  for (int row = kRows - 1; row >= 0; --row) {
    for (size_t i = 0; i < event.count; ++i) chart += cell(level_of(event.at(i).ms, summary), row);
    end_row(chart);
  }
}

// Ages read downwards.
void append_ages(std::string& chart, const Event& event, int64_t now_s) {
  std::vector<std::string> ages;
  size_t longest = 0;
  for (size_t i = 0; i < event.count; ++i) {
    ages.push_back(age_text(std::max<int64_t>(now_s - event.at(i).unix_s, 0)));
    longest = std::max(longest, ages.back().size());
  }
  for (size_t line = 0; line < longest; ++line) {
    for (const std::string& age : ages) chart += line < age.size() ? age[line] : ' ';
    end_row(chart);
  }
}

// --- the report

struct Advice {
  std::string_view event;
  std::string_view text;
};
constexpr Advice kAdvice[] = {
    {"command",
     "SLOWLOG GET names the commands; those that walk a whole collection or keyspace are the usual "
     "ones. UNLINK instead of DEL, and SCAN instead of KEYS, spread the work."},
    {"fast-command",
     "These commands need next to no time of their own: look for a busy or swapping machine, or a "
     "virtual one that was not given its processor."},
    {"expire-cycle",
     "Many keys expire at once. Spread their times, or lower active-expire-effort."},
    {"eviction-cycle",
     "Keys are evicted faster than is comfortable. Raise maxmemory, or lower "
     "maxmemory-eviction-tenacity."},
};

void append_finding(std::string& report, std::string_view name, const Event& event, int64_t now_s) {
  const Summary summary = summarize(event);
  report += fmt::format(
      "* {}: {} latency spike{}, {:.0f} ms on average (mean deviation {:.0f} ms, worst {} ms), the "
      "last "
      "one {} seconds ago",
      name, event.count, event.count == 1 ? "" : "s", summary.mean, summary.mean_deviation,
      event.max_ms, std::max<int64_t>(now_s - event.latest().unix_s, 0));
  if (event.count > 1) report += fmt::format(", one every {:.1f} seconds", summary.seconds_between);
  report += ".\n";
  for (const Advice& advice : kAdvice)
    if (advice.event == name) report += fmt::format("  {}\n", advice.text);
}

}  // namespace

std::string latency_chart(std::string_view name, const Event& event, int64_t now_s) {
  const Summary summary = summarize(event);
  std::string chart = fmt::format("{} - high {} ms, low {} ms (all time high {} ms)\n", name,
                                  summary.high, summary.low, event.max_ms);
  chart.append(chart.size() - 1, '-') += '\n';
  append_bars(chart, event, summary);
  chart += '\n';
  append_ages(chart, event, now_s);
  return chart;
}

std::string latency_report(const LatencyMonitor& monitor, int64_t now_s) {
  if (!monitor.on() && monitor.events().empty())
    return "Latency monitoring is off. CONFIG SET latency-monitor-threshold <milliseconds> turns "
           "it "
           "on.\n";
  if (monitor.events().empty()) return "No latency spike was seen.\n";
  std::string report;
  for (const auto& [name, event] : monitor.events()) append_finding(report, name, event, now_s);
  return report;
}

}  // namespace millrace
