#include "server/process/oom_score.h"

#include <gtest/gtest.h>

#include "tests/server/config/temporary_directory.h"

namespace millrace {
namespace {

class OomScoreTest : public testing::Test {
 protected:
  OomScoreTest() { set("22"); }

  void set(std::string_view text) { std::ofstream(path_) << text; }
  std::string shown() const {
    std::string text;
    std::ifstream(path_) >> text;
    return text;
  }
  std::string after(OomScoreMode mode, OomScore::Part part = OomScore::Part::kMaster) {
    config_.oom_score_adj = mode;
    EXPECT_EQ(score_.apply(config_, part), std::nullopt);
    return shown();
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.path("oom_score_adj");
  Config config_;
  OomScore score_{path_};
};

TEST_F(OomScoreTest, EachPartHasItsOwnAboveWhatWasFound) {
  config_.oom_score_adj_values = {10, 20, 30};
  EXPECT_EQ(after(OomScoreMode::kRelative), "32");
  EXPECT_EQ(after(OomScoreMode::kRelative, OomScore::Part::kReplica), "42");
  EXPECT_EQ(after(OomScoreMode::kRelative, OomScore::Part::kChild), "52");
  EXPECT_EQ(after(OomScoreMode::kAbsolute), "10");
}

TEST_F(OomScoreTest, WhatWasFoundComesBack) {
  EXPECT_EQ(after(OomScoreMode::kAbsolute), "0");
  EXPECT_EQ(after(OomScoreMode::kNo), "22");
  set("7");  // by somebody else, while it is off
  EXPECT_EQ(after(OomScoreMode::kNo), "7");
  EXPECT_EQ(after(OomScoreMode::kRelative), "7");
}

TEST_F(OomScoreTest, StaysWithinTheKernelsRange) {
  config_.oom_score_adj_values = {2000, -2000, 0};
  EXPECT_EQ(after(OomScoreMode::kRelative), "1000");
  EXPECT_EQ(after(OomScoreMode::kRelative, OomScore::Part::kReplica), "-1000");
}

TEST_F(OomScoreTest, SaysWhatWentWrong) {
  config_.oom_score_adj = OomScoreMode::kAbsolute;
  OomScore nowhere(directory_.path("none/oom_score_adj"));
  EXPECT_EQ(nowhere.apply(config_, OomScore::Part::kMaster), "Unable to read oom_score_adj");
}

}  // namespace
}  // namespace millrace
