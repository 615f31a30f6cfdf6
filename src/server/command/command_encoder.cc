#include "server/command/command_encoder.h"

#include "ae/base/decimal.h"

namespace millrace {
namespace {

void append_header(std::string& out, char kind, size_t number) {
  char text[ae::kMaxInt64Chars];
  out.push_back(kind);
  out.append(text, ae::format_int64(int64_t(number), text));
  out.append("\r\n");
}

}  // namespace

void CommandEncoder::append(std::string& out, std::span<const std::string_view> words) {
  append_header(out, '*', words.size());
  for (const std::string_view word : words) {
    append_header(out, '$', word.size());
    out.append(word).append("\r\n");
  }
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
