#include "server/observe/secrets.h"

#include "server/config/directives.h"

namespace millrace {
namespace {

// HELLO [protover [AUTH username password] ...]: the two behind the word.
bool is_hello_secret(std::span<const std::string_view> args, size_t position) {
  for (size_t back = 1; back <= 2 && back <= position; ++back)
    if (equals_ignoring_case(args[position - back], "AUTH")) return true;
  return false;
}

// MIGRATE ... [AUTH password | AUTH2 username password]
bool is_migration_secret(std::span<const std::string_view> args, size_t position) {
  constexpr size_t kFirstOption = 6;
  if (position <= kFirstOption) return false;
  const auto stands = [&](std::string_view word, size_t back) {
    return position - back >= kFirstOption && equals_ignoring_case(args[position - back], word);
  };
  return stands("AUTH", 1) || stands("AUTH2", 1) || stands("AUTH2", 2);
}

// CONFIG SET name value [name value ...]
bool is_config_secret(std::span<const std::string_view> args, size_t position) {
  if (position < 3 || position % 2 == 0) return false;
  const Directive* directive = find_directive(args[position - 1]);
  return directive && directive->has(DirectiveFlag::kSecret);
}

// Redis keeps the names of users to itself, too.
bool is_about_users(const Command& command) {
  return command.full_name == "acl|setuser" || command.full_name == "acl|deluser" ||
         command.full_name == "acl|getuser";
}

}  // namespace

bool may_have_secrets(const Command& command) {
  return command.full_name == "auth" || command.full_name == "hello" ||
         command.full_name == "config|set" || command.full_name == "migrate" ||
         is_about_users(command);
}

bool is_secret(const Command& command, std::span<const std::string_view> args, size_t position) {
  if (position == 0) return false;
  if (command.full_name == "auth") return true;
  if (is_about_users(command)) return position >= 2;
  if (command.full_name == "hello") return is_hello_secret(args, position);
  if (command.full_name == "migrate") return is_migration_secret(args, position);
  return is_config_secret(args, position);
}

}  // namespace millrace
