// The rules of ACL SETUSER, of `user` lines and of the ACL file, one word each:
//
//   on off                        may log in or not             >word <word   password, and take
//   away nopass resetpass              any password; none            #hash !hash   the same by its
//   hash sanitize-payload skip-sanitize-payload                      reset         as a new user
//
//   +command -command +command|sub +@category -@category allcommands nocommands
//   ~pattern %R~pattern %W~pattern %RW~pattern allkeys resetkeys
//   &pattern allchannels resetchannels
//
//   (rule rule ...)               a further selector            clearselectors
//
// Rules are applied in their order. Words and names are understood in any case.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/acl/user.h"

namespace millrace::acl {

enum class RuleError : uint8_t {
  kSyntax,
  kUnknownCommand,
  kAfterAllKeys,
  kAfterAllChannels,
  kNoSuchPassword,
  kBadHash,
  kFirstArgumentOfSubcommand,
};

// In Redis' words, without "ERR".
std::string_view text_of(RuleError error);

// What a rule is understood with.
struct RuleScope {
  const CommandTable& commands;
  NewUserChannels channels = NewUserChannels::kNone;  // what `reset` and a new selector give
};

// Nothing: applied. An error leaves the user somewhere between, so apply rules to a copy.
std::optional<RuleError> apply_rule(User& user, std::string_view rule, const RuleScope& scope);

struct BadRule {
  std::string rule;
  RuleError error;
};
// All of them, up to the first that is wrong.
std::optional<BadRule> apply_rules(User& user, std::span<const std::string> rules,
                                   const RuleScope& scope);

// A selector may be cut at its blanks: "(+get", "~a*)". Joins what belongs together.
struct MergedRules {
  std::vector<std::string> rules;
  // The word with a parenthesis that is never closed; then `rules` is of no use.
  std::optional<std::string> unmatched;
};
MergedRules merge_selectors(std::span<const std::string_view> words);

// Whether a user may be called so: neither blanks nor NUL.
bool is_user_name(std::string_view name);

}  // namespace millrace::acl
