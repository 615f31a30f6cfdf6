#include "server/config/config_problem.h"

#include <fmt/format.h>

namespace millrace {
std::string place_of(const ConfigProblem& problem, std::string_view main_file) {
  const std::string where =
      problem.line == 0 ? std::string() : fmt::format(", at line {}", problem.line);
  if (problem.source == main_file) return "Reading the configuration file" + where;
  if (problem.source == kCommandLine) return "Reading the command line";
  if (problem.source == kStandardInput) return "Reading standard input" + where;
  return fmt::format("Reading the configuration file {}{}", problem.source, where);
}

std::string fatal_text(std::span<const ConfigProblem> problems, std::string_view version,
                       std::string_view main_file) {
  std::string out = fmt::format("*** FATAL CONFIG FILE ERROR (Millrace {}) ***\n", version);
  for (const ConfigProblem& problem : problems) {
    out += place_of(problem, main_file) + '\n';
    if (problem.line != 0) out += fmt::format(">>> '{}'\n", problem.text);
    out += problem.reason + '\n';
  }
  return out;
}

}  // namespace millrace
