#include "server/repl/synced_offset.h"

#include <gtest/gtest.h>

#include "tests/server/fake_append_only.h"

namespace millrace {
namespace {

TEST(SyncedOffset, IsReachedWhenTheDiskHasTheMark) {
  FakeAppendOnly file;
  SyncedOffset offset;
  file.appended_bytes = 100;
  offset.update(file, 1000);  // the mark is at 100
  EXPECT_EQ(offset.value(), 0);
  file.appended_bytes = 200;
  file.synced_bytes = 99;
  offset.update(file, 2000);
  EXPECT_EQ(offset.value(), 0);
  file.synced_bytes = 100;
  offset.update(file, 2000);  // and the next one at 200
  EXPECT_EQ(offset.value(), 1000);
  file.synced_bytes = 200;
  file.appended_bytes = 300;
  offset.update(file, 3000);
  EXPECT_EQ(offset.value(), 2000);
}

TEST(SyncedOffset, WithNothingOnItsWayItIsAtTheEnd) {
  FakeAppendOnly file;
  SyncedOffset offset;
  file.appended_bytes = file.synced_bytes = 50;
  offset.update(file, 500);
  EXPECT_EQ(offset.value(), 500);
  offset.reset();
  EXPECT_EQ(offset.value(), 0);
}

}  // namespace
}  // namespace millrace
