// Which commands a selector allows: a bit per command, and the rules that made them.
//
//   CommandRules rules(table);
//   rules.set(*table.find("get"), Permission::kAllow);
//   rules.set(Category::kList, Permission::kAllow);
//   rules.allows(*table.find("lpush"), args);   // true
//   rules.text();                               // "-@all +get +@list"
//
// The bits decide; the rules are remembered only to be shown. As of Redis 7.2 what is shown is what
// was said, in its order, without what a later rule of the same command or category has replaced.
//
// Invariant: applying text(), rule by rule, to fresh rules gives the same bits and the same text.
//
// A command with subcommands and each of them has a bit of its own; a rule for the former sets all.
// Beside the bits stands what Redis calls first arguments: `+select|0` allows a command that has no
// subcommands with that argument only.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/command/categories.h"
#include "server/command/table.h"

namespace millrace::acl {

enum class Permission : uint8_t { kDeny, kAllow };

class CommandRules {
 public:
  // Denies everything.
  explicit CommandRules(const CommandTable& commands);

  // +@all and -@all: forget every earlier rule.
  void set_all(Permission permission);
  void set(const Command& command, Permission permission);
  void set(Category category, Permission permission);
  // `command` has no subcommands and is none.
  void allow_first_argument(const Command& command, std::string_view word);

  bool allows(const Command& command, std::span<const std::string_view> args) const;
  // Nothing has been taken from +@all.
  bool allows_all() const { return allows_all_; }

  std::vector<std::string> words() const;  // "-@all", "+get", "+@list"
  std::string text() const;

 private:
  struct FirstArgument {
    uint16_t command;
    std::string word;
  };

  bool bit(uint16_t id) const { return (bits_[id / 64] >> (id % 64) & 1) != 0; }
  void set_bit(uint16_t id, Permission permission);
  void set_bits(const Command& command, Permission permission);
  void remember(std::string_view what, Permission permission);

  const CommandTable* commands_;
  std::vector<uint64_t> bits_;
  std::vector<FirstArgument> first_arguments_;  // few, if any
  std::vector<std::string> rules_;              // "+get", "-@list"; lower case
  Permission base_ = Permission::kDeny;         // what the rules start from
  bool allows_all_ = false;
};

}  // namespace millrace::acl
