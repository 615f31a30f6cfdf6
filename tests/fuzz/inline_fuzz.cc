// Splitting a line: the words lie inside the line, in order, and do not overlap; and a line made by
// quoting the words again splits into the same words.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ae/base/assert.h"
#include "proto/inline_request.h"
#include "proto/reply_value.h"

namespace {

using namespace proto;

void check_views(std::string_view line, const ArgVector& words) {
  const char* at = line.data();
  for (std::string_view word : words) {
    AE_ASSERT(word.data() >= at);
    at = word.data() + word.size();
  }
  AE_ASSERT(at <= line.data() + line.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string line(reinterpret_cast<const char*>(data), size);
  ArgVector words;
  if (split_inline(line, words) == Quotes::kUnbalanced) return 0;
  check_views(line, words);
  std::string again;
  for (std::string_view word : words) again += quoted(word) + ' ';
  ArgVector words_again;
  AE_ASSERT(split_inline(again, words_again) == Quotes::kBalanced);
  AE_ASSERT(words_again == words);
  return 0;
}
