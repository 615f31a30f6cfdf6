#include "server/db/glob.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace millrace {
namespace {

struct Case {
  const char* pattern;
  const char* text;
  bool matches;
};

// Each line was asked of redis-server 7.0.15 too (KEYS pattern).
constexpr Case kCases[] = {
    {"", "", true},
    {"", "a", false},
    {"*", "", true},
    {"*", "anything", true},
    {"**", "a", true},
    {"?", "", false},
    {"?", "a", true},
    {"??", "a", false},
    {"a?c", "abc", true},
    {"a*c", "ac", true},
    {"a*c", "abbbc", true},
    {"a*c", "abbbcd", false},
    {"a*b*c", "aXbYbZc", true},
    {"*abc*", "xxabcyy", true},
    {"*a*b*c*", "cab", false},
    {"h[ae]llo", "hello", true},
    {"h[ae]llo", "hillo", false},
    {"h[^e]llo", "hello", false},
    {"h[^e]llo", "hallo", true},
    {"h[a-c]llo", "hbllo", true},
    {"h[c-a]llo", "hbllo", true},
    {"h[a-c]llo", "hdllo", false},
    {"[a-]", "a-]", false},
    {"[]a]", "a", false},
    {"[^]a", "xa", true},
    {"[a", "a", true},
    {"[ab", "b", true},
    {"[^ab", "b", false},
    {"[", "[", false},
    {"[^", "x", true},
    {"[\\]]", "]", true},
    {"[a\\-c]", "-", true},
    {"[a\\-c]", "b", false},
    {"[\\", "\\", true},
    {"\\*", "*", true},
    {"\\*", "a", false},
    {"\\?x", "?x", true},
    {"a\\", "a\\", true},
    {"a\\", "a", false},
    {"\\a", "a", true},
    {"A", "a", false},
    {"abc", "abcd", false},
    {"abcd", "abc", false},
    {"abc***", "abc", true},
};

TEST(Glob, Table) {
  for (const Case& c : kCases) {
    EXPECT_EQ(glob_matches(c.pattern, c.text), c.matches) << c.pattern << " on " << c.text;
  }
}

TEST(Glob, IgnoresCaseOfLetters) {
  EXPECT_TRUE(glob_matches("HE[L-M]*o", "helLO", GlobCase::kIgnore));
  EXPECT_TRUE(glob_matches("\\A", "a", GlobCase::kIgnore));
  EXPECT_FALSE(glob_matches("[Z-a]", "z", GlobCase::kIgnore));
  EXPECT_FALSE(glob_matches("@", "`", GlobCase::kIgnore));
}

TEST(Glob, BytesOfAnyValue) {
  using namespace std::string_view_literals;
  EXPECT_TRUE(glob_matches("a\0b"sv, "a\0b"sv));
  EXPECT_TRUE(glob_matches("?\xff*"sv, "\0\xff\0"sv));
  EXPECT_TRUE(glob_matches("[\xe0-\xff]"sv, "\xf0"sv));
  EXPECT_FALSE(glob_matches("a\0b"sv, "a\0c"sv));
}

TEST(Glob, Literal) {
  EXPECT_TRUE(glob_is_literal("user:1"));
  EXPECT_FALSE(glob_is_literal("user:*"));
  EXPECT_FALSE(glob_is_literal("a\\b"));
}

// The definition, exponential and obvious: each star tries everything.
bool by_definition(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    return by_definition(pattern.substr(1), text) ||
           (!text.empty() && by_definition(pattern, text.substr(1)));
  }
  if (text.empty()) return false;
  if (pattern[0] == '?' || pattern[0] == text[0]) {
    return by_definition(pattern.substr(1), text.substr(1));
  }
  return false;
}

TEST(Glob, AgreesWithTheDefinition) {
  std::mt19937 random(2024);
  for (int round = 0; round < 60'000; ++round) {
    std::string pattern;
    std::string text;
    for (size_t i = random() % 9; i != 0; --i) pattern += "ab*?"[random() % 4];
    for (size_t i = random() % 9; i != 0; --i) text += "ab"[random() % 2];
    ASSERT_EQ(glob_matches(pattern, text), by_definition(pattern, text)) << pattern << ' ' << text;
  }
}

// A matcher that recurses at each star would need 10^20 steps.
TEST(Glob, ManyStarsAreNotExponential) {
  std::string pattern;
  for (int i = 0; i < 1'000; ++i) pattern += "a*";
  pattern += 'b';
  EXPECT_FALSE(glob_matches(pattern, std::string(20'000, 'a')));
}

}  // namespace
}  // namespace millrace
