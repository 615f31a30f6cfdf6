// The synopses of all commands parse; the trees of some are what they should be. (How they compare
// with Redis' own argument trees is checked by tests/compat.)
#include "server/command/syntax_tree.h"

#include <gtest/gtest.h>

#include "server/command/table.h"

namespace millrace {
namespace {

using Kind = SyntaxNode::Kind;

std::string show(const std::vector<SyntaxNode>& nodes, std::string_view separator);

// name, TOKEN name, (a|b), {a b}; behind it ? * + for optional, multiple, multiple_token.
std::string show(const SyntaxNode& node) {
  std::string text = node.token;
  if (!text.empty() && node.kind != Kind::kToken) text += ' ';
  if (node.kind == Kind::kValue) text += node.name;
  if (node.kind == Kind::kOneOf) text += "(" + show(node.children, "|") + ")";
  if (node.kind == Kind::kBlock) text += "{" + show(node.children, " ") + "}";
  if (node.optional) text += '?';
  if (node.multiple) text += '*';
  if (node.multiple_token) text += '+';
  return text;
}

std::string show(const std::vector<SyntaxNode>& nodes, std::string_view separator) {
  std::string text;
  for (const SyntaxNode& node : nodes) {
    if (!text.empty()) text += separator;
    text += show(node);
  }
  return text;
}

std::string parsed(std::string_view synopsis) {
  return show(parse_syntax(synopsis), ", ");
}

TEST(SyntaxTreeTest, Sequences) {
  EXPECT_EQ(parsed(""), "");
  EXPECT_EQ(parsed("key"), "key");
  EXPECT_EQ(parsed("key field value"), "key, field, value");
}

TEST(SyntaxTreeTest, Repetition) {
  EXPECT_EQ(parsed("key [key ...]"), "key*");
  EXPECT_EQ(parsed("key value [key value ...]"), "{key value}*");
  EXPECT_EQ(parsed("[section [section ...]]"), "section?*");
  EXPECT_EQ(parsed("numkeys key [key ...] [LIMIT limit]"), "numkeys, key*, LIMIT limit?");
}

TEST(SyntaxTreeTest, Tokens) {
  EXPECT_EQ(parsed("[LIMIT offset count] [CH]"), "LIMIT {offset count}?, CH?");
  EXPECT_EQ(parsed("[WEIGHTS weight [weight ...]]"), "WEIGHTS weight?*");
  EXPECT_EQ(parsed("key [GET pattern [GET pattern ...]]"), "key, GET pattern?*+");
  EXPECT_EQ(parsed("STREAMS key [key ...] id [id ...]"), "STREAMS {key* id*}");
  EXPECT_EQ(parsed("key [= | ~] threshold"), "key, (=|~)?, threshold");
}

TEST(SyntaxTreeTest, Alternatives) {
  EXPECT_EQ(parsed("ON | OFF | SKIP"), "(ON|OFF|SKIP)");
  EXPECT_EQ(parsed("[EX seconds | PX ms | KEEPTTL]"), "(EX seconds|PX ms|KEEPTTL)?");
  EXPECT_EQ(parsed("[AGGREGATE <SUM | MIN>]"), "AGGREGATE (SUM|MIN)?");
  EXPECT_EQ(parsed("source destination LEFT | RIGHT LEFT | RIGHT"),
            "source, destination, (LEFT|RIGHT), (LEFT|RIGHT)");
  EXPECT_EQ(parsed("[count [WITHSCORES]]"), "{count WITHSCORES?}?");
  EXPECT_EQ(parsed("LIB-NAME libname | LIB-VER libver"), "(LIB-NAME libname|LIB-VER libver)");
}

TEST(SyntaxTreeTest, TypesFollowFromNames) {
  EXPECT_EQ(type_of_value("key"), "key");
  EXPECT_EQ(type_of_value("seconds"), "integer");
  EXPECT_EQ(type_of_value("unix-time-milliseconds"), "unix-time");
  EXPECT_EQ(type_of_value("pattern"), "pattern");
  EXPECT_EQ(type_of_value("element"), "string");
}

void expect_balanced(const CommandSpec& spec) {
  SCOPED_TRACE(spec.name);
  EXPECT_EQ(parse_syntax(spec.syntax).empty(), spec.syntax.empty());
  for (const CommandSpec& subcommand : spec.subcommands) expect_balanced(subcommand);
}

TEST(SyntaxTreeTest, EverySynopsisParses) {
  for (auto family : command_families())
    for (const CommandSpec& spec : family) expect_balanced(spec);
}

}  // namespace
}  // namespace millrace
