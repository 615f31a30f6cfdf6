#include "server/acl/command_rules.h"

#include <algorithm>

#include "server/config/text.h"

namespace millrace::acl {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = char(c + 32);
  return lower;
}

// Whether a rule of `what` makes an earlier one pointless: the same command or category, or a
// subcommand of it.
bool replaces(std::string_view what, std::string_view earlier) {
  if (!earlier.starts_with(what)) return false;
  return earlier.size() == what.size() || earlier[what.size()] == '|';
}

}  // namespace

CommandRules::CommandRules(const CommandTable& commands)
    : commands_(&commands), bits_((commands.size() + 63) / 64) {}

void CommandRules::set_all(Permission permission) {
  std::fill(bits_.begin(), bits_.end(), permission == Permission::kAllow ? ~uint64_t{0} : 0);
  first_arguments_.clear();
  rules_.clear();
  base_ = permission;
  allows_all_ = permission == Permission::kAllow;
}

void CommandRules::set(const Command& command, Permission permission) {
  set_bits(command, permission);
  remember(command.full_name, permission);
}

void CommandRules::set(Category category, Permission permission) {
  for (size_t id = 0; id < commands_->size(); ++id) {
    const Command& command = commands_->by_id(uint16_t(id));
    if (categories_of(command).has(category)) set_bits(command, permission);
  }
  remember("@" + std::string(category_name(category)), permission);
}

void CommandRules::allow_first_argument(const Command& command, std::string_view word) {
  const auto known = [&](const FirstArgument& allowed) {
    return allowed.command == command.id && equals_ignoring_case(allowed.word, word);
  };
  if (std::none_of(first_arguments_.begin(), first_arguments_.end(), known))
    first_arguments_.push_back({command.id, std::string(word)});
  remember(command.full_name + "|" + std::string(word), Permission::kAllow);
}

bool CommandRules::allows(const Command& command, std::span<const std::string_view> args) const {
  if (allows_all_ || bit(command.id)) return true;
  if (args.size() < 2) return false;
  return std::any_of(
      first_arguments_.begin(), first_arguments_.end(), [&](const FirstArgument& allowed) {
        return allowed.command == command.id && equals_ignoring_case(allowed.word, args[1]);
      });
}

std::vector<std::string> CommandRules::words() const {
  std::vector<std::string> words = {base_ == Permission::kAllow ? "+@all" : "-@all"};
  words.insert(words.end(), rules_.begin(), rules_.end());
  return words;
}

std::string CommandRules::text() const {
  return joined(words(), " ");
}

void CommandRules::set_bit(uint16_t id, Permission permission) {
  const uint64_t mask = uint64_t{1} << (id % 64);
  if (permission == Permission::kAllow) {
    bits_[id / 64] |= mask;
  } else {
    bits_[id / 64] &= ~mask;
    allows_all_ = false;
  }
}

void CommandRules::set_bits(const Command& command, Permission permission) {
  set_bit(command.id, permission);
  std::erase_if(first_arguments_,
                [&](const FirstArgument& allowed) { return allowed.command == command.id; });
  for (const Command& subcommand : command.subcommands) set_bit(subcommand.id, permission);
}

void CommandRules::remember(std::string_view what, Permission permission) {
  const std::string word = lower_case(what);
  std::erase_if(rules_, [&](const std::string& earlier) {
    return replaces(word, std::string_view(earlier).substr(1));
  });
  rules_.push_back((permission == Permission::kAllow ? '+' : '-') + word);
}

}  // namespace millrace::acl
