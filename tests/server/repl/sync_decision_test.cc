#include "server/repl/sync_decision.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

class SyncDecisionTest : public testing::Test {
 protected:
  ae::Prng prng_{1};
  ReplicationId history_{prng_};
  Backlog backlog_{Backlog::kMinBytes, 1};
  const std::string other_ = std::string(40, 'f');
};

TEST_F(SyncDecisionTest, GoesOnWhereTheBacklogReaches) {
  backlog_.append("0123456789");
  EXPECT_EQ(decide_sync({history_.id(), 1}, history_, &backlog_), SyncDecision::kContinue);
  EXPECT_EQ(decide_sync({history_.id(), 11}, history_, &backlog_), SyncDecision::kContinue);
  EXPECT_EQ(decide_sync({history_.id(), 12}, history_, &backlog_),
            SyncDecision::kFullLackOfBacklog);
  EXPECT_EQ(decide_sync({history_.id(), 1}, history_, nullptr), SyncDecision::kFullLackOfBacklog);
}

TEST_F(SyncDecisionTest, CopiesEverythingForStrangers) {
  EXPECT_EQ(decide_sync({"?", -1}, history_, &backlog_), SyncDecision::kFullAsked);
  EXPECT_EQ(decide_sync({other_, 1}, history_, &backlog_), SyncDecision::kFullOtherHistory);
  // Nobody has had the zeros that stand for "no second id".
  EXPECT_TRUE(is_full(decide_sync({history_.second_id(), 1}, history_, &backlog_)));
}

TEST_F(SyncDecisionTest, WhoHasTheHistoryThatWasLoadedGoesOn) {
  const std::string own = history_.id();
  history_.inherit(other_, 1);
  EXPECT_EQ(history_.id(), own);
  backlog_.append("0123456789");
  EXPECT_EQ(decide_sync({other_, 1}, history_, &backlog_), SyncDecision::kContinue);
  EXPECT_EQ(decide_sync({other_, 2}, history_, &backlog_), SyncDecision::kFullBeyondSecond);
}

TEST_F(SyncDecisionTest, ThePromotedOneKnowsItsOldHistoryUpToTheBranch) {
  backlog_.append("0123456789");
  const std::string old = history_.id();
  history_.branch(prng_, backlog_.next_offset());
  EXPECT_NE(history_.id(), old);
  EXPECT_EQ(history_.second_id(), old);
  backlog_.append("more");
  EXPECT_EQ(decide_sync({old, 11}, history_, &backlog_), SyncDecision::kContinue);
  EXPECT_EQ(decide_sync({old, 12}, history_, &backlog_), SyncDecision::kFullBeyondSecond);
  EXPECT_EQ(decide_sync({history_.id(), 12}, history_, &backlog_), SyncDecision::kContinue);
}

TEST_F(SyncDecisionTest, LinesAreThoseOfPsync) {
  EXPECT_EQ(continue_line(history_, true), "+CONTINUE " + history_.id() + "\r\n");
  EXPECT_EQ(continue_line(history_, false), "+CONTINUE\r\n");
  EXPECT_EQ(full_sync_line(history_, 42), "+FULLRESYNC " + history_.id() + " 42\r\n");
}

TEST_F(SyncDecisionTest, AnIdIsFortyHexDigits) {
  EXPECT_TRUE(ReplicationId::is_id(history_.id()));
  EXPECT_FALSE(ReplicationId::is_id("?"));
  EXPECT_FALSE(ReplicationId::is_id(std::string(40, 'g')));
}

}  // namespace
}  // namespace millrace
