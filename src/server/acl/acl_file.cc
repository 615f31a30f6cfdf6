#include "server/acl/acl_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "server/command/append_text.h"

namespace millrace::acl {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

std::string_view trimmed(std::string_view text, std::string_view blanks) {
  const size_t begin = text.find_first_not_of(blanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// At single spaces: nothing is quoted in this file, and an empty word is a rule that does nothing.
std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (;;) {
    const size_t end = line.find(' ');
    words.push_back(line.substr(0, end));
    if (end == line.npos) return words;
    line.remove_prefix(end + 1);
  }
}

class Reader {
 public:
  Reader(std::string_view name, const RuleScope& scope, UserFile& file)
      : name_(name), scope_(scope), file_(file) {}

  void read_line(std::string_view line, size_t number) {
    place_ = fmt::format("{}:{}", name_, number);
    const std::vector<std::string_view> words = words_of(line);
    if (words[0] != "user" || words.size() < 2)
      return complain("{} should start with user keyword followed by the username. ", place_);
    if (!is_user_name(words[1]))
      return complain("'{}: username '{}' contains invalid characters. ", place_, words[1]);
    if (!names_.insert(words[1]).second)
      return complain("WARNING: Duplicate user '{}' found on line {}. ", words[1], number);
    read_rules(User(std::string(words[1]), scope_.commands, scope_.channels),
               std::span(words).subspan(2));
  }

 private:
  void read_rules(User user, std::span<const std::string_view> words) {
    const MergedRules merged = merge_selectors(words);
    if (merged.unmatched)
      return complain("{}: Unmatched parenthesis in selector definition.", place_);
    bool told = false;
    for (const std::string& rule : merged.rules) {
      const std::string_view word = trimmed(rule, "\t\r\n");
      const std::optional<RuleError> error = apply_rule(user, word, scope_);
      if (!error) continue;
      // A command's name is no secret; of the rest the first is told without its rule.
      if (*error == RuleError::kUnknownCommand) {
        complain("{}: Error in applying operation '{}': {}. ", place_, word, text_of(*error));
      } else if (!std::exchange(told, true)) {
        complain("{}: {}. ", place_, text_of(*error));
      }
    }
    if (file_.errors.empty()) file_.users.push_back(std::move(user));
  }

  template <typename... Args>
  void complain(fmt::format_string<Args...> format, Args&&... args) {
    if (file_.errors.size() < kMaxErrorBytes)
      append_formatted(file_.errors, format, fmt::make_format_args(args...));
  }

  // They are one reply, and one line of the log.
  static constexpr size_t kMaxErrorBytes = 16 * 1024;

  std::string_view name_;
  const RuleScope& scope_;
  UserFile& file_;
  std::set<std::string_view> names_;
  std::string place_;
};

}  // namespace

UserFile read_user_file(std::string_view bytes, std::string_view name, const RuleScope& scope) {
  UserFile file;
  Reader reader(name, scope, file);
  for (size_t number = 1; !bytes.empty(); ++number) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::string_view line = trimmed(bytes.substr(0, end), kBlank);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    if (!line.empty()) reader.read_line(line, number);
  }
  if (!file.errors.empty()) {
    file.users.clear();
    file.errors +=
        "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";
  }
  return file;
}

std::string user_line(const User& user) {
  return "user " + user.name + " " + user.text();
}

std::string user_file_text(const Users& users) {
  std::string text;
  users.each([&](const User& user) { text.append(user_line(user)).append("\n"); });
  return text;
}

}  // namespace millrace::acl
