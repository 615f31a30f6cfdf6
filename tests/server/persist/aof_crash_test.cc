// What is on the disk after a crash at any moment: the files of an append-only file, their manifest
// and their end, with every call to the disk failing once, and the power going at the end of each
// such run.
//
// Records are numbered, "0;" "1;" "2;" ..., one per tick; a base says how many it stands for. What
// is read back must be a prefix of what was written, and hold everything that was promised.
#include <gtest/gtest.h>

#include <cerrno>
#include <charconv>
#include <string>

#include "server/persist/aof_catalog.h"
#include "server/persist/aof_writer.h"
#include "tests/server/persist/held_worker.h"
#include "tests/server/persist/sim_storage.h"

namespace millrace::fakes {
namespace {

constexpr int kTicks = 24;
constexpr int kTicksPerRewrite = 7;
constexpr ae::Nanoseconds kTick = ae::Milliseconds(300);

AofFiles files_on(SimStorage& disk) {
  return {disk, {".", "appendonlydir", "appendonly.aof"}};
}

// How many records the files hold; -1: they are no prefix of what was written.
int recovered(SimStorage& disk) {
  const AofFiles files = files_on(disk);
  const auto manifest = files.read_manifest();
  if (!manifest) return -1;
  int next = 0;
  if (manifest->base) {
    const std::string text = read_file(disk, files.path(*manifest->base), 100).value_or("");
    if (std::from_chars(text.data(), text.data() + text.size(), next).ec != std::errc()) return -1;
  }
  for (const AofFile& increment : manifest->increments) {
    const ae::Result<std::string> text = read_file(disk, files.path(increment), 10'000);
    if (!text) return -1;
    std::string_view rest = *text;
    for (size_t end; (end = rest.find(';')) != std::string_view::npos; ++next) {
      if (rest.substr(0, end) != std::to_string(next)) return -1;
      rest.remove_prefix(end + 1);
    }
    // A torn record is cut off by whoever loads it, in the last file.
    if (!rest.empty() && increment != manifest->increments.back()) return -1;
  }
  return next;
}

// One life of a server, from where the disk is to a crash.
class Life {
 public:
  Life(SimStorage& disk, AppendSync sync)
      : disk_(disk),
        writer_(worker_, AofWriter::Settings{.sync = sync,
                                             .hold_sync = false,
                                             .on_fatal = [this] { dead_ = true; },
                                             .on_synced = {}}) {}

  // False: it could not even start.
  bool start() {
    next_ = recovered(disk_);
    AofFiles files = files_on(disk_);
    auto manifest = files.read_manifest();
    if (!manifest || !files.make_directory()) return false;
    catalog_.emplace(files, std::move(*manifest));
    auto file = catalog_->open_increment();
    if (!file) return false;
    const auto text = read_file(disk_, files.path(catalog_->manifest().increments.back()), 10'000);
    if (!text) return false;
    const size_t whole = text->rfind(';') + 1;  // what a crash tore is cut off
    if (!(*file)->truncate(whole)) return false;
    writer_.open(std::move(*file), whole);
    return true;
  }

  void run() {
    for (int tick = 1; tick <= kTicks && !dead_; ++tick) {
      now_ += kTick;
      if (tick % 2 == 0) worker_.run_all();
      if (tick % kTicksPerRewrite == 0) rewrite();
      if (writer_.error() == 0) {  // else writes are refused
        writer_.buffer().append(std::to_string(next_++)).append(";");
        asked_.push_back({next_, now_});
      }
      writer_.flush(now_);
      if (!dead_ && writer_.error() == 0 && writer_.empty()) confirmed_ = next_;
    }
  }

  int written() const { return next_; }
  int confirmed() const { return confirmed_; }
  // Records that were asked for this long before the end.
  int older_than(ae::Nanoseconds age) const {
    int count = 0;
    for (const auto& [records, when] : asked_)
      if (now_ - when > age) count = records;
    return count;
  }

 private:
  void rewrite() {
    writer_.flush(now_, AofWriter::Patience::kNone);
    if (dead_ || !writer_.empty()) return;
    auto increment = catalog_->add_increment();
    if (!increment) return;
    writer_.open(std::move(*increment), 0);
    const std::string temporary = "./temp-base";
    if (!write_file(disk_, temporary, std::to_string(next_))) return;
    if (!catalog_->adopt_base(temporary, AofBase::kCommands, AofCatalog::Increment::kLast)) return;
    for (const std::string& path : catalog_->take_history()) (void)disk_.remove(path);
  }

  SimStorage& disk_;
  HeldWorker worker_;
  AofWriter writer_;
  std::optional<AofCatalog> catalog_;
  ae::TimePoint now_{ae::Seconds(1000)};
  int next_ = 0;
  int confirmed_ = 0;
  bool dead_ = false;
  std::vector<std::pair<int, ae::TimePoint>> asked_;
};

void sweep(AppendSync sync, ae::Nanoseconds promised_age) {
  uint64_t calls = 1;
  int runs = 0;
  for (const Torn torn : {Torn::kNothing, Torn::kHalf, Torn::kAll}) {
    for (uint64_t failing = 0; failing <= calls; ++failing) {
      SCOPED_TRACE("call " + std::to_string(failing) + " fails, torn " + std::to_string(int(torn)));
      SimStorage disk;
      if (failing > 0) disk.fail_call(failing, EIO);
      Life life(disk, sync);
      const bool started = life.start();
      if (started) life.run();
      disk.heal();
      if (failing == 0) calls = disk.calls();
      disk.crash(torn);
      const int found = recovered(disk);
      EXPECT_GE(found,
                sync == AppendSync::kAlways ? life.confirmed() : life.older_than(promised_age));
      EXPECT_LE(found, life.written());
      // And it lives on.
      Life next(disk, AppendSync::kAlways);
      ASSERT_TRUE(next.start());
      next.run();
      disk.crash(Torn::kNothing);
      EXPECT_EQ(recovered(disk), found + kTicks);
      ++runs;
    }
  }
  std::printf("%d runs, %llu calls\n", runs, static_cast<unsigned long long>(calls));
  EXPECT_GT(calls, 50u);
}

TEST(AofCrashTest, WithAlwaysEverythingConfirmedIsThere) {
  sweep(AppendSync::kAlways, {});
}

TEST(AofCrashTest, WithEverySecondNothingOlderThanTwoSecondsIsMissing) {
  sweep(AppendSync::kEverySecond, ae::Seconds(2));
}

TEST(AofCrashTest, OnADiskThatWorksTwoSecondsAreTheMost) {
  for (const Torn torn : {Torn::kNothing, Torn::kHalf, Torn::kAll}) {
    SimStorage disk;
    Life life(disk, AppendSync::kEverySecond);
    ASSERT_TRUE(life.start());
    life.run();
    disk.crash(torn);
    EXPECT_GE(recovered(disk), life.older_than(ae::Seconds(2)));
  }
}

}  // namespace
}  // namespace millrace::fakes
