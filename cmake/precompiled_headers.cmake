# More than a third of what a file of the server takes to compile is the standard library's and
# fmt's headers. With MILLRACE_PRECOMPILE they are read once. `release` and `clang` go without: there
# an include that is missing shows.
option(MILLRACE_PRECOMPILE "Read the standard library's headers once, not in every file" OFF)

set(MILLRACE_COMMON_HEADERS <algorithm> <array> <chrono> <cstring> <functional> <map> <memory>
    <optional> <span> <string> <string_view> <unordered_map> <utility> <vector> <fmt/format.h>)

# The first target reads them, the others share what it read: they must be compiled with the same
# options, and link fmt.
function(millrace_precompile target)
  if(NOT MILLRACE_PRECOMPILE)
    return()
  endif()
  get_property(first GLOBAL PROPERTY MILLRACE_PRECOMPILED_BY)
  if(first)
    target_precompile_headers(${target} REUSE_FROM ${first})
  else()
    target_precompile_headers(${target} PRIVATE ${MILLRACE_COMMON_HEADERS})
    set_property(GLOBAL PROPERTY MILLRACE_PRECOMPILED_BY ${target})
  endif()
endfunction()
