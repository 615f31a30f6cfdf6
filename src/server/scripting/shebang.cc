#include "server/scripting/shebang.h"

#include "server/config/text.h"

namespace millrace::scripting {

std::optional<Shebang> parse_shebang(std::string_view source) {
  const size_t end = source.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  auto words = split_words(source.substr(0, end));
  if (!words || words->empty()) return std::nullopt;
  Shebang shebang;
  shebang.engine = words->front().substr(2);
  shebang.options.assign(words->begin() + 1, words->end());
  shebang.code = source.substr(end);
  return shebang;
}

}  // namespace millrace::scripting
