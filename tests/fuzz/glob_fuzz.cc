// Any pattern on any text: no byte read outside of either (the sanitizers watch), and the time
// stays within pattern bytes * text bytes, else libFuzzer reports it as slow.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ae/base/assert.h"
#include "server/db/glob.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string input(reinterpret_cast<const char*>(data + 1), size - 1);
  const size_t split = input.empty() ? 0 : data[0] % input.size();
  // Copies of the exact size, so that a byte too far is out of bounds.
  const std::string pattern(input, 0, split);
  const std::string text(input, split);
  const bool exact = millrace::glob_matches(pattern, text);
  millrace::glob_matches(pattern, text, millrace::GlobCase::kIgnore);
  AE_ASSERT(millrace::glob_matches("*" + pattern, text) || !exact);
  if (millrace::glob_is_literal(pattern)) AE_ASSERT(exact == (pattern == text));
  return 0;
}
