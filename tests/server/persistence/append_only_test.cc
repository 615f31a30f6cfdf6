// The server with an append-only file on a simulated disk: what a client was told must be there
// after a crash, whichever call to the disk failed, with and without IO threads.
#include <gtest/gtest.h>

#include <cerrno>

#include "server/command/append_only.h"
#include "tests/server/persist/sim_storage.h"
#include "tests/server/stage.h"

namespace millrace {
namespace {

using fakes::SimStorage;
using fakes::Torn;

// A server on a disk, from its start to the moment the power goes.
class Life {
 public:
  Life(SimStorage& disk, const char* sync, size_t io_threads = 0, const char* preamble = "yes")
      : stage_({.io_threads = io_threads,
                .settings = {"--appendonly", "yes", "--appendfsync", sync, "--loglevel", "nothing",
                             "--aof-use-rdb-preamble", preamble, "--dir", "/"},
                .disk = &disk}) {
    for (int i = 0; i < 100 && !dead() && stage_.server().services().state.loading(); ++i)
      stage_.tick();
  }

  bool dead() const { return stage_.dead(); }
  Stage& stage() { return stage_; }
  AppendOnlyStatus status() { return stage_.server().services().append_only.status(); }
  // Until the child that writes the base has ended.
  void end_rewrite() {
    for (int i = 0; i < 100 && status().rewrite_in_progress; ++i)
      stage_.tick(ChildProcess::kPollInterval);
  }

 private:
  Stage stage_;
};

// Counts up under a key, and on a list in a transaction; returns what was confirmed.
int count_up(Life& life, Talker& talker, int rounds) {
  int confirmed = 0;
  for (int i = 1; i <= rounds && !life.dead(); ++i) {
    if (i == rounds / 2) talker.send(proto::encode_request({"BGREWRITEAOF"}));
    if (i == rounds / 2) (void)talker.await();
    if (i == rounds / 2 + 2) life.end_rewrite();
    talker.send(proto::encode_request({"MULTI"}) + proto::encode_request({"INCR", "count"}) +
                proto::encode_request({"RPUSH", "list", std::to_string(i)}) +
                proto::encode_request({"EXEC"}));
    std::optional<proto::ReplyValue> reply;
    for (int n = 0; n < 4 && !life.dead(); ++n) reply = talker.await();
    // In a real server nothing leaves any more.
    if (life.dead() || !reply || reply->children.size() != 2) continue;
    confirmed = int(reply->children[0].integer);
  }
  return confirmed;
}

int found(SimStorage& disk) {
  Life life(disk, "always");
  if (life.dead()) return -1;
  Talker talker(life.stage());
  const proto::ReplyValue count = talker.ask({"GET", "count"});
  const proto::ReplyValue length = talker.ask({"LLEN", "list"});
  const int counted = count.text.empty() ? 0 : std::stoi(count.text);
  EXPECT_EQ(length.integer, counted) << "half a transaction";
  return counted;
}

void sweep(size_t io_threads) {
  uint64_t calls = 1;
  uint64_t runs = 0;
  for (uint64_t failing = 0; failing <= calls; ++failing) {
    for (const Torn torn : {Torn::kNothing, Torn::kHalf}) {
      SCOPED_TRACE("call " + std::to_string(failing) + " fails");
      SimStorage disk;
      if (failing > 0) disk.fail_call(failing, EIO);
      int confirmed = 0;
      {
        Life life(disk, "always", io_threads);
        if (!life.dead()) {
          Talker talker(life.stage());
          confirmed = count_up(life, talker, 10);
          if (failing == 0) calls = disk.calls();
        }
        disk.heal();
        disk.crash(torn);
      }
      EXPECT_GE(found(disk), confirmed);
      ++runs;
    }
  }
  std::printf("%llu runs\n", static_cast<unsigned long long>(runs));
  EXPECT_GT(calls, 30u);
}

TEST(AppendOnlyTest, WithAlwaysWhatWasRepliedIsThere) {
  sweep(0);
}

TEST(AppendOnlyTest, WithIoThreadsToo) {
  sweep(2);
}

TEST(AppendOnlyTest, NoReplyLeavesBeforeItsSync) {
  SimStorage disk;
  Life life(disk, "always");
  Talker talker(life.stage());
  EXPECT_EQ(talker.ask({"SET", "k", "v"}).text, "OK");
  disk.crash(Torn::kNothing);
  Life again(disk, "always");
  Talker reader(again.stage());
  EXPECT_EQ(reader.ask({"GET", "k"}).text, "v");
}

TEST(AppendOnlyTest, OnAFullDiskWritesAreRefusedUntilThereIsRoom) {
  SimStorage disk;
  Life life(disk, "everysec");
  Talker talker(life.stage());
  EXPECT_EQ(talker.ask({"SET", "k", "1"}).text, "OK");
  life.stage().worker().run_all();  // else the next write waits for its sync
  disk.set_capacity(disk.used() + 5);
  talker.ask({"SET", "k", "2"});
  EXPECT_EQ(talker.ask({"SET", "k", "3"}).text,
            "MISCONF Errors writing to the AOF file: No space left on device");
  EXPECT_EQ(talker.ask({"GET", "k"}).text, "2");
  EXPECT_NE(talker.ask({"INFO", "persistence"}).text.find("aof_last_write_status:err"),
            std::string::npos);
  disk.set_capacity(UINT64_MAX);
  life.stage().pass(ae::Seconds(2));
  life.stage().worker().run_all();
  EXPECT_EQ(talker.ask({"SET", "k", "4"}).text, "OK");
  life.stage().pass(ae::Seconds(2));
  life.stage().worker().run_all();
  disk.crash(Torn::kAll);
  Life again(disk, "everysec");
  Talker reader(again.stage());
  EXPECT_EQ(reader.ask({"GET", "k"}).text, "4");
}

TEST(AppendOnlyTest, AFailingRewriteIsTriedAgainLaterAndLater) {
  SimStorage disk;
  Life life(disk, "no");
  Talker talker(life.stage());
  talker.ask({"SET", "k", std::string(1000, 'v')});
  const auto pass = [&](int seconds) {
    for (int i = 0; i < seconds; ++i) life.stage().pass(ae::Seconds(1));
  };
  disk.fail_all(EIO);
  talker.ask({"CONFIG", "SET", "auto-aof-rewrite-min-size", "1"});
  pass(50);
  EXPECT_EQ(life.status().rewrite_failures_in_a_row, 3u);
  pass(100);
  EXPECT_EQ(life.status().rewrite_failures_in_a_row, 4u);
  disk.heal();
  pass(300);
  EXPECT_EQ(life.status().rewrite_failures_in_a_row, 0u);
  EXPECT_GE(life.status().rewrites, 1u);
}

TEST(AppendOnlyTest, TurnedOnAtRunTimeItBeginsWithABase) {
  SimStorage disk;
  {
    Life life(disk, "always");
    Talker talker(life.stage());
    talker.ask({"CONFIG", "SET", "appendonly", "no"});
    talker.ask({"SET", "before", "1"});
    EXPECT_EQ(talker.ask({"CONFIG", "SET", "appendonly", "yes"}).text, "OK");
    talker.ask({"SET", "during", "1"});
    life.end_rewrite();
    talker.ask({"SET", "after", "1"});
    disk.crash(Torn::kNothing);
  }
  Life life(disk, "always");
  Talker talker(life.stage());
  EXPECT_EQ(talker.ask({"DBSIZE"}).integer, 3);
}

TEST(AppendOnlyTest, CommandsInPlaceOfASnapshot) {
  SimStorage disk;
  {
    Life life(disk, "always", 0, "no");
    Talker talker(life.stage());
    talker.ask({"HSET", "h", "f", "v", "g", "w"});
    talker.ask({"XADD", "s", "5-1", "a", "b"});
    talker.ask({"XGROUP", "CREATE", "s", "g", "0"});
    talker.ask({"XREADGROUP", "GROUP", "g", "ann", "STREAMS", "s", ">"});
    talker.ask({"BGREWRITEAOF"});
    life.end_rewrite();
    disk.crash(Torn::kNothing);
  }
  Life life(disk, "always", 0, "no");
  Talker talker(life.stage());
  EXPECT_EQ(talker.ask({"HGET", "h", "g"}).text, "w");
  EXPECT_EQ(talker.ask({"XPENDING", "s", "g"}).children[0].integer, 1);
}

}  // namespace
}  // namespace millrace
