#include "server/config/command_line.h"

#include <gtest/gtest.h>

#include <vector>

namespace millrace {
namespace {

// "file|-|text": how the arguments were understood. Blanks at the ends of lines are left out.
std::string understood(std::vector<const char*> arguments) {
  const CommandLine line = read_command_line(arguments);
  std::string text = line.text;
  for (size_t at; (at = text.find(" \n")) != std::string::npos;) text.erase(at, 1);
  while (text.ends_with(' ')) text.pop_back();
  return line.file + "|" + (line.reads_standard_input ? "-" : "") + "|" + text;
}

TEST(CommandLine, NothingAndAFile) {
  EXPECT_EQ(understood({}), "||");
  EXPECT_EQ(understood({"/etc/millrace.conf"}), "/etc/millrace.conf||");
}

TEST(CommandLine, DirectivesWithValues) {
  EXPECT_EQ(understood({"--port", "7777", "--save", "60", "1"}), "||port 7777\nsave 60 1");
  EXPECT_EQ(understood({"x.conf", "--timeout", "5"}), "x.conf||timeout 5");
  EXPECT_EQ(understood({"--port 7777", "--timeout 5"}), "||port 7777\ntimeout 5");
}

TEST(CommandLine, ValuesAreQuoted) {
  EXPECT_EQ(understood({"--requirepass", "a b"}), "||requirepass \"a b\"");
  EXPECT_EQ(understood({"--save", ""}), "||save \"\"");
  EXPECT_EQ(understood({"--logfile", "a\nport 1"}), "||logfile \"a\\x0aport 1\"");
}

TEST(CommandLine, FirstValueMayLookLikeADirective) {
  EXPECT_EQ(understood({"--requirepass", "--secret", "--port", "1"}),
            "||requirepass --secret\nport 1");
}

TEST(CommandLine, BareSaveMeansNone) {
  EXPECT_EQ(understood({"--save"}), "||save \"\"");
  EXPECT_EQ(understood({"--save", "--port", "1"}), "||save \"\"\nport 1");
  EXPECT_EQ(understood({"--port", "1", "--SAVE"}), "||port 1\nSAVE \"\"");
}

TEST(CommandLine, DashReadsStandardInputFirstOrLast) {
  EXPECT_EQ(understood({"-"}), "|-|");
  EXPECT_EQ(understood({"-", "--port", "1"}), "|-|port 1");
  EXPECT_EQ(understood({"x.conf", "-"}), "x.conf|-|");
  EXPECT_EQ(understood({"--port", "1", "-"}), "|-|port 1");
  EXPECT_EQ(understood({"--requirepass", "-", "--port", "1"}), "||requirepass -\nport 1");
}

TEST(CommandLine, EmptyArguments) {
  EXPECT_EQ(understood({""}), "||\"\"");
  EXPECT_EQ(understood({"--"}), "||");
}

}  // namespace
}  // namespace millrace
