#include "server/config/text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>

namespace millrace {
namespace {

using Words = std::vector<std::string>;

TEST(Text, SplitsWordsWithQuotes) {
  EXPECT_EQ(split_words("port 6379"), (Words{"port", "6379"}));
  EXPECT_EQ(split_words("  a\t'b c'  \"d\\n\\x41\" "), (Words{"a", "b c", "d\nA"}));
  EXPECT_EQ(split_words("save \"\""), (Words{"save", ""}));
  EXPECT_EQ(split_words("a 'it\\'s'"), (Words{"a", "it's"}));
  EXPECT_FALSE(split_words("a \"b"));
  EXPECT_FALSE(split_words("a 'b"));
  EXPECT_FALSE(split_words("a \"b\"c"));
}

TEST(Text, PlainWordsStayPlain) {
  EXPECT_EQ(quoted_word("/var/log/a-b_c.log"), "/var/log/a-b_c.log");
  EXPECT_EQ(quoted_word(""), "\"\"");
  EXPECT_EQ(quoted_word("a b"), "\"a b\"");
  EXPECT_EQ(quoted_word("#a"), "\"#a\"");
  EXPECT_EQ(quoted_word("\n\"\\"), "\"\\x0a\\\"\\\\\"");
}

// Property: whatever the bytes, the quoted word is one word and the same.
TEST(Text, QuotedWordReadsBack) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 2000; ++i) {
    std::string word(random() % 20, '\0');
    for (char& c : word) c = static_cast<char>(random());
    ASSERT_EQ(split_words("a " + quoted_word(word) + " z"), (Words{"a", word, "z"}));
  }
}

TEST(Text, EditDistance) {
  EXPECT_EQ(edit_distance("", "", 9), 0u);
  EXPECT_EQ(edit_distance("", "abc", 9), 3u);
  EXPECT_EQ(edit_distance("port", "prot", 9), 1u);  // a swap of neighbours is one mistake
  EXPECT_EQ(edit_distance("kitten", "sitting", 9), 3u);
  EXPECT_EQ(edit_distance("timeout", "timeouts", 9), 1u);
}

// Property: the limit cuts the distance and changes nothing else.
TEST(Text, EditDistanceWithALimit) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 2000; ++i) {
    std::string a(random() % 8, '\0');
    std::string b(random() % 8, '\0');
    for (char& c : a) c = "abc"[random() % 3];
    for (char& c : b) c = "abc"[random() % 3];
    const size_t distance = edit_distance(a, b, 99);
    ASSERT_EQ(edit_distance(b, a, 99), distance) << a << " " << b;
    const size_t limit = random() % 9;
    ASSERT_EQ(edit_distance(a, b, limit), std::min(distance, limit)) << a << " " << b;
  }
}

}  // namespace
}  // namespace millrace
