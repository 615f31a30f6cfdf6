// printf into a std::string. Lines of a report are short; longer ones are cut.
#pragma once

#include <cstdarg>
#include <cstdio>
#include <string>

namespace load {

__attribute__((format(printf, 1, 2))) inline std::string format(const char* pattern, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, pattern);
  std::vsnprintf(line, sizeof(line), pattern, arguments);
  va_end(arguments);
  return line;
}

}  // namespace load
