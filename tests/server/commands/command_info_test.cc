// COMMAND in both protocols over every command there is: the debug build's ReplyWriter asserts that
// what is announced is written. That the content is Redis' is checked by tests/compat.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "server/command/categories.h"
#include "tests/server/commands/command_rig.h"

namespace millrace {
namespace {

class CommandInfoTest : public testing::Test {
 protected:
  CommandRig rig_;
  Session& client_ = rig_.connect();
};

TEST_F(CommandInfoTest, EveryCommandInBothProtocols) {
  for (const char* protocol : {"2", "3"}) {
    rig_.run(client_, {"HELLO", protocol});
    EXPECT_EQ(rig_.run(client_, {"COMMAND"}), rig_.run(client_, {"COMMAND", "INFO"}));
    EXPECT_GT(rig_.run(client_, {"COMMAND", "DOCS"}).size(), 10'000u);
    EXPECT_EQ(rig_.run(client_, {"COMMAND", "LIST"})
                  .find("*" + std::to_string(rig_.table.size()) + "\r\n"),
              0u);
  }
}

TEST_F(CommandInfoTest, NamesAreUnique) {
  std::set<std::string> names;
  for (size_t id = 0; id < rig_.table.size(); ++id)
    EXPECT_TRUE(names.insert(rig_.table.by_id(uint16_t(id)).full_name).second);
}

TEST_F(CommandInfoTest, EveryTableHasItsWords) {
  for (size_t id = 0; id < rig_.table.size(); ++id) {
    const CommandSpec& spec = *rig_.table.by_id(uint16_t(id)).spec;
    SCOPED_TRACE(spec.name);
    EXPECT_FALSE(spec.complexity.empty());
    EXPECT_TRUE(spec.summary.ends_with('.'));
    EXPECT_EQ(std::count(spec.since.begin(), spec.since.end(), '.'), 2);
  }
}

// Arity and synopsis say the same: a command with exactly its name takes no arguments.
TEST_F(CommandInfoTest, ArityFitsTheSynopsis) {
  for (size_t id = 0; id < rig_.table.size(); ++id) {
    const Command& command = rig_.table.by_id(uint16_t(id));
    if (!command.subcommands.empty() || command.full_name == "debug") continue;
    SCOPED_TRACE(command.full_name);
    const int words = command.parent ? 2 : 1;
    if (command.full_name == "quit") continue;      // takes and ignores anything, as in Redis
    if (command.full_name == "replconf") continue;  // what it takes is said to nobody
    EXPECT_EQ(command.spec->arity == words, command.spec->syntax.empty());
  }
}

TEST_F(CommandInfoTest, CategoriesHaveNamesBothWays) {
  for (int i = 0; i < kCategories; ++i)
    EXPECT_EQ(find_category(category_name(Category(i))), Category(i));
  EXPECT_EQ(find_category("nope"), std::nullopt);
}

TEST_F(CommandInfoTest, HelpOfEveryContainer) {
  for (const Command& command : rig_.table.commands()) {
    if (command.subcommands.empty()) continue;
    if (command.full_name == "cluster")
      continue;  // there is none, and its HELP says so, as Redis' does
    SCOPED_TRACE(command.full_name);
    const std::string help = rig_.run(client_, {command.full_name, "HELP"});
    EXPECT_NE(help.find(" <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace millrace
