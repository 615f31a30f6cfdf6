#include "server/config/command_line.h"

#include <string_view>

#include "server/config/text.h"

namespace millrace {
namespace {

using Arguments = std::span<const char* const>;

bool is_option(std::string_view argument) {
  return argument.starts_with("--");
}

bool is_bare_save(std::string_view argument) {
  return equal_ignoring_case(argument, "--save");
}

// "--port 6380" in one argument has its value with it.
bool has_value_inside(std::string_view argument) {
  const auto words = split_words(argument);
  return words && words->size() > 1;
}

// Turns the arguments behind the file name into lines.
class LineWriter {
 public:
  // `next` is the argument behind, or empty at the end.
  void add(std::string_view argument, std::string_view next) {
    if (is_option(argument) && !wants_value_) {
      start_line(argument, next);
    } else {
      text_.append(quoted_word(argument)).push_back(' ');
      wants_value_ = false;
    }
  }

  std::string take() { return std::move(text_); }

 private:
  void start_line(std::string_view argument, std::string_view next) {
    if (!text_.empty()) text_.push_back('\n');
    text_.append(argument.substr(2)).push_back(' ');
    wants_value_ = !has_value_inside(argument);
    if (is_bare_save(argument) && (next.data() == nullptr || is_option(next))) {
      text_.append("\"\" ");
      wants_value_ = false;
    }
  }

  std::string text_;
  bool wants_value_ = false;
};

}  // namespace

CommandLine read_command_line(Arguments arguments) {
  CommandLine line;
  size_t first = 0;
  const std::string_view leading = arguments.empty() ? std::string_view() : arguments[0];
  if (!leading.empty() && leading[0] != '-') {
    line.file = leading;
    first = 1;
  }
  LineWriter writer;
  for (size_t i = first; i < arguments.size(); ++i) {
    const bool is_last = i + 1 == arguments.size();
    if (std::string_view(arguments[i]) == "-" && (i == 0 || is_last)) {
      line.reads_standard_input = true;
    } else {
      writer.add(arguments[i], is_last ? std::string_view() : arguments[i + 1]);
    }
  }
  line.text = writer.take();
  return line;
}

}  // namespace millrace
