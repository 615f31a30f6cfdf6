// One contract for the kernel's files and the simulated ones, and what only the simulated ones can:
// faults and crashes.
#include "server/persist/storage.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/server/config/temporary_directory.h"
#include "tests/server/persist/sim_storage.h"

namespace millrace {
namespace {

using fakes::SimStorage;
using fakes::Torn;

std::string read_all(Storage& storage, const std::string& path) {
  auto file = storage.open(path);
  if (!file) return "(" + file.error().message() + ")";
  std::string all;
  char buffer[3];
  while (true) {
    const auto got = (*file)->read(buffer);
    if (!got) return "(" + got.error().message() + ")";
    if (*got == 0) return all;
    all.append(buffer, *got);
  }
}

void expect_contract(Storage& storage, const std::string& top) {
  const std::string inner = top + "/inner";
  EXPECT_EQ(storage.create(inner + "/a").error().code, ENOENT);
  ASSERT_TRUE(storage.make_directory(inner));
  ASSERT_TRUE(storage.make_directory(inner)) << "there already";
  EXPECT_EQ(storage.open(inner + "/a").error().code, ENOENT);
  EXPECT_EQ(storage.size(inner + "/a").error().code, ENOENT);
  EXPECT_EQ(storage.remove(inner + "/a").error().code, ENOENT);
  EXPECT_EQ(storage.rename(inner + "/a", inner + "/b").error().code, ENOENT);

  {
    auto file = storage.create(inner + "/a");
    ASSERT_TRUE(file);
    EXPECT_TRUE((*file)->write("hello "));
    EXPECT_TRUE((*file)->write("world"));
    EXPECT_TRUE((*file)->start_writeback());
    EXPECT_TRUE((*file)->sync());
    EXPECT_EQ((*file)->size(), 11u);
  }
  EXPECT_EQ(read_all(storage, inner + "/a"), "hello world");
  {
    auto file = storage.append(inner + "/a");
    ASSERT_TRUE(file);
    EXPECT_TRUE((*file)->write("!!"));
    EXPECT_TRUE((*file)->truncate(12));
    EXPECT_TRUE((*file)->write("?"));
  }
  EXPECT_EQ(read_all(storage, inner + "/a"), "hello world!?");
  EXPECT_EQ(storage.size(inner + "/a"), 13u);

  ASSERT_TRUE(storage.create(inner + "/b"));
  ASSERT_TRUE(storage.rename(inner + "/a", inner + "/b"));
  EXPECT_TRUE(storage.sync_directory(inner));
  EXPECT_EQ(storage.list(inner), std::vector<std::string>{"b"});
  EXPECT_EQ(read_all(storage, inner + "/b"), "hello world!?");
  EXPECT_TRUE(storage.remove(inner + "/b"));
  EXPECT_EQ(storage.list(inner), std::vector<std::string>{});
}

TEST(Storage, TheKernelsFilesKeepTheContract) {
  const TemporaryDirectory top;
  expect_contract(posix_storage(), top.path());
}

TEST(Storage, SimulatedFilesKeepTheContract) {
  SimStorage storage;
  ASSERT_TRUE(storage.make_directory("top"));
  expect_contract(storage, "top");
}

TEST(Storage, DirectoryOfAPath) {
  EXPECT_EQ(directory_of("dump.rdb"), ".");
  EXPECT_EQ(directory_of("/dump.rdb"), "/");
  EXPECT_EQ(directory_of("a/b/dump.rdb"), "a/b");
}

TEST(SimStorage, ACrashKeepsWhatWasSynced) {
  for (const auto& [torn, kept] :
       {std::pair{Torn::kNothing, "one"}, {Torn::kHalf, "onet"}, {Torn::kAll, "onetwo"}}) {
    SimStorage storage;
    auto file = *storage.create("log");
    ASSERT_TRUE(file->write("one"));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(storage.sync_directory("."));
    ASSERT_TRUE(file->write("two"));
    storage.crash(torn);
    EXPECT_EQ(storage.content("log").substr(0, 4), std::string(kept).substr(0, 4));
    EXPECT_EQ(file->write("x").error().code, EIO);
  }
}

TEST(SimStorage, ARenameIsDurableWhenItsDirectoryIsSynced) {
  SimStorage storage;
  storage.put("old", "before");
  {
    auto file = *storage.create("new");
    ASSERT_TRUE(file->write("after"));
    ASSERT_TRUE(file->sync());
  }
  ASSERT_TRUE(storage.rename("new", "old"));
  EXPECT_EQ(storage.content("old"), "after");
  storage.crash(Torn::kNothing);
  EXPECT_EQ(storage.content("old"), "before");
  EXPECT_FALSE(storage.has("new"));
}

TEST(SimStorage, TheNthCallFailsAndTearsTheWrite) {
  SimStorage storage;
  auto file = *storage.create("log");
  storage.fail_call(2, EIO);
  EXPECT_TRUE(file->write("abcd"));
  EXPECT_EQ(file->write("efgh").error().code, EIO);
  EXPECT_TRUE(file->write("ij"));
  EXPECT_EQ(storage.content("log"), "abcdefij");
}

TEST(SimStorage, AFullDiskTakesWhatFits) {
  SimStorage storage;
  storage.set_capacity(5);
  auto file = *storage.create("log");
  EXPECT_TRUE(file->write("abc"));
  EXPECT_EQ(file->write("def").error().code, ENOSPC);
  EXPECT_EQ(storage.content("log"), "abcde");
}

}  // namespace
}  // namespace millrace
