// The words with which commands stand in the stream of changes, where they are not their own.
#include <gtest/gtest.h>

#include "server/command/feed.h"
#include "tests/server/commands/command_rig.h"

namespace millrace {
namespace {

class Words final : public FeedSink {
 public:
  void on_command(uint8_t, FeedSink::Words words) override {
    for (size_t i = 0; i < words.size(); ++i) text_.append(i == 0 ? "" : " ").append(words[i]);
    text_ += "; ";
  }
  std::string take() { return std::exchange(text_, {}); }

 private:
  std::string text_;
};

class FeedWordsTest : public testing::Test {
 protected:
  FeedWordsTest() { rig_.services.feed.attach(words_); }
  ~FeedWordsTest() override { rig_.services.feed.detach(words_); }

  std::string words_of(std::vector<std::string_view> args) {
    words_.take();
    rig_.run(alice_, std::move(args));
    return words_.take();
  }

  Words words_;
  CommandRig rig_;
  Session& alice_ = rig_.connect();
};

TEST_F(FeedWordsTest, ReadingIsLeftOut) {
  words_of({"SET", "k", "v"});
  EXPECT_EQ(words_of({"GETSET", "k", "w"}), "SET k w; ");
  EXPECT_EQ(words_of({"GETDEL", "k"}), "DEL k; ");
  EXPECT_EQ(words_of({"GETDEL", "k"}), "");
}

TEST_F(FeedWordsTest, ACountIsWhatThereWas) {
  words_of({"RPUSH", "list", "a", "b", "c"});
  EXPECT_EQ(words_of({"LMPOP", "1", "list", "LEFT", "COUNT", "2"}), "LPOP list 2; ");
  EXPECT_EQ(words_of({"BLMPOP", "0", "1", "list", "RIGHT", "COUNT", "9"}), "RPOP list 1; ");
}

TEST_F(FeedWordsTest, AMoveDoesNotWait) {
  words_of({"RPUSH", "list", "a", "b", "c", "d"});
  EXPECT_EQ(words_of({"RPOPLPUSH", "list", "to"}), "RPOPLPUSH list to; ");
  EXPECT_EQ(words_of({"BRPOPLPUSH", "list", "to", "0"}), "RPOPLPUSH list to; ");
  EXPECT_EQ(words_of({"BLMOVE", "list", "to", "LEFT", "RIGHT", "0"}), "LMOVE list to LEFT RIGHT; ");
}

TEST_F(FeedWordsTest, DrawnMembersAreRemoved) {
  words_of({"SADD", "set", "a"});
  EXPECT_EQ(words_of({"SPOP", "set"}), "SREM set a; ");
  words_of({"SADD", "set", "a", "b"});
  EXPECT_EQ(words_of({"SPOP", "set", "5"}), "DEL set; ");
}

TEST_F(FeedWordsTest, AFlushIsSaidWhereNothingWas) {
  EXPECT_EQ(words_of({"FLUSHALL"}), "FLUSHALL; ");
  EXPECT_EQ(words_of({"FLUSHDB", "ASYNC"}), "FLUSHDB ASYNC; ");
}

TEST_F(FeedWordsTest, ExpiredKeysThatAScanMeetsAreNoTransaction) {
  for (const std::string_view key : {"a", "b"}) words_of({"SET", key, "v", "PX", "5"});
  rig_.advance(10);
  const std::string words = words_of({"SCAN", "0"});
  EXPECT_TRUE(words == "DEL a; DEL b; " || words == "DEL b; DEL a; ") << words;
}

TEST_F(FeedWordsTest, AScriptSaysWhoFollows) {
  EXPECT_EQ(words_of({"EVAL",
                      "redis.set_repl(redis.REPL_NONE) redis.call('SET', 'a', '1')"
                      "redis.set_repl(redis.REPL_ALL) redis.call('SET', 'b', '1')"
                      "redis.set_repl(redis.REPL_NONE)",
                      "0"}),
            "SET b 1; ");
  EXPECT_EQ(words_of({"SET", "c", "1"}), "SET c 1; ");
}

}  // namespace
}  // namespace millrace
