#include "server/command/arg_reader.h"

#include "ae/base/decimal.h"

namespace millrace {

std::string_view ArgReader::word() {
  if (more()) return context_.arg(position_++);
  syntax_error();
  return {};
}

Key ArgReader::key() {
  if (more()) return context_.key(position_++);
  syntax_error();
  return {};
}

int64_t ArgReader::integer(std::string_view error_text) {
  std::string_view text = word();
  if (failed_) return 0;
  if (auto value = ae::parse_int64(text)) return *value;
  error(error_text);
  return 0;
}

int64_t ArgReader::integer_between(int64_t low, int64_t high, std::string_view error_text) {
  int64_t value = integer();
  if (failed_) return low;
  if (value >= low && value <= high) return value;
  error(error_text);
  return low;
}

double ArgReader::real(std::string_view error_text) {
  std::string_view text = word();
  if (failed_) return 0;
  if (auto value = ae::parse_double(text)) return *value;
  error(error_text);
  return 0;
}

bool ArgReader::take(std::string_view keyword) {
  return take(keyword, 0);
}

bool ArgReader::take(std::string_view keyword, size_t values) {
  if (left() < 1 + values || !equals_ignoring_case(context_.arg(position_), keyword)) return false;
  ++position_;
  return true;
}

void ArgReader::error(std::string_view text) {
  if (failed_) return;
  failed_ = true;
  context_.fail(text);
}

bool ArgReader::finish() {
  if (more()) syntax_error();
  return !failed_;
}

}  // namespace millrace
