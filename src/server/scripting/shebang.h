// The first line of a script or a library: "#!lua flags=no-writes,allow-oom", "#!lua name=mylib".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::scripting {

struct Shebang {
  std::string engine;                // "lua", as it was written
  std::vector<std::string> options;  // "flags=no-writes"
  std::string_view code;  // from the end of the line on, so that lines keep their numbers
};

// Of a source that begins with "#!". Nothing: the line has no end, or is not made of words.
std::optional<Shebang> parse_shebang(std::string_view source);

}  // namespace millrace::scripting
