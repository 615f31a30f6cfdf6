// The stream of changes: what leaves when, and wrapped in what. That it has all there is to know is
// shown by Transcript.IsFollowed.
#include "server/command/feed.h"

#include <gtest/gtest.h>

#include "server/command/command_encoder.h"

namespace millrace {
namespace {

class Recorder final : public FeedSink {
 public:
  explicit Recorder(Audience part = Audience::kEverybody) : FeedSink(part) {}
  void on_command(uint8_t db, Words words) override { note(std::to_string(db), words); }
  void on_message(uint8_t, Words words) override { note("message", words); }
  std::string take() { return std::exchange(text_, {}); }

 private:
  void note(const std::string& where, Words words) {
    text_ += where;
    for (const std::string_view word : words) text_.append(" ").append(word);
    text_ += "; ";
  }

  std::string text_;
};

class FeedTest : public testing::Test {
 protected:
  using Words = std::vector<std::string_view>;

  FeedTest() { feed_.attach(recorder_); }

  // A command that changes something, and does `inside` meanwhile.
  template <typename F>
  void run(const Words& words, F&& inside, uint8_t db = 0) {
    const Feed::Frame frame = feed_.begin(db, changes_);
    inside();
    feed_.end(frame, words, ++changes_);
  }
  void run(const Words& words) {
    run(words, [] {});
  }

  Feed feed_;
  Recorder recorder_;
  uint64_t changes_ = 0;
};

TEST_F(FeedTest, WhatChangedSomethingLeavesAsItCame) {
  run({"SET", "k", "v"});
  EXPECT_EQ(recorder_.take(), "0 SET k v; ");
  feed_.end(feed_.begin(0, changes_), Words{"GET", "k"}, changes_);
  EXPECT_EQ(recorder_.take(), "");
}

TEST_F(FeedTest, OtherWordsTakeThePlaceOfItsOwn) {
  run({"SETEX", "k", "9", "v"}, [&] { feed_.instead({"SET", "k", "v", "PXAT", "9000"}); });
  EXPECT_EQ(recorder_.take(), "0 SET k v PXAT 9000; ");
  run({"EVAL", "..."}, [&] { feed_.nothing(); });
  EXPECT_EQ(recorder_.take(), "");
}

TEST_F(FeedTest, WhatHappenedAtOnceIsATransaction) {
  run({"XADD"}, [&] {
    feed_.instead({"XADD", "1-1"});
    feed_.instead({"XTRIM"});
  });
  EXPECT_EQ(recorder_.take(), "0 MULTI; 0 XADD 1-1; 0 XTRIM; 0 EXEC; ");
}

TEST_F(FeedTest, WhatACommandOnlyCameAcrossIsNone) {
  const auto scan = [&] {
    feed_.not_at_once();
    feed_.key_went(0, "a", "DEL");
    feed_.key_went(0, "b", "DEL");
  };
  run({"SCAN"}, [&] { feed_.nothing(), scan(); });
  EXPECT_EQ(recorder_.take(), "0 DEL a; 0 DEL b; ");
  run({"EXEC"}, [&] {
    feed_.nothing();
    run({"SCAN"}, [&] { feed_.nothing(), scan(); });
  });
  EXPECT_EQ(recorder_.take(), "0 MULTI; 0 DEL a; 0 DEL b; 0 EXEC; ");
}

TEST_F(FeedTest, WhoIsNotInTheAudienceIsNotTold) {
  Recorder file(Audience::kAppendOnly);
  Recorder replicas(Audience::kReplicas);
  feed_.attach(file);
  feed_.attach(replicas);
  run({"EVAL"}, [&] {
    feed_.nothing();
    feed_.set_audience(Audience::kAppendOnly);
    run({"SET", "a", "1"});
    feed_.set_audience(Audience::kNobody);
    run({"SET", "b", "1"});
    feed_.key_went(0, "old", "DEL");
    feed_.set_audience(Audience::kEverybody);
  });
  EXPECT_EQ(file.take(), "0 MULTI; 0 SET a 1; 0 DEL old; 0 EXEC; ");
  EXPECT_EQ(replicas.take(), "0 DEL old; ");
  EXPECT_EQ(recorder_.take(), "0 MULTI; 0 SET a 1; 0 DEL old; 0 EXEC; ");
  feed_.set_audience(Audience::kReplicas);
  run({"SET", "c", "1"});
  EXPECT_EQ(file.take(), "");
  EXPECT_EQ(replicas.take(), "0 SET c 1; ");
}

TEST_F(FeedTest, InnerCommandsLeaveTogetherWhenTheOutermostEnds) {
  run({"EXEC"}, [&] {
    feed_.nothing();
    run({"SET", "a", "1"});
    run({"SELECT", "2"});
    run(
        {"SETEX", "b"},
        [&] {
          feed_.instead({"SET", "b", "2"});
        },
        2);
    EXPECT_EQ(recorder_.take(), "");
  });
  EXPECT_EQ(recorder_.take(), "0 MULTI; 0 SET a 1; 0 SELECT 2; 2 SET b 2; 2 EXEC; ");
  run({"EXEC"}, [&] {
    feed_.nothing();
    run({"SET", "a", "1"});
  });
  EXPECT_EQ(recorder_.take(), "0 SET a 1; ");
}

TEST_F(FeedTest, AKeyThatGoesByItselfComesBeforeTheCommandThatFoundIt) {
  feed_.key_went(3, "old", "DEL");
  EXPECT_EQ(recorder_.take(), "3 DEL old; ");
  run({"SET", "k", "v"}, [&] { feed_.key_went(0, "k", "UNLINK"); });
  EXPECT_EQ(recorder_.take(), "0 MULTI; 0 UNLINK k; 0 SET k v; 0 EXEC; ");
  const Feed::Frame frame = feed_.begin(0, changes_);
  feed_.key_went(0, "k", "DEL");
  feed_.end(frame, Words{"GET", "k"}, changes_);
  EXPECT_EQ(recorder_.take(), "0 DEL k; ");
}

TEST_F(FeedTest, NobodyIsToldWhileItIsMuted) {
  feed_.mute();
  EXPECT_FALSE(feed_.open());
  feed_.key_went(0, "k", "DEL");
  feed_.unmute();
  EXPECT_TRUE(feed_.open());
  feed_.message(Words{"PUBLISH", "c", "m"});
  EXPECT_EQ(recorder_.take(), "message PUBLISH c m; ");
  feed_.detach(recorder_);
  EXPECT_FALSE(feed_.open());
}

TEST(CommandEncoder, SelectsWhereTheDatabaseChanges) {
  CommandEncoder encoder;
  std::string out;
  const std::vector<std::string_view> words = {"DEL", ""};
  encoder.append(out, 0, words);
  encoder.append(out, 0, words);
  encoder.append(out, 11, words);
  const std::string del = "*2\r\n$3\r\nDEL\r\n$0\r\n\r\n";
  EXPECT_EQ(out, "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n" + del + del +
                     "*2\r\n$6\r\nSELECT\r\n$2\r\n11\r\n" + del);
}

}  // namespace
}  // namespace millrace
