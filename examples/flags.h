// The command line of the examples: --name value, and --help. Not part of `ae`.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "ae/base/result.h"

namespace example {

// Value of `--name value`, or `fallback`. With --help among the arguments, prints `help` and exits.
inline std::string flag(int argc, char** argv, const char* name, std::string fallback) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], name) == 0) fallback = argv[i + 1];
  }
  return fallback;
}

inline long number(int argc, char** argv, const char* name, long fallback) {
  return std::atol(flag(argc, argv, name, std::to_string(fallback)).c_str());
}

inline void help(int argc, char** argv, const char* text) {
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--help") != 0) continue;
    std::fputs(text, stdout);
    std::exit(0);
  }
}

// The value, or the end of the program with the reason.
template <typename T>
T must(ae::Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", result.error().message().c_str());
  std::exit(1);
}

inline void must(const ae::Status& status) {
  if (status) return;
  std::fprintf(stderr, "%s\n", status.error().message().c_str());
  std::exit(1);
}

}  // namespace example
