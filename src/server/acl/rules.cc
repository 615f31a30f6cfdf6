#include "server/acl/rules.h"

#include <algorithm>
#include <cctype>

#include "server/acl/password.h"
#include "server/config/text.h"

namespace millrace::acl {
namespace {

using Outcome = std::optional<RuleError>;
constexpr Outcome kApplied = std::nullopt;

bool has_blank(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c == '\0' || std::isspace(c) != 0; });
}

// --- commands

Outcome add_first_argument(Selector& selector, const Command& command, std::string_view word) {
  if (has_blank(word)) return RuleError::kSyntax;  // what is shown could not be read back
  selector.commands.allow_first_argument(command, word);
  return kApplied;
}

// "config|get" is a subcommand; "select|0" a command with its first argument.
Outcome allow_part(Selector& selector, std::string_view name, const CommandTable& commands) {
  const size_t bar = name.rfind('|');
  const Command* command = commands.find_original(name.substr(0, bar));
  if (!command) return RuleError::kUnknownCommand;
  if (command->parent) return RuleError::kFirstArgumentOfSubcommand;
  const std::string_view part = name.substr(bar + 1);
  if (part.empty()) return RuleError::kSyntax;
  if (command->subcommands.empty()) return add_first_argument(selector, *command, part);
  const Command* subcommand = commands.find_original(name);
  if (!subcommand) return RuleError::kUnknownCommand;
  selector.commands.set(*subcommand, Permission::kAllow);
  return kApplied;
}

Outcome set_command(Selector& selector, std::string_view name, Permission permission,
                    const CommandTable& commands) {
  if (permission == Permission::kAllow && name.find('|') != name.npos)
    return allow_part(selector, name, commands);
  const Command* command = commands.find_original(name);
  if (!command) return RuleError::kUnknownCommand;
  selector.commands.set(*command, permission);
  return kApplied;
}

Outcome set_category(Selector& selector, std::string_view name, Permission permission) {
  const std::optional<Category> category = find_category(name);
  if (!category) return RuleError::kUnknownCommand;
  selector.commands.set(*category, permission);
  return kApplied;
}

// What follows + or -.
Outcome set_commands(Selector& selector, std::string_view what, Permission permission,
                     const CommandTable& commands) {
  if (equals_ignoring_case(what, "@all")) return selector.commands.set_all(permission), kApplied;
  if (what.starts_with('@')) return set_category(selector, what.substr(1), permission);
  return set_command(selector, what, permission, commands);
}

// --- keys and channels

// Reads "R~", "W~", "RW~" off the front of a rule; 0 if it is something else. Like Redis it takes
// a rule that ends before the '~' for one with an empty pattern.
KeyUse take_key_use(std::string_view& rule) {
  KeyUse use = 0;
  while (!rule.empty()) {
    const char letter = char(std::toupper(static_cast<unsigned char>(rule.front())));
    if (letter == '~') return rule.remove_prefix(1), use;
    const KeyUse one = letter == 'R' ? kReadKey : letter == 'W' ? kWriteKey : 0;
    if (one == 0 || (use & one) != 0) return 0;
    use |= one;
    rule.remove_prefix(1);
  }
  return use;
}

Outcome add_key_pattern(Selector& selector, std::string_view rule) {
  if (selector.all_keys) return RuleError::kAfterAllKeys;
  const bool limited = rule.front() == '%';
  rule.remove_prefix(1);
  const KeyUse use = limited ? take_key_use(rule) : kReadAndWriteKey;
  if (use == 0 || has_blank(rule)) return RuleError::kSyntax;
  selector.allow_keys(rule, use);
  return kApplied;
}

Outcome add_channel_pattern(Selector& selector, std::string_view pattern) {
  if (selector.all_channels) return RuleError::kAfterAllChannels;
  if (has_blank(pattern)) return RuleError::kSyntax;
  selector.allow_channels(pattern);
  return kApplied;
}

// --- selectors

struct SelectorWord {
  std::string_view word;
  void (*apply)(Selector&);
};
constexpr SelectorWord kSelectorWords[] = {
    {"allkeys", [](Selector& s) { s.allow_all_keys(); }},
    {"~*", [](Selector& s) { s.allow_all_keys(); }},
    {"resetkeys", [](Selector& s) { s.forget_keys(); }},
    {"allchannels", [](Selector& s) { s.allow_all_channels(); }},
    {"&*", [](Selector& s) { s.allow_all_channels(); }},
    {"resetchannels", [](Selector& s) { s.forget_channels(); }},
    {"allcommands", [](Selector& s) { s.commands.set_all(Permission::kAllow); }},
    {"nocommands", [](Selector& s) { s.commands.set_all(Permission::kDeny); }},
};

Outcome apply_to_selector(Selector& selector, std::string_view rule, const CommandTable& commands) {
  for (const SelectorWord& known : kSelectorWords)
    if (equals_ignoring_case(known.word, rule)) return known.apply(selector), kApplied;
  if (rule.empty()) return RuleError::kSyntax;
  switch (rule.front()) {
    case '~':
    case '%':
      return add_key_pattern(selector, rule);
    case '&':
      return add_channel_pattern(selector, rule.substr(1));
    case '+':
      return set_commands(selector, rule.substr(1), Permission::kAllow, commands);
    case '-':
      return set_commands(selector, rule.substr(1), Permission::kDeny, commands);
    default:
      return RuleError::kSyntax;
  }
}

Selector new_selector(const RuleScope& scope) {
  Selector selector(scope.commands);
  if (scope.channels == NewUserChannels::kAll) selector.allow_all_channels();
  return selector;
}

// `rules` is what stands between the parentheses.
Outcome add_selector(User& user, std::string_view rules, const RuleScope& scope) {
  Selector selector = new_selector(scope);
  const auto words = split_words(rules);
  for (const std::string& rule : words.value_or(std::vector<std::string>{}))
    if (Outcome error = apply_to_selector(selector, rule, scope.commands)) return error;
  user.selectors.push_back(std::move(selector));
  return kApplied;
}

// --- users

void forget_passwords(User& user) {
  user.no_password = false;
  user.passwords.clear();
}

void accept_any_password(User& user) {
  user.no_password = true;
  user.passwords.clear();
}

void clear_selectors(User& user) {
  user.selectors.erase(user.selectors.begin() + 1, user.selectors.end());
}

struct UserWord {
  std::string_view word;
  void (*apply)(User&);
};
constexpr UserWord kUserWords[] = {
    {"on", [](User& user) { user.enabled = true; }},
    {"off", [](User& user) { user.enabled = false; }},
    {"sanitize-payload", [](User& user) { user.sanitize_payload = true; }},
    {"skip-sanitize-payload", [](User& user) { user.sanitize_payload = false; }},
    {"nopass", accept_any_password},
    {"resetpass", forget_passwords},
    {"clearselectors", clear_selectors},
};

Outcome add_password(User& user, std::string hash) {
  if (!is_password_hash(hash)) return RuleError::kBadHash;
  if (std::find(user.passwords.begin(), user.passwords.end(), hash) == user.passwords.end())
    user.passwords.push_back(std::move(hash));
  user.no_password = false;
  return kApplied;
}

Outcome remove_password(User& user, const std::string& hash) {
  if (!is_password_hash(hash)) return RuleError::kBadHash;
  if (std::erase(user.passwords, hash) == 0) return RuleError::kNoSuchPassword;
  return kApplied;
}

}  // namespace

std::string_view text_of(RuleError error) {
  switch (error) {
    case RuleError::kSyntax:
      break;
    case RuleError::kUnknownCommand:
      return "Unknown command or category name in ACL";
    case RuleError::kAfterAllKeys:
      return "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does "
             "not have any effect. Try 'resetkeys' to start with an empty list of patterns";
    case RuleError::kAfterAllChannels:
      return "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and "
             "does not have any effect. Try 'resetchannels' to start with an empty list of "
             "channels";
    case RuleError::kNoSuchPassword:
      return "The password you are trying to remove from the user does not exist";
    case RuleError::kBadHash:
      return "The password hash must be exactly 64 characters and contain only lowercase "
             "hexadecimal characters";
    case RuleError::kFirstArgumentOfSubcommand:
      return "Allowing first-arg of a subcommand is not supported";
  }
  return "Syntax error";
}

std::optional<RuleError> apply_rule(User& user, std::string_view rule, const RuleScope& scope) {
  if (rule.empty()) return kApplied;  // as Redis
  for (const UserWord& known : kUserWords)
    if (equals_ignoring_case(known.word, rule)) return known.apply(user), kApplied;
  if (equals_ignoring_case(rule, "reset")) {
    user = User(std::move(user.name), scope.commands, scope.channels);
    return kApplied;
  }
  const std::string_view rest = rule.substr(1);
  switch (rule.front()) {
    case '>':
      return add_password(user, hash_of_password(rest));
    case '#':
      return add_password(user, std::string(rest));
    case '<':
      return remove_password(user, hash_of_password(rest));
    case '!':
      return remove_password(user, std::string(rest));
    default:
      break;
  }
  if (rule.front() == '(' && rule.back() == ')')
    return add_selector(user, rest.substr(0, rest.size() - 1), scope);
  return apply_to_selector(user.root(), rule, scope.commands);
}

std::optional<BadRule> apply_rules(User& user, std::span<const std::string> rules,
                                   const RuleScope& scope) {
  for (const std::string& rule : rules)
    if (std::optional<RuleError> error = apply_rule(user, rule, scope))
      return BadRule{rule, *error};
  return std::nullopt;
}

MergedRules merge_selectors(std::span<const std::string_view> words) {
  MergedRules merged;
  std::string open;  // a selector up to here; empty: none is open
  std::string_view opened_by;
  for (const std::string_view word : words) {
    if (!open.empty()) {
      open.append(" ").append(word);
    } else if (word.starts_with('(')) {
      open = opened_by = word;
    } else {
      merged.rules.emplace_back(word);
      continue;
    }
    if (!word.ends_with(')')) continue;
    merged.rules.push_back(std::move(open));
    open.clear();
  }
  if (!open.empty()) merged.unmatched = opened_by;
  return merged;
}

bool is_user_name(std::string_view name) {
  return !has_blank(name);
}

}  // namespace millrace::acl
