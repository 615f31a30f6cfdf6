// What transcripts cannot show of SCAN: whole walks, over a keyspace that changes between calls.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "proto/reply_parser.h"
#include "tests/server/commands/command_rig.h"

namespace millrace {
namespace {

class Scan : public testing::Test {
 protected:
  void set(const std::string& key) { rig_.run(session_, {"SET", key, "v"}); }
  void remove(const std::string& key) { rig_.run(session_, {"DEL", key}); }

  // One call: adds the names it reports to seen_, moves cursor_. True while there is more.
  bool step(std::vector<std::string_view> options = {}) {
    std::vector<std::string_view> args{"SCAN", cursor_};
    args.insert(args.end(), options.begin(), options.end());
    proto::ReplyParser parser;
    parser.feed(rig_.run(session_, args));
    const proto::ReplyValue reply = parser.take();
    for (const proto::ReplyValue& name : reply.children.at(1).children) seen_.insert(name.text);
    cursor_ = reply.children.at(0).text;
    return cursor_ != "0";
  }

  CommandRig rig_;
  Session& session_ = rig_.connect();
  std::string cursor_ = "0";
  std::multiset<std::string> seen_;
};

TEST_F(Scan, ReportsEachKeyOnceInSmallSteps) {
  constexpr size_t kKeys = 5000;
  for (size_t i = 0; i < kKeys; ++i) set("key:" + std::to_string(i));
  size_t before = 0;
  for (bool more = true; more; before = seen_.size()) {
    more = step();
    EXPECT_LT(seen_.size() - before, 100u);  // COUNT 10, and what is left of a bucket
  }
  EXPECT_EQ(seen_.size(), kKeys);
  EXPECT_EQ(std::set<std::string>(seen_.begin(), seen_.end()).size(), kKeys);
}

TEST_F(Scan, MissesNothingThatStaysWhileTheKeyspaceGrowsAndShrinks) {
  for (size_t i = 0; i < 600; ++i) set("stays:" + std::to_string(i));
  size_t added = 0;
  do {
    for (size_t i = 0; i < 40 && added < 4000; ++i) set("comes:" + std::to_string(added++));
    for (size_t i = 0; i < 20; ++i) remove("comes:" + std::to_string(rig_.prng.below(added + 1)));
  } while (step());
  for (size_t i = 0; i < 600; ++i) EXPECT_EQ(seen_.count("stays:" + std::to_string(i)), 1u) << i;
}

TEST_F(Scan, APatternChangesWhatIsReportedNotHowFarACallGoes) {
  for (size_t i = 0; i < 1000; ++i) set("key:" + std::to_string(i));
  size_t calls = 1;
  while (step({"MATCH", "key:777"})) ++calls;
  EXPECT_EQ(seen_, std::multiset<std::string>{"key:777"});
  EXPECT_GT(calls, 10u);  // of COUNT 10 each
}

TEST_F(Scan, LeavesOutAndDeletesWhatHasExpired) {
  for (size_t i = 0; i < 100; ++i) set("stays:" + std::to_string(i));
  for (size_t i = 0; i < 100; ++i)
    rig_.run(session_, {"SET", "ends:" + std::to_string(i), "v", "PX", "10"});
  rig_.advance(10);
  while (step()) {
  }
  EXPECT_EQ(seen_.size(), 100u);
  EXPECT_EQ(rig_.run(session_, {"DBSIZE"}), ":100\r\n");
}

}  // namespace
}  // namespace millrace
