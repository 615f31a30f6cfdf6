// What a start does with an append-only file: commands in place of a snapshot hold every type, and
// a file that is wrong in any way ends the start and is left as it was.
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <map>

#include "server/command/append_only.h"
#include "tests/server/persist/sim_storage.h"
#include "tests/server/stage.h"

namespace millrace {
namespace {

using fakes::SimStorage;

// A server that has read what is on the disk, or has given up.
class Start {
 public:
  explicit Start(SimStorage& disk, std::vector<const char*> more = {})
      : stage_({.settings = settings(std::move(more)), .disk = &disk}) {
    for (int i = 0; i < 100 && !dead() && stage_.server().services().state.loading(); ++i)
      stage_.tick();
  }

  bool dead() const { return stage_.dead(); }
  Stage& stage() { return stage_; }
  void rewrite(Talker& talker) {
    talker.ask({"BGREWRITEAOF"});
    AppendOnly& file = stage_.server().services().append_only;
    for (int i = 0; i < 100 && file.status().rewrite_in_progress; ++i)
      stage_.tick(ChildProcess::kPollInterval);
  }

 private:
  static std::vector<const char*> settings(std::vector<const char*> more) {
    std::vector<const char*> all = {
        "--appendonly", "yes",  "--appendfsync",          "always", "--loglevel", "nothing",
        "--dir",        "/tmp", "--enable-debug-command", "yes"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  Stage stage_;
};

// --- commands in place of a snapshot

const std::vector<const char*> kCommands = {"--aof-use-rdb-preamble", "no"};

void fill(Talker& talker) {
  talker.ask({"SET", "text", "v\r\n"});
  talker.ask({"SET", "number", "-12"});
  talker.ask({"SET", "late", "v", "PXAT", "99999999999999"});
  talker.ask({"HSET", "hash", "f", "v", "g", "w"});
  talker.ask({"ZADD", "scores", "-inf", "a", "0.1", "b", "1e300", "c", "inf", "d", "-0", "e"});
  for (int i = 0; i < 150; ++i) {  // more than one command of them
    const std::string n = std::to_string(i);
    talker.ask({"RPUSH", "list", n});
    talker.ask({"SADD", "numbers", n});
    talker.ask({"SADD", "words", "w" + n});
    talker.ask({"ZADD", "many", n, "m" + n});
  }
  talker.ask({"SELECT", "9"});
  talker.ask({"XADD", "stream", "5-1", "a", "b"});
  talker.ask({"XADD", "stream", "6-1", "a", "b"});
  talker.ask({"XADD", "stream", "7-1", "a", "b"});
  talker.ask({"XDEL", "stream", "6-1"});
  talker.ask({"XGROUP", "CREATE", "stream", "group", "0"});
  talker.ask({"XGROUP", "CREATECONSUMER", "stream", "group", "idle"});
  talker.ask({"XREADGROUP", "GROUP", "group", "ann", "COUNT", "1", "STREAMS", "stream", ">"});
  talker.ask({"XADD", "emptied", "8-3", "a", "b"});
  talker.ask({"XDEL", "emptied", "8-3"});
  talker.ask({"XGROUP", "CREATE", "never", "group", "$", "MKSTREAM"});
  talker.ask({"FUNCTION", "LOAD",
              "#!lua name=lib\nredis.register_function('f', function() return 'here' end)"});
}

std::string texts_of(const proto::ReplyValue& reply) {
  std::string all = reply.text + ":" + std::to_string(reply.integer) + " ";
  for (const proto::ReplyValue& child : reply.children) all += texts_of(child);
  return all;
}

// The digest of all data, and what it does not cover of streams.
std::string fingerprint(Talker& talker) {
  talker.ask({"SELECT", "9"});
  std::string all = talker.ask({"DEBUG", "DIGEST"}).text;
  for (const std::string key : {"stream", "emptied", "never"}) {
    all += "\n" + texts_of(talker.ask({"XINFO", "STREAM", key}));
    all += texts_of(talker.ask({"XINFO", "GROUPS", key}));
  }
  all += "\n" + texts_of(talker.ask({"XPENDING", "stream", "group"}));
  talker.ask({"SELECT", "0"});
  all += "\n" + std::to_string(talker.ask({"PEXPIRETIME", "late"}).integer);
  return all + "\n" + talker.ask({"FCALL", "f", "0"}).text;
}

TEST(AppendOnlyLoading, CommandsInPlaceOfASnapshotHoldEveryType) {
  SimStorage disk;
  std::string before;
  {
    Start start(disk, kCommands);
    Talker talker(start.stage());
    fill(talker);
    before = fingerprint(talker);
    start.rewrite(talker);
  }
  Start start(disk, kCommands);
  ASSERT_FALSE(start.dead());
  Talker talker(start.stage());
  EXPECT_EQ(fingerprint(talker), before);
}

// --- files that are wrong

constexpr const char* kManifest = "/tmp/appendonlydir/appendonly.aof.manifest";
constexpr const char* kBase = "/tmp/appendonlydir/appendonly.aof.1.base.rdb";
constexpr const char* kFirst = "/tmp/appendonlydir/appendonly.aof.1.incr.aof";
constexpr const char* kSecond = "/tmp/appendonlydir/appendonly.aof.2.incr.aof";

class SpoiltAppendOnlyFile : public testing::Test {
 protected:
  SpoiltAppendOnlyFile() {
    Start start(disk_);
    Talker talker(start.stage());
    talker.ask({"SET", "k", "v"});
    talker.ask({"SET", "l", "v"});
  }
  void spoil(const char* path, const std::function<void(std::string&)>& how) {
    std::string bytes = disk_.content(path);
    how(bytes);
    disk_.put(path, bytes);
  }
  // The start ends, and nobody has touched the files: they may be all there is of the data.
  void expect_refused(std::vector<const char*> more = {}) {
    std::map<std::string, std::string> before;
    for (const char* path : {kManifest, kBase, kFirst})
      if (disk_.has(path)) before[path] = disk_.content(path);
    Start start(disk_, std::move(more));
    EXPECT_TRUE(start.dead());
    for (const auto& [path, bytes] : before) EXPECT_EQ(disk_.content(path), bytes) << path;
  }

  SimStorage disk_;
};

TEST_F(SpoiltAppendOnlyFile, ACommandThatIsNoneEndsTheStart) {
  spoil(kFirst, [](std::string& bytes) { bytes += "*2\r\n$4\r\nnone\r\n$1\r\nk\r\n"; });
  expect_refused();
}

TEST_F(SpoiltAppendOnlyFile, SoDoesOneWithTooFewArguments) {
  spoil(kFirst, [](std::string& bytes) { bytes += "*1\r\n$3\r\nSET\r\n"; });
  expect_refused();
}

TEST_F(SpoiltAppendOnlyFile, AByteThatIsNoLengthEndsTheStart) {
  spoil(kFirst, [](std::string& bytes) { bytes += "*x\r\n"; });
  expect_refused();
}

TEST_F(SpoiltAppendOnlyFile, ASpoiltBaseEndsTheStart) {
  spoil(kBase, [](std::string& bytes) { bytes.back() ^= 1; });
  expect_refused();
}

TEST_F(SpoiltAppendOnlyFile, AManifestThatIsNoneEndsTheStart) {
  spoil(kManifest, [](std::string& bytes) { bytes += "file x seq y type z\n"; });
  expect_refused();
}

TEST_F(SpoiltAppendOnlyFile, AFileThatTheManifestNamesAndIsNotThereEndsTheStart) {
  EXPECT_TRUE(disk_.remove(kFirst));
  expect_refused();
}

TEST_F(SpoiltAppendOnlyFile, AnEndThatIsMissingIsCutOffWhereThatIsAllowed) {
  spoil(kFirst, [](std::string& bytes) { bytes.resize(bytes.size() - 3); });
  expect_refused({"--aof-load-truncated", "no"});
  Start start(disk_);
  ASSERT_FALSE(start.dead());
  Talker talker(start.stage());
  EXPECT_EQ(talker.ask({"GET", "k"}).text, "v");
  EXPECT_EQ(talker.ask({"EXISTS", "l"}).integer, 0) << "of which the end is missing";
  EXPECT_EQ(talker.ask({"SET", "m", "v"}).text, "OK");
}

// What follows would be run on data that lacks something.
TEST_F(SpoiltAppendOnlyFile, AnEndThatIsMissingInTheMiddleIsNotCutOff) {
  spoil(kFirst, [](std::string& bytes) { bytes.resize(bytes.size() - 3); });
  disk_.put(kSecond, "*3\r\n$3\r\nSET\r\n$1\r\nm\r\n$1\r\nv\r\n");
  spoil(kManifest,
        [](std::string& bytes) { bytes += "file appendonly.aof.2.incr.aof seq 2 type i\n"; });
  expect_refused();
}

TEST_F(SpoiltAppendOnlyFile, ADiskThatCannotBeReadEndsTheStart) {
  disk_.fail_all(EIO);
  Start start(disk_);
  EXPECT_TRUE(start.dead());
}

}  // namespace
}  // namespace millrace
