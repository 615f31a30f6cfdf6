#include "proto/inline_request.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "proto/request_writer.h"
#include "tests/proto/redis_oracle.h"
#include "tests/proto/reference_parser.h"

namespace proto {
namespace {

using Words = std::optional<std::vector<std::string>>;

Words split(std::string line) {
  ArgVector args;
  if (split_inline(line, args) == Quotes::kUnbalanced) return std::nullopt;
  return std::vector<std::string>(args.begin(), args.end());
}

TEST(InlineRequest, Words) {
  EXPECT_EQ(split(""), std::vector<std::string>{});
  EXPECT_EQ(split(" \t "), std::vector<std::string>{});
  EXPECT_EQ(split("SET k  v "), Words({{"SET", "k", "v"}}));
  EXPECT_EQ(split("a\vb \v c"), Words({{"a\vb", "c"}}));
}

TEST(InlineRequest, DoubleQuotes) {
  EXPECT_EQ(split(R"("a b" "" c)"), Words({{"a b", "", "c"}}));
  EXPECT_EQ(split(R"("\n\r\t\b\a\q\"\\")"), Words({{"\n\r\t\b\aq\"\\"}}));
  EXPECT_EQ(split(R"("\x41\xfF\x4g\x4")"), Words({{"A\xffx4gx4"}}));
  EXPECT_EQ(split(R"(foo"bar" baz)"), Words({{"foobar", "baz"}}));
}

TEST(InlineRequest, SingleQuotes) {
  EXPECT_EQ(split(R"('a\'b' '\n' '"')"), Words({{"a'b", "\\n", "\""}}));
}

TEST(InlineRequest, Unbalanced) {
  for (const char* line :
       {"\"", "'", "\"a", "'a", "\"a\\\"", "'a\\'", "\"a\"b", "'a'b", "\"a\"'b'"}) {
    EXPECT_EQ(split(line), std::nullopt) << line;
  }
}

TEST(InlineRequest, WordsAreViewsOfTheLine) {
  std::string line = R"(SET "\x41\x42" v)";
  ArgVector args;
  ASSERT_EQ(split_inline(line, args), Quotes::kBalanced);
  for (std::string_view arg : args) {
    EXPECT_GE(arg.data(), line.data());
    EXPECT_LE(arg.data() + arg.size(), line.data() + line.size());
  }
}

std::string random_line(std::mt19937_64& random) {
  constexpr std::string_view kAlphabet = "abn  \"\"\"'''\\\\\\x4F\t\v\f\r\x01\xff";
  std::string line;
  for (size_t n = random() % 24; n > 0; --n) line += kAlphabet[random() % kAlphabet.size()];
  return line;
}

TEST(InlineRequest, RandomLinesAgreeWithTheReference) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 50000; ++i) {
    const std::string line = random_line(random);
    ASSERT_EQ(split(line), reference::split(line)) << quoted(line);
  }
}

// A script gives back its arguments, so Redis tells how it splits a line.
TEST(InlineRequest, RandomLinesAgreeWithRedis) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 1500; ++i) {
    const std::string line = random_line(random);
    const ReplyValue theirs = RedisOracle::instance().ask("EVAL 'return ARGV' 0 " + line + "\r\n");
    const Words ours = split(line);
    ASSERT_EQ(theirs.is_error(), !ours) << quoted(line) << theirs.text;
    if (!ours) continue;
    std::vector<std::string> words;
    for (const ReplyValue& word : theirs.children) words.push_back(word.text);
    ASSERT_EQ(*ours, words) << quoted(line);
  }
}

}  // namespace
}  // namespace proto
