// A configuration file of any bytes: reading it never fails as a whole; whatever it makes can be
// rewritten, and what is rewritten reads back as the same configuration and needs no second
// rewrite. The same bytes as a command line, an argument per NUL, must make a text that can be
// read.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ae/base/assert.h"
#include "server/config/command_line.h"
#include "server/config/config_store.h"
#include "server/config/rewrite.h"
#include "server/config/text.h"

namespace {

using namespace millrace;

// An include would read the files of the machine the fuzzer runs on.
bool has_include(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    const auto words = split_words(bytes.substr(0, end));
    if (words && !words->empty() && equal_ignoring_case(words->front(), "include")) return true;
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return false;
}

Config defaults() {
  Config config;
  config.dir = "/";
  return config;
}

Config read(std::string_view bytes) {
  ConfigText text;
  read_config_text(bytes, "fuzz", "/", text);
  Config config = defaults();
  apply_lines_quietly(text.lines, config);
  return config;
}

void check_problems(std::string_view bytes) {
  ConfigText text;
  read_config_text(bytes, "fuzz", "/", text);
  Config config = defaults();
  AE_ASSERT(apply_lines(text.lines, config).size() <=
            std::min(text.lines.size(), kMaxProblems + 1));
  AE_ASSERT(config == read(bytes));
}

void check_rewrite(std::string_view bytes) {
  const Config config = read(bytes);
  const std::string text = rewritten(bytes, config, defaults());
  AE_ASSERT(read(text) == config);
  AE_ASSERT(rewritten(text, config, defaults()) == text);
  // From another configuration's file, and from none.
  AE_ASSERT(read(rewritten(bytes, defaults(), defaults())) == defaults());
  AE_ASSERT(read(rewritten("", config, defaults())) == config);
}

void check_command_line(std::string_view bytes) {
  std::vector<std::string> words;
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\0'), bytes.size());
    words.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());
  const CommandLine line = read_command_line(arguments);
  if (!has_include(line.text)) (void)read(line.text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (!has_include(bytes)) {
    check_problems(bytes);
    check_rewrite(bytes);
  }
  check_command_line(bytes);
  return 0;
}
