// The end of the file on a disk that fails, is full, is slow, or loses its power.
#include "server/persist/aof_writer.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/server/persist/held_worker.h"
#include "tests/server/persist/sim_storage.h"

namespace millrace::fakes {
namespace {

constexpr const char* kPath = "increment";

class AofWriterTest : public testing::Test {
 protected:
  AofWriterTest() { open(AppendSync::kEverySecond); }

  void open(AppendSync sync) {
    disk_.put(kPath, "");
    (void)disk_.sync_directory(".");
    writer_ = std::make_unique<AofWriter>(
        worker_, AofWriter::Settings{.sync = sync,
                                     .hold_sync = false,
                                     .on_fatal = [this] { fatal_ = true; },
                                     .on_synced = [this] { ++synced_calls_; }});
    writer_->open(std::move(disk_.append(kPath).value()), 0);
  }
  void write(std::string_view bytes) {
    writer_->buffer().append(bytes);
    writer_->flush(now_);
  }
  void pass(ae::Nanoseconds time) {
    now_ += time;
    writer_->flush(now_);
  }
  const std::string& content() { return disk_.content(kPath); }

  SimStorage disk_;
  HeldWorker worker_;
  ae::TimePoint now_{ae::Seconds(100)};
  std::unique_ptr<AofWriter> writer_;
  bool fatal_ = false;
  int synced_calls_ = 0;
};

TEST_F(AofWriterTest, AlwaysIsOnTheDiskWhenFlushReturns) {
  open(AppendSync::kAlways);
  write("one");
  disk_.crash(Torn::kNothing);
  EXPECT_EQ(content(), "one");
  EXPECT_EQ(writer_->synced(), 3u);
}

TEST_F(AofWriterTest, EverySecondIsWrittenAtOnceAndSyncedByTheWorker) {
  write("one");
  EXPECT_EQ(content(), "one");
  EXPECT_EQ(writer_->synced(), 0u);
  worker_.run_all();
  EXPECT_EQ(writer_->synced(), 3u);
  EXPECT_EQ(synced_calls_, 1);
  write("two");
  EXPECT_EQ(worker_.waiting(), 0u) << "not twice in a second";
  pass(AofWriter::kSyncInterval);
  worker_.run_all();
  EXPECT_EQ(writer_->synced(), 6u);
  pass(AofWriter::kSyncInterval);
  EXPECT_EQ(worker_.waiting(), 0u) << "nothing new";
}

TEST_F(AofWriterTest, ASyncThatFailedIsDueAtOnce) {
  write("one");
  disk_.fail_all(EIO);
  worker_.run_all();
  EXPECT_EQ(writer_->error(), EIO);
  disk_.heal();
  pass(ae::Milliseconds(100));
  worker_.run_all();
  EXPECT_EQ(writer_->error(), 0);
  EXPECT_EQ(writer_->synced(), 3u);
}

TEST_F(AofWriterTest, NeverIsTheKernelsOwnTime) {
  open(AppendSync::kNever);
  write("one");
  pass(ae::Seconds(60));
  EXPECT_EQ(worker_.waiting(), 0u);
  EXPECT_EQ(writer_->synced(), 0u);
}

TEST_F(AofWriterTest, AWriteWaitsTwoSecondsForASlowSyncThenGoesAhead) {
  write("one");  // its sync is with the worker, and does not end
  write("two");
  EXPECT_EQ(content(), "one");
  pass(AofWriter::kMostPostponed - ae::Milliseconds(1));
  EXPECT_EQ(content(), "one");
  EXPECT_EQ(writer_->delayed_syncs(), 0u);
  pass(ae::Milliseconds(1));
  EXPECT_EQ(content(), "onetwo");
  EXPECT_EQ(writer_->delayed_syncs(), 1u);
}

TEST_F(AofWriterTest, APostponedWriteLeavesWhenTheSyncHasEnded) {
  write("one");
  write("two");
  worker_.run_all();
  pass(ae::Milliseconds(100));
  EXPECT_EQ(content(), "onetwo");
  EXPECT_EQ(writer_->delayed_syncs(), 0u);
}

TEST_F(AofWriterTest, OnAFullDiskTheTornPartIsCutOffAndAllIsTriedAgain) {
  write("whole|");
  worker_.run_all();
  disk_.set_capacity(8);
  write("second|");
  EXPECT_EQ(content(), "whole|");
  EXPECT_EQ(writer_->error(), ENOSPC);
  EXPECT_EQ(writer_->buffered(), 7u);
  disk_.set_capacity(1000);
  pass(ae::Seconds(1));
  EXPECT_EQ(content(), "whole|second|");
  EXPECT_EQ(writer_->error(), 0);
  EXPECT_FALSE(fatal_);
}

// What cannot be cut off now is cut off before anything is written behind it.
TEST_F(AofWriterTest, ATornPartThatStaysIsCutOffBeforeTheNextWrite) {
  write("whole|");
  worker_.run_all();
  disk_.fail_all(EIO);
  write("second|");
  EXPECT_EQ(content(), "whole|sec");
  disk_.heal();
  pass(ae::Seconds(1));
  EXPECT_EQ(content(), "whole|second|");
}

TEST_F(AofWriterTest, UnderAlwaysAFailedWriteOrSyncIsFatal) {
  for (const int failing_call : {1, 2}) {
    open(AppendSync::kAlways);
    fatal_ = false;
    disk_.fail_call(failing_call, EIO);
    write("one");
    EXPECT_TRUE(fatal_) << failing_call;
    EXPECT_EQ(writer_->synced(), 0u);
    disk_.heal();
  }
}

TEST_F(AofWriterTest, AFailedSyncIsAnErrorUntilOneSucceeds) {
  write("one");
  disk_.fail_all(EIO);
  worker_.run_all();
  EXPECT_EQ(writer_->error(), EIO);
  EXPECT_EQ(writer_->write_error(), 0);
  disk_.heal();
  pass(ae::Seconds(1));
  worker_.run_all();
  EXPECT_EQ(writer_->error(), 0);
  EXPECT_EQ(writer_->synced(), 3u);
}

TEST_F(AofWriterTest, WhileAChildWritesSyncsMayBeHeld) {
  writer_->hold_sync(true);
  write("one");
  pass(ae::Seconds(5));
  EXPECT_EQ(worker_.waiting(), 0u);
  writer_->hold_sync(false);
  pass(ae::Milliseconds(1));
  EXPECT_EQ(worker_.waiting(), 1u);
}

TEST_F(AofWriterTest, TheFileBeforeIsSyncedByTheWorkerAndPositionsGoOn) {
  write("one");
  worker_.run_all();
  write("two");
  writer_->open(std::move(disk_.append("next").value()), 0);
  EXPECT_EQ(writer_->file_bytes(), 0u);
  write("three");  // waits: the sync of the old file is under way
  worker_.run_all();
  EXPECT_EQ(writer_->synced(), 6u);
  pass(ae::Seconds(1));
  worker_.run_all();
  EXPECT_EQ(writer_->synced(), 11u);
  EXPECT_EQ(disk_.content("next"), "three");
}

TEST_F(AofWriterTest, FinishingPutsEverythingOnTheDisk) {
  write("one");
  write("two");
  writer_->finish(now_);
  disk_.crash(Torn::kNothing);
  EXPECT_EQ(content(), "onetwo");
}

}  // namespace
}  // namespace millrace::fakes
