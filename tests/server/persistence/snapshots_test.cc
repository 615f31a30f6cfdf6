// Snapshots of the whole server on a simulated disk: when they are made, what happens when the disk
// fails at any call, and what a restart finds.
#include "server/persist/snapshots.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/server/sim_server.h"

namespace millrace {
namespace {

using fakes::SimStorage;
using fakes::Torn;

SimServer::Options on(SimStorage& disk) {
  return {.disk = &disk};
}

std::string path_of(SimServer& server) {
  return server.services().config.dir + "/dump.rdb";
}

std::string info(SimClient& client, const std::string& field) {
  const std::string all = client.ask({"INFO", "persistence"});
  const size_t at = all.find("\n" + field + ":");
  if (at == std::string::npos) return "(none)";
  const size_t begin = at + field.size() + 2;
  return all.substr(begin, all.find('\r', begin) - begin);
}

TEST(Snapshots, WhatWasSavedIsThereAfterARestart) {
  SimStorage disk;
  {
    SimServer server({}, on(disk));
    SimClient client = server.dial();
    client.ask({"SET", "k", "v"});
    client.ask({"SELECT", "3"});
    client.ask({"RPUSH", "list", "a", "b"});
    EXPECT_EQ(info(client, "rdb_changes_since_last_save"), "2");
    EXPECT_EQ(client.ask({"SAVE"}), "+OK\r\n");
    EXPECT_EQ(info(client, "rdb_changes_since_last_save"), "0");
    client.ask({"SET", "lost", "1"});
  }
  SimServer server({}, on(disk));
  server.spin();
  SimClient client = server.dial();
  EXPECT_EQ(client.ask({"GET", "k"}), "$1\r\nv\r\n");
  EXPECT_EQ(client.ask({"GET", "lost"}), "$-1\r\n");
  client.ask({"SELECT", "3"});
  EXPECT_EQ(client.ask({"LRANGE", "list", "0", "-1"}), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  EXPECT_EQ(info(client, "rdb_last_load_keys_loaded"), "2");
  EXPECT_EQ(info(client, "rdb_changes_since_last_save"), "0");
}

TEST(Snapshots, LibrariesOfFunctionsAreThereToo) {
  SimStorage disk;
  {
    SimServer server({}, on(disk));
    SimClient client = server.dial();
    client.ask({"FUNCTION", "LOAD",
                "#!lua name=lib\nredis.register_function('f', function() return 'here' end)"});
    EXPECT_EQ(client.ask({"SAVE"}), "+OK\r\n");
  }
  SimServer server({}, on(disk));
  server.spin();
  SimClient client = server.dial();
  EXPECT_EQ(client.ask({"FCALL", "f", "0"}), "$4\r\nhere\r\n");
}

TEST(Snapshots, AChildSavesWhatWasThereWhenItBegan) {
  SimStorage disk;
  SimServer server({}, on(disk));
  server.forker().hold = true;
  SimClient client = server.dial();
  client.ask({"SET", "k", "old"});
  EXPECT_EQ(client.ask({"BGSAVE"}), "+Background saving started\r\n");
  EXPECT_EQ(info(client, "rdb_bgsave_in_progress"), "1");
  EXPECT_EQ(client.ask({"BGSAVE"}), "-ERR Background save already in progress\r\n");
  EXPECT_EQ(client.ask({"BGSAVE", "SCHEDULE"}), "-ERR Background save already in progress\r\n");
  EXPECT_EQ(client.ask({"SAVE"}), "-ERR Background save already in progress\r\n");
  client.ask({"SET", "k", "new"});
  client.ask({"SET", "l", "new"});
  server.forker().end();
  server.pass(ae::Milliseconds(200));
  EXPECT_EQ(info(client, "rdb_bgsave_in_progress"), "0");
  EXPECT_EQ(info(client, "rdb_last_bgsave_status"), "ok");
  EXPECT_EQ(info(client, "rdb_changes_since_last_save"), "2") << "those after it began";
  EXPECT_EQ(info(client, "rdb_saves"), "1");
}

TEST(Snapshots, LookingAtKeysLeavesNoTraceWhileAChildLives) {
  SimServer server({"--maxmemory-policy", "allkeys-lru"});
  server.forker().hold = true;
  SimClient client = server.dial();
  client.ask({"SET", "k", "v"});
  client.ask({"BGSAVE"});
  server.pass(ae::Seconds(10));
  client.ask({"GET", "k"});
  EXPECT_EQ(client.ask({"OBJECT", "IDLETIME", "k"}), ":10\r\n");
  server.forker().end();
  server.pass(ae::Milliseconds(200));
  client.ask({"GET", "k"});
  EXPECT_EQ(client.ask({"OBJECT", "IDLETIME", "k"}), ":0\r\n");
}

TEST(Snapshots, SavePointsCountChangesAndSeconds) {
  SimServer server({"--save", "10 3"});
  SimClient client = server.dial();
  client.ask({"SET", "a", "1"});
  client.ask({"SET", "b", "1"});
  server.pass(ae::Seconds(30));
  EXPECT_EQ(server.forker().forks, 0) << "too few changes";
  client.ask({"SET", "c", "1"});
  server.pass(ae::Seconds(1));
  EXPECT_EQ(server.forker().forks, 1);
  client.ask({"MSET", "a", "2", "b", "2", "c", "2"});
  client.ask({"SET", "a", "3"});
  client.ask({"SET", "b", "3"});
  server.pass(ae::Seconds(5));
  EXPECT_EQ(server.forker().forks, 1) << "too early";
  server.pass(ae::Seconds(6));
  EXPECT_EQ(server.forker().forks, 2);
  EXPECT_EQ(info(client, "rdb_changes_since_last_save"), "0");
}

TEST(Snapshots, AFailureRefusesWritesUntilOneSucceeds) {
  SimStorage disk;
  SimServer server({"--save", "10 1"}, on(disk));
  SimClient client = server.dial();
  client.ask({"SET", "k", "old"});
  EXPECT_EQ(client.ask({"SAVE"}), "+OK\r\n");
  const std::string before = disk.content(path_of(server));
  client.ask({"SET", "k", "new"});
  disk.set_capacity(disk.used() + 20);
  EXPECT_EQ(client.ask({"BGSAVE"}), "+Background saving started\r\n");
  server.pass(ae::Milliseconds(200));
  EXPECT_EQ(info(client, "rdb_last_bgsave_status"), "err");
  EXPECT_EQ(disk.content(path_of(server)), before);
  EXPECT_EQ(disk.used(), before.size()) << "nothing is left behind";
  EXPECT_EQ(client.ask({"SET", "k", "newer"}).substr(0, 8), "-MISCONF");
  EXPECT_EQ(client.ask({"GET", "k"}), "$3\r\nnew\r\n");
  client.ask({"CONFIG", "SET", "stop-writes-on-bgsave-error", "no"});
  EXPECT_EQ(client.ask({"SET", "k", "newer"}), "+OK\r\n");
  client.ask({"CONFIG", "SET", "stop-writes-on-bgsave-error", "yes"});
  EXPECT_EQ(client.ask({"SET", "k", "newest"}).substr(0, 8), "-MISCONF");
  // Tried again by itself, some seconds later.
  const int forks = server.forker().forks;
  server.pass(ae::Seconds(30));
  EXPECT_GE(server.forker().forks, forks + 2);
  EXPECT_LE(server.forker().forks, forks + 5);
  disk.set_capacity(UINT64_MAX);
  server.pass(ae::Seconds(7));
  EXPECT_EQ(info(client, "rdb_last_bgsave_status"), "ok");
  EXPECT_EQ(client.ask({"SET", "k", "newest"}), "+OK\r\n");
}

TEST(Snapshots, AForkThatFailsIsAFailure) {
  SimServer server({"--save", "10 1"});
  SimClient client = server.dial();
  server.forker().fail_with = EAGAIN;
  EXPECT_EQ(client.ask({"BGSAVE"}), "-ERR\r\n");
  EXPECT_EQ(client.ask({"SET", "k", "v"}).substr(0, 8), "-MISCONF");
}

TEST(Snapshots, FlushAllEndsAChildAndEmptiesTheFile) {
  SimStorage disk;
  SimServer server({"--save", "100 100"}, on(disk));
  server.forker().hold = true;
  SimClient client = server.dial();
  client.ask({"SET", "k", "v"});
  client.ask({"BGSAVE"});
  const size_t full = disk.content(path_of(server)).size();
  EXPECT_EQ(client.ask({"FLUSHALL"}), "+OK\r\n");
  server.pass(ae::Milliseconds(200));
  EXPECT_EQ(server.forker().kills, 1);
  EXPECT_EQ(info(client, "rdb_last_bgsave_status"), "ok") << "it was we who ended it";
  EXPECT_LT(disk.content(path_of(server)).size(), full);
}

// --- every call of the disk

// Saves "old", then "new" with the nth call failing. Returns whether it got so far.
bool save_with_failing_call(SimStorage& disk, uint64_t n, std::string* reply) {
  SimServer server({}, on(disk));
  SimClient client = server.dial();
  client.ask({"SET", "k", "old"});
  EXPECT_EQ(client.ask({"SAVE"}), "+OK\r\n");
  client.ask({"SET", "k", "new"});
  const uint64_t before = disk.calls();
  disk.fail_call(n, EIO);
  *reply = client.ask({"SAVE"});
  const bool reached = disk.calls() >= before + n;
  disk.heal();
  return reached;
}

std::string value_after_restart(SimStorage& disk) {
  SimServer server({}, on(disk));
  server.spin();
  return server.dial().ask({"GET", "k"});
}

TEST(Snapshots, WhateverCallFailsTheOldFileOrTheNewOneIsThere) {
  int swept = 0;
  for (uint64_t n = 1;; ++n) {
    SimStorage disk;
    std::string reply;
    if (!save_with_failing_call(disk, n, &reply)) break;
    ++swept;
    const std::string value = value_after_restart(disk);
    if (reply == "+OK\r\n") {
      EXPECT_EQ(value, "$3\r\nnew\r\n") << n;
    } else {
      EXPECT_EQ(reply, "-ERR\r\n") << n;
      EXPECT_TRUE(value == "$3\r\nold\r\n" || value == "$3\r\nnew\r\n") << n << " " << value;
    }
  }
  EXPECT_GE(swept, 5);
}

TEST(Snapshots, WheneverThePowerGoesTheOldFileOrTheNewOneIsThere) {
  int swept = 0;
  for (const Torn torn : {Torn::kNothing, Torn::kHalf, Torn::kAll}) {
    for (uint64_t n = 1;; ++n) {
      SimStorage disk;
      {
        SimServer server({}, on(disk));
        SimClient client = server.dial();
        client.ask({"SET", "k", "old"});
        EXPECT_EQ(client.ask({"SAVE"}), "+OK\r\n");
        client.ask({"SET", "k", "new"});
        const uint64_t before = disk.calls();
        disk.fail_from(n, EIO);  // from here on nothing reaches the disk
        client.ask({"SAVE"});
        if (disk.calls() < before + n) break;
      }
      ++swept;
      disk.heal();
      disk.crash(torn);
      const std::string value = value_after_restart(disk);
      EXPECT_TRUE(value == "$3\r\nold\r\n" || value == "$3\r\nnew\r\n") << n << " " << value;
    }
  }
  EXPECT_GE(swept, 15);
}

TEST(Snapshots, AnAcknowledgedSaveOutlivesTheMachine) {
  SimStorage disk;
  {
    SimServer server({}, on(disk));
    SimClient client = server.dial();
    client.ask({"SET", "k", "v"});
    EXPECT_EQ(client.ask({"SAVE"}), "+OK\r\n");
  }
  disk.crash(Torn::kNothing);
  EXPECT_EQ(value_after_restart(disk), "$1\r\nv\r\n");
}

// Put there by hand: simulated sockets take their time for megabytes.
void fill_and_save(SimServer& server, int count, size_t bytes) {
  for (int i = 0; i < count; ++i) {
    const std::string key = "key:" + std::to_string(i);
    server.services().databases[0].set_string(Keyspace::key(key), std::string(bytes, 'x'),
                                              kNoExpiry);
  }
  EXPECT_EQ(server.dial().ask({"SAVE"}), "+OK\r\n");
}

// --- the end

TEST(Snapshots, ShutdownSavesWhereThereAreSavePoints) {
  SimStorage disk;
  const auto end_with = [&](const std::vector<std::string>& arguments,
                            std::initializer_list<std::string_view> shutdown) {
    SimServer server(arguments, on(disk));
    server.spin();
    SimClient client = server.dial();
    client.ask({"INCR", "k"});
    return client.ask(shutdown);
  };
  end_with({"--save", "3600 1"}, {"SHUTDOWN"});
  EXPECT_EQ(value_after_restart(disk), "$1\r\n1\r\n");
  end_with({"--save", "3600 1"}, {"SHUTDOWN", "NOSAVE"});
  EXPECT_EQ(value_after_restart(disk), "$1\r\n1\r\n");
  end_with({}, {"SHUTDOWN"});
  EXPECT_EQ(value_after_restart(disk), "$1\r\n1\r\n");
  end_with({}, {"SHUTDOWN", "SAVE"});
  EXPECT_EQ(value_after_restart(disk), "$1\r\n2\r\n");
}

TEST(Snapshots, AShutdownThatCannotSaveIsNone) {
  SimStorage disk;
  SimServer server({"--save", "3600 1"}, on(disk));
  SimClient client = server.dial();
  disk.fail_all(EIO);
  EXPECT_EQ(client.ask({"SHUTDOWN"}), "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
  EXPECT_EQ(client.ask({"GET", "k"}), "$-1\r\n");
  EXPECT_EQ(client.ask({"SHUTDOWN", "FORCE"}), "");
}

TEST(Snapshots, WritesWaitOnceTheEndIsSaved) {
  SimStorage disk;
  SimServer server({"--save", "3600 1"}, on(disk));
  SimClient writer = server.dial();
  SimClient reader = server.dial();
  SimClient slow = server.dial();
  fill_and_save(server, 8, 1 << 20);
  slow.send({"MGET", "key:0", "key:1", "key:2", "key:3", "key:4", "key:5", "key:6", "key:7"});
  server.spin();
  reader.send({"SHUTDOWN"});
  server.spin();
  EXPECT_EQ(writer.ask({"SET", "k", "late"}), "");
}

// --- loading

// The sentence about it outlives the loader that found it: AddressSanitizer sees it here, and the
// start's log is read in tests/e2e/persistence_test.py.
TEST(Snapshots, ASpoiltFileIsLeftAsItIs) {
  SimStorage disk;
  std::string path;
  {
    SimServer server({}, on(disk));
    path = path_of(server);
    SimClient client = server.dial();
    client.ask({"SET", "k", std::string(100, 'v')});
    EXPECT_EQ(client.ask({"SAVE"}), "+OK\r\n");
  }
  std::string bytes = disk.content(path);
  bytes.back() ^= 1;
  disk.put(path, bytes);
  SimServer server({}, on(disk));
  server.spin(8);
  EXPECT_EQ(server.services().databases[0].size(), 1u) << "read, but for the checksum at the end";
  EXPECT_EQ(disk.content(path), bytes) << "left as it was";
}

TEST(Snapshots, LoadingGoesInSlicesAndSaysSo) {
  SimStorage disk;
  {
    SimServer server({"--rdbcompression", "no"}, on(disk));
    fill_and_save(server, 2560, 16 << 10);
  }
  SimServer server({"--save", "3600 1"}, on(disk));
  SimClient client = server.dial();
  EXPECT_EQ(client.ask({"GET", "k"}), "-LOADING Redis is loading the dataset in memory\r\n");
  EXPECT_EQ(info(client, "loading"), "1");
  EXPECT_NE(info(client, "loading_total_bytes"), "(none)");
  server.spin(60);
  EXPECT_EQ(info(client, "loading"), "0");
  EXPECT_EQ(client.ask({"STRLEN", "key:2559"}), ":16384\r\n");
  EXPECT_EQ(client.ask({"DBSIZE"}), ":2560\r\n");
}

TEST(Snapshots, AShutdownWhileLoadingLeavesTheFile) {
  SimStorage disk;
  std::string before;
  {
    SimServer server({"--rdbcompression", "no"}, on(disk));
    fill_and_save(server, 2560, 16 << 10);
    before = disk.content(path_of(server));
  }
  SimServer server({"--save", "3600 1"}, on(disk));
  SimClient client = server.dial();
  client.ask({"SHUTDOWN"});
  EXPECT_TRUE(disk.content(path_of(server)) == before);
}

}  // namespace
}  // namespace millrace
