#include "server/acl/command_rules.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "ae/base/prng.h"

namespace millrace::acl {
namespace {

const CommandTable& table() {
  static const CommandTable& table = *new CommandTable(command_families());
  return table;
}

const Command& command(std::string_view name) {
  const Command* found = table().find(name);
  EXPECT_TRUE(found) << name;
  return *found;
}

bool allows(const CommandRules& rules, std::vector<std::string_view> args) {
  return rules.allows(*table().resolve(args), args);
}

TEST(CommandRulesTest, BeginsWithNothing) {
  const CommandRules rules(table());
  EXPECT_FALSE(rules.allows_all());
  EXPECT_FALSE(allows(rules, {"get", "k"}));
  EXPECT_EQ(rules.text(), "-@all");
}

TEST(CommandRulesTest, ACommandTakesItsSubcommandsAlong) {
  CommandRules rules(table());
  rules.set(command("config"), Permission::kAllow);
  EXPECT_TRUE(allows(rules, {"config", "get", "x"}));
  rules.set(command("config|set"), Permission::kDeny);
  EXPECT_FALSE(allows(rules, {"config", "set", "x", "y"}));
  EXPECT_EQ(rules.text(), "-@all +config -config|set");
  rules.set(command("config"), Permission::kDeny);
  EXPECT_EQ(rules.text(), "-@all -config");
}

TEST(CommandRulesTest, AllIsRememberedUntilSomethingIsTaken) {
  CommandRules rules(table());
  rules.set_all(Permission::kAllow);
  EXPECT_TRUE(rules.allows_all());
  rules.set(command("get"), Permission::kDeny);
  EXPECT_FALSE(rules.allows_all());
  EXPECT_TRUE(allows(rules, {"set", "k", "v"}));
  EXPECT_EQ(rules.text(), "+@all -get");
}

TEST(CommandRulesTest, FirstArguments) {
  CommandRules rules(table());
  rules.allow_first_argument(command("select"), "0");
  rules.allow_first_argument(command("select"), "0");
  EXPECT_TRUE(allows(rules, {"select", "0"}));
  EXPECT_FALSE(allows(rules, {"select", "1"}));
  EXPECT_EQ(rules.text(), "-@all +select|0");
  rules.set(command("select"), Permission::kDeny);
  EXPECT_FALSE(allows(rules, {"select", "0"}));
}

// --- against a map from id to what was said last

struct Model {
  std::map<uint16_t, Permission> said;

  void set(const Command& command, Permission permission) {
    said[command.id] = permission;
    for (const Command& subcommand : command.subcommands) said[subcommand.id] = permission;
  }
  void set_all(Permission permission) {
    for (size_t id = 0; id < table().size(); ++id) said[uint16_t(id)] = permission;
  }
  void set(Category category, Permission permission) {
    for (size_t id = 0; id < table().size(); ++id)
      if (categories_of(table().by_id(uint16_t(id))).has(category))
        set(table().by_id(uint16_t(id)), permission);
  }
  bool allows(const Command& command) { return said[command.id] == Permission::kAllow; }
};

void apply_text(CommandRules& rules, std::string_view word) {
  const Permission permission = word[0] == '+' ? Permission::kAllow : Permission::kDeny;
  word.remove_prefix(1);
  if (word == "@all") return rules.set_all(permission);
  if (word[0] == '@') return rules.set(*find_category(word.substr(1)), permission);
  rules.set(command(word), permission);
}

TEST(CommandRulesTest, RandomRulesAgreeWithTheModelAndReadBack) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  ae::Prng prng(seed);
  for (int round = 0; round < 50; ++round) {
    CommandRules rules(table());
    Model model;
    for (int i = 0; i < 20; ++i) {
      const Permission permission = prng.below(2) ? Permission::kAllow : Permission::kDeny;
      const Command& one = table().by_id(uint16_t(prng.below(table().size())));
      const auto category = Category(prng.below(kCategories));
      switch (prng.below(12)) {
        case 0:
          rules.set_all(permission), model.set_all(permission);
          break;
        case 1:
        case 2:
        case 3:
          rules.set(category, permission), model.set(category, permission);
          break;
        default:
          rules.set(one, permission), model.set(one, permission);
      }
    }
    CommandRules again(table());
    for (const std::string& word : rules.words()) apply_text(again, word);
    EXPECT_EQ(again.text(), rules.text());
    for (size_t id = 0; id < table().size(); ++id) {
      const Command& one = table().by_id(uint16_t(id));
      ASSERT_EQ(rules.allows(one, {}), model.allows(one)) << one.full_name << " " << rules.text();
      ASSERT_EQ(again.allows(one, {}), rules.allows(one, {})) << one.full_name;
    }
  }
}

}  // namespace
}  // namespace millrace::acl
