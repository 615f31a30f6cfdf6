#include "server/command/errors.h"

namespace millrace::errors {
namespace {

// Redis quotes no more of what it does not know.
constexpr size_t kQuotedBytes = 128;

std::string quotable(std::string_view word) {
  return std::string(word.substr(0, kQuotedBytes));
}

std::string upper_case(std::string_view text) {
  std::string upper(text);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = char(c - 32);
  return upper;
}

}  // namespace

std::string wrong_arity(std::string_view full_name) {
  return "ERR wrong number of arguments for '" + std::string(full_name) + "' command";
}

std::string invalid_expire_time(std::string_view full_name) {
  return "ERR invalid expire time in '" + std::string(full_name) + "' command";
}

std::string unknown_subcommand(std::string_view container, std::string_view word) {
  return "ERR unknown subcommand '" + quotable(word) + "'. Try " + upper_case(container) + " HELP.";
}

std::string unknown_subcommand_or_arity(std::string_view container, std::string_view word) {
  return "ERR unknown subcommand or wrong number of arguments for '" + quotable(word) + "'. Try " +
         upper_case(container) + " HELP.";
}

}  // namespace millrace::errors
