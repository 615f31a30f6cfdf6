// What is wrong with a configuration, and where. Loading collects all problems, so that somebody
// who brings a redis.conf learns at once what has to be changed.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace millrace {

// `source` of what came from the command line and from standard input.
inline constexpr std::string_view kCommandLine = "the command line";
inline constexpr std::string_view kStandardInput = "standard input";

struct ConfigProblem {
  std::string source;  // path of the file as it was given, kCommandLine or kStandardInput
  size_t line = 0;     // from 1; 0: the source as a whole
  std::string text;    // the line
  std::string reason;
};

// "Reading the configuration file, at line 12". `main_file` is what the line is of if nothing else
// is said; for other sources the name is added.
std::string place_of(const ConfigProblem& problem, std::string_view main_file);

// What main prints to standard error before it exits with 1. `main_file` is what the lines are of
// if nothing else is said; for other sources the name is added.
//
//   *** FATAL CONFIG FILE ERROR (Millrace 0.1.0) ***
//   Reading the configuration file, at line 12
//   >>> 'appendonly yes'
//   'appendonly yes' is not supported by this version of Millrace: it keeps data in memory only;
//   see …
std::string fatal_text(std::span<const ConfigProblem> problems, std::string_view version,
                       std::string_view main_file);

}  // namespace millrace
