// What a run came to, and the three ways to say it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "load/options.h"
#include "load/result.h"
#include "load/server_probe.h"

namespace load {

struct PhaseReport {
  Phase phase;
  std::unique_ptr<PhaseResult> result;
  std::optional<ServerSample> server_before, server_after;

  ae::Nanoseconds server_cpu() const { return server_after->cpu - server_before->cpu; }
  ae::Nanoseconds server_time() const { return server_after->taken - server_before->taken; }
  bool has_server() const { return server_before && server_after; }
};

struct Report {
  Options options;
  std::optional<ServerSample> server_at_first;  // before the first connection
  std::vector<PhaseReport> phases;

  bool clean() const;
  // Of the server's resident memory, what came since the first connection, by those now present.
  std::optional<double> bytes_per_connection(const PhaseReport& phase) const;
};

// The percentiles that are shown.
inline constexpr double kPercentiles[] = {50, 90, 99, 99.9, 99.99};

std::string head_text(const Options& options);
std::string phase_text(const Report& report, const PhaseReport& phase);
std::string verdict_text(const Report& report);
std::string to_json(const Report& report);
std::string to_svg(const Report& report);

}  // namespace load
