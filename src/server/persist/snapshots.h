// When the data is written to `dir`/`dbfilename`: on request (SAVE, BGSAVE, SHUTDOWN), and by
// itself when the save points say so.
//
//     changes since the last one --(save point)--> child forked --> child ended
//                                                     |               | ok: those changes are saved
//                                                     |               ` failed: -MISCONF, again in
//                                                     5 s
//     BGSAVE SCHEDULE --(no other child)--------------'
//
// Effects::unsaved_changes() counts what is not yet on the disk: a snapshot that succeeds takes off
// what it began with. The rules and the lines of the log are Redis', so that what watches one
// server can watch the other.
//
// Thread: the main loop's. A failure is told by the outcome, the log, INFO, and, where
// stop-writes-on-bgsave-error says so, by -MISCONF.
#pragma once

#include <cstdint>
#include <string>

#include "ae/core/event_loop.h"
#include "server/command/saving.h"
#include "server/command/services.h"
#include "server/persist/child_process.h"
#include "server/persist/storage.h"

namespace millrace {

class Snapshots final : public Saving {
 public:
  // So long after a failure before save points are looked at again.
  static constexpr int64_t kRetryDelay_s = 5;
  static constexpr ae::Nanoseconds kCronInterval = ae::Milliseconds(100);

  Snapshots(ae::EventLoop& loop, Services& services, Storage& storage, ChildProcess& child);

  Outcome save() override;
  Begun save_in_background(IfBusy if_busy) override;
  bool saving_in_background() const override { return child_.running(ChildKind::kSnapshot); }
  void on_flushed_all() override;
  Outcome reload(const Reload& how) override;

  // At the process' end: stops a child, writes the data if asked or configured. False: it could not
  // be written.
  bool save_for_exit(FinalSave wish);

  // The data is what the file holds.
  void mark_saved();
  // After a change of the configuration: whether -MISCONF is due.
  void refresh();

 private:
  int64_t now_s() const { return loop_.unix_us() / 1'000'000; }
  PersistenceFacts::Snapshots& facts() { return services_.persistence.snapshots; }

  void run_cron();
  bool may_try();
  Begun start_child();
  void on_child_ended(const ChildResult& result);
  void note_outcome(bool succeeded);
  Outcome load_now(const Reload& how);

  ae::EventLoop& loop_;
  Services& services_;
  Storage& storage_;
  ChildProcess& child_;
  bool scheduled_ = false;
  int64_t last_try_s_ = 0;
  uint64_t changes_at_start_ = 0;  // of the child
  int child_pid_ = 0;
};

}  // namespace millrace
