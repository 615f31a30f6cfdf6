#include "server/command/append_text.h"

#include <iterator>

namespace millrace {

void append_formatted(std::string& text, fmt::string_view format, fmt::format_args args) {
  fmt::vformat_to(std::back_inserter(text), format, args);
}

}  // namespace millrace
