#include "server/command/command_encoder.h"

#include <cstring>

#include "ae/base/decimal.h"

namespace millrace {
namespace {

// The mark, a number, the end of the line.
constexpr size_t kMaxHeaderBytes = 1 + ae::kMaxInt64Chars + 2;

char* put_line_end(char* at) {
  std::memcpy(at, "\r\n", 2);
  return at + 2;
}

char* put_header(char* at, char mark, size_t number) {
  *at++ = mark;
  return put_line_end(at + ae::format_uint64(number, at));
}

}  // namespace

// On the path of every write that somebody follows: the string grows once, to the most it can take.
void CommandEncoder::append(std::string& out, std::span<const std::string_view> words) {
  size_t most = kMaxHeaderBytes;
  for (const std::string_view word : words) most += kMaxHeaderBytes + word.size() + 2;
  const size_t start = out.size();
  out.resize(start + most);
  char* at = put_header(out.data() + start, '*', words.size());
  for (const std::string_view word : words) {
    at = put_header(at, '$', word.size());
    if (!word.empty()) std::memcpy(at, word.data(), word.size());
    at = put_line_end(at + word.size());
  }
  out.resize(size_t(at - out.data()));
}

void CommandEncoder::append(std::string& out, uint8_t db, std::span<const std::string_view> words) {
  if (database_ != db) {
    char text[ae::kMaxInt64Chars];
    const std::string_view select[] = {"SELECT", {text, ae::format_int64(db, text)}};
    append(out, select);
    database_ = db;
  }
  append(out, words);
}

}  // namespace millrace
