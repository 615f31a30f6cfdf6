// rename-command: what clients call a command, and what access rules do.
#include <gtest/gtest.h>

#include <algorithm>

#include "server/command/table.h"

namespace millrace {
namespace {

const Command* resolve(const CommandTable& table, std::vector<std::string_view> args) {
  return table.resolve(args);
}

TEST(RenameTest, ANewName) {
  const Rename renames[] = {{"CONFIG", "Secret"}};
  const CommandTable table(command_families(), renames);
  EXPECT_EQ(table.problem(), std::nullopt);
  EXPECT_EQ(resolve(table, {"config", "get", "x"}), nullptr);
  ASSERT_TRUE(resolve(table, {"SECRET", "get", "x"}));
  EXPECT_EQ(resolve(table, {"SECRET", "get", "x"})->full_name, "config|get");
  EXPECT_EQ(table.find("config|get"), nullptr);
  EXPECT_EQ(table.find_original("config|get"), table.find("secret|get"));
}

TEST(RenameTest, NoName) {
  const Rename renames[] = {{"flushall", ""}, {"flushdb", ""}};
  const CommandTable table(command_families(), renames);
  EXPECT_EQ(table.problem(), std::nullopt);
  EXPECT_EQ(resolve(table, {"flushall"}), nullptr);
  EXPECT_EQ(resolve(table, {""}), nullptr);
  EXPECT_TRUE(table.find_original("flushall"));
}

// COMMAND shows what can be called.
TEST(RenameTest, WhatHasNoNameIsNotListed) {
  const Rename renames[] = {{"flushall", ""}, {"config", "secret"}};
  const CommandTable table(command_families(), renames);
  const auto listed = [&](std::string_view name) {
    return std::any_of(table.named().begin(), table.named().end(),
                       [&](const Command* command) { return command->full_name == name; });
  };
  EXPECT_FALSE(listed("flushall"));
  EXPECT_TRUE(listed("config"));
  EXPECT_EQ(table.named().size() + 1, table.commands().size());
}

TEST(RenameTest, NamesCanBeExchanged) {
  const Rename renames[] = {{"get", "x"}, {"set", "get"}, {"x", "set"}};
  const CommandTable table(command_families(), renames);
  EXPECT_EQ(table.problem(), std::nullopt);
  EXPECT_EQ(resolve(table, {"get"})->full_name, "set");
  EXPECT_EQ(resolve(table, {"set"})->full_name, "get");
}

TEST(RenameTest, WhatCannotBe) {
  const Rename unknown[] = {{"nope", "x"}};
  EXPECT_EQ(CommandTable(command_families(), unknown).problem(),
            "No such command in rename-command: 'nope'");
  const Rename taken[] = {{"get", "SET"}};
  EXPECT_EQ(CommandTable(command_families(), taken).problem(),
            "Target command name already exists: 'SET'");
}

}  // namespace
}  // namespace millrace
