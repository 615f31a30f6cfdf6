#include "server/persist/abandoned_files.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/server/persist/sim_storage.h"

namespace millrace::fakes {
namespace {

TEST(AbandonedFiles, AreKnownByTheirNames) {
  EXPECT_EQ(owner_of_temporary("temp-4711.rdb"), 4711);
  EXPECT_EQ(owner_of_temporary("temp-1700000000.4711.rdb"), 4711);
  EXPECT_EQ(owner_of_temporary("temp-rewriteaof-bg-4711.aof"), 4711);
  for (const char* other :
       {"dump.rdb", "temp-.rdb", "temp-4711", "temp-4711.rdb.bak", "temp-x.rdb", "temp--1.rdb",
        "temp-0.rdb", "temp-1..rdb", "temp-1.2.3.rdb", "temp-99999999999.rdb", "temp-4711.aof",
        "temp-rewriteaof-bg-.aof", "temp-rewriteaof-bg-1.rdb", "temp-rewriteaof-4711.aof", ""})
    EXPECT_EQ(owner_of_temporary(other), std::nullopt) << other;
}

TEST(AbandonedFiles, GoUnlessTheirProcessLives) {
  SimStorage disk;
  for (const char* name : {"temp-1.rdb", "temp-2.rdb", "temp-rewriteaof-bg-1.aof", "dump.rdb"})
    disk.put(std::string("./") + name, "x");
  remove_abandoned_files(disk, ".", [](int pid) { return pid == 2; });
  EXPECT_FALSE(disk.size("./temp-1.rdb"));
  EXPECT_FALSE(disk.size("./temp-rewriteaof-bg-1.aof"));
  EXPECT_TRUE(disk.size("./temp-2.rdb"));
  EXPECT_TRUE(disk.size("./dump.rdb"));
}

TEST(AbandonedFiles, ADiskThatFailsIsNoReasonNotToStart) {
  SimStorage disk;
  disk.put("./temp-1.rdb", "x");
  disk.fail_all(EIO);
  remove_abandoned_files(disk, ".", [](int) { return false; });
  disk.heal();
  EXPECT_TRUE(disk.size("./temp-1.rdb"));
}

TEST(AbandonedFiles, ThisProcessLivesAndOneThatHasEndedDoesNot) {
  EXPECT_TRUE(process_lives(getpid()));
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t ended{};
  ASSERT_EQ(waitid(P_PID, id_t(child), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(process_lives(child)) << "though it is still to be waited for";
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(process_lives(child));
}

}  // namespace
}  // namespace millrace::fakes
