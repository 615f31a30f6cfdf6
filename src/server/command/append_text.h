// Formats onto the end of a string that grows. fmt::format_to does the same, but compiles the whole
// of fmt anew in each file that calls it (six seconds of each); here it is compiled once.
#pragma once

#include <fmt/format.h>

#include <string>

namespace millrace {

void append_formatted(std::string& text, fmt::string_view format, fmt::format_args args);

//   append_text(text, "id={} name={}\n", session.id, name);
template <typename... Args>
void append_text(std::string& text, fmt::format_string<Args...> format, Args&&... args) {
  append_formatted(text, format, fmt::make_format_args(args...));
}

}  // namespace millrace
