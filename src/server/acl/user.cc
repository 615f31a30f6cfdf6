#include "server/acl/user.h"

#include <algorithm>
#include <utility>

#include "server/acl/password.h"
#include "server/config/text.h"

namespace millrace::acl {
namespace {

// Within parentheses words may be quoted, and must be where a quote or a closing parenthesis would
// be taken for one. (Redis prints them bare, and reads something else back.)
std::string selector_word(std::string_view word) {
  const std::string quoted = quoted_word(word);
  return quoted.ends_with(')') ? "\"" + quoted + "\"" : quoted;
}

std::string in_parentheses(const Selector& selector) {
  std::vector<std::string> words = selector.words();
  for (std::string& word : words) word = selector_word(word);
  return "(" + joined(words, " ") + ")";
}

}  // namespace

User::User(std::string user_name, const CommandTable& commands, NewUserChannels channels)
    : name(std::move(user_name)), selectors{Selector(commands)} {
  if (channels == NewUserChannels::kAll) root().allow_all_channels();
}

bool User::accepts(std::string_view password) const {
  if (!enabled) return false;
  if (no_password) return true;
  const std::string hash = hash_of_password(password);
  return std::any_of(passwords.begin(), passwords.end(),
                     [&](const std::string& known) { return equal_in_constant_time(known, hash); });
}

std::vector<std::string_view> User::flags() const {
  std::vector<std::string_view> flags = {enabled ? "on" : "off"};
  if (no_password) flags.push_back("nopass");
  flags.push_back(sanitize_payload ? "sanitize-payload" : "skip-sanitize-payload");
  return flags;
}

std::vector<std::string> User::words() const {
  std::vector<std::string> words;
  for (std::string_view flag : flags()) words.emplace_back(flag);
  for (const std::string& hash : passwords) words.push_back("#" + hash);
  for (std::string& word : root().words()) words.push_back(std::move(word));
  for (size_t i = 1; i < selectors.size(); ++i) words.push_back(in_parentheses(selectors[i]));
  return words;
}

std::string User::text() const {
  return joined(words(), " ");
}

User make_default_user(const CommandTable& commands) {
  User user(std::string(kDefaultUser), commands, NewUserChannels::kAll);
  user.enabled = true;
  user.no_password = true;
  user.root().commands.set_all(Permission::kAllow);
  user.root().allow_all_keys();
  return user;
}

}  // namespace millrace::acl
