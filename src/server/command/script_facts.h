// What INFO memory tells of scripts and functions. Kept up to date by scripting/, which INFO cannot
// ask: it lies above it.
#pragma once

#include <cstdint>

namespace millrace {

struct ScriptFacts {
  struct Engine {
    uint64_t interpreter_bytes = 0;  // of Lua's heap, as of the last run
    uint64_t overhead_bytes = 0;     // of sources and tables beside it
  };
  Engine eval;
  Engine functions;
  uint64_t cached_scripts = 0;
  uint64_t function_count = 0;
  uint64_t library_count = 0;
};

}  // namespace millrace
