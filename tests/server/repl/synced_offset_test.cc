#include "server/repl/synced_offset.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

class File final : public AppendOnly {
 public:
  AppendOnlyStatus status() const override { return {}; }
  Rewrite rewrite(When) override { return Rewrite::kFailed; }
  bool load_again() override { return false; }
  void suspend() override {}
  void resume() override {}
  bool enabled() const override { return true; }
  uint64_t appended() const override { return appended_bytes; }
  uint64_t synced() const override { return synced_bytes; }

  uint64_t appended_bytes = 0, synced_bytes = 0;
};

TEST(SyncedOffset, IsReachedWhenTheDiskHasTheMark) {
  File file;
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
  File file;
  SyncedOffset offset;
  file.appended_bytes = file.synced_bytes = 50;
  offset.update(file, 500);
  EXPECT_EQ(offset.value(), 500);
  offset.reset();
  EXPECT_EQ(offset.value(), 0);
}

}  // namespace
}  // namespace millrace
