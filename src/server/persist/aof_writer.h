// The end of the append-only file: bytes come in as commands run, and are in the file before the
// replies of these commands leave; how soon they are on the disk says the policy (`appendfsync`).
//
//   command runs -> buffer() -> flush(), before replies leave -> write(2) -> fsync
//
//   kAlways       flush() returns when the bytes are on the disk
//   kEverySecond  a thread syncs once a second. While it does, a write(2) of the same file may wait
//                 for the disk, so flush() leaves the bytes in the buffer, for kMostPostponed at
//                 most: then it writes all the same, and counts that (aof_delayed_fsync)
//   kNever        the kernel's own time
//
// Errors. What could not be written stays in the buffer, and what part of it is in the file is cut
// off again, so the file always ends behind a whole command; error() is set, and the owner
// refuses writes and calls flush() again until it succeeds. Under kAlways a failure is fatal: the
// reply it held back could neither be sent nor taken back.
//
// Positions count all bytes ever flushed, through all files: synced() has reached position() when
// everything that has been replied to is on the disk.
//
// Thread: the loop's, but for the jobs it gives to the worker. Times are the loop's (monotonic).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "ae/base/callback.h"
#include "ae/base/clock.h"
#include "server/config/config.h"
#include "server/persist/disk_latency.h"
#include "server/persist/file_worker.h"
#include "server/persist/storage.h"

namespace millrace {

class AofWriter {
 public:
  static constexpr ae::Nanoseconds kMostPostponed = ae::Seconds(2);
  static constexpr ae::Nanoseconds kSyncInterval = ae::Seconds(1);
  // A failing disk fails every tick; the log hears of it so often.
  static constexpr ae::Nanoseconds kLogInterval = ae::Seconds(30);
  // A buffer that had to grow beyond this is given back.
  static constexpr size_t kKeptBufferBytes = 1024 * 1024;

  struct Settings {
    AppendSync sync = AppendSync::kEverySecond;
    // no-appendfsync-on-rewrite while a child writes.
    bool hold_sync = false;
    // Under kAlways, when what was replied to can no longer be kept; the log has the reason.
    ae::Callback<void()> on_fatal = {};
    // Told how long calls take that the loop waits for; null: nobody is.
    DiskLatency* latency = nullptr;
    // Called by the worker's thread whenever a sync has ended.
    ae::Callback<void()> on_synced = {};
  };

  AofWriter(FileWorker& worker, Settings settings);

  // What is flushed from now on goes into this file, which holds `size` bytes. The one before it is
  // synced and closed by the worker.
  void open(std::unique_ptr<File> file, uint64_t size);
  // Everything is on the disk when these return, unless the disk fails.
  void finish(ae::TimePoint now);
  void close(ae::TimePoint now);
  bool is_open() const { return file_ != nullptr; }

  void set_policy(AppendSync sync) { settings_.sync = sync; }
  void hold_sync(bool hold) { settings_.hold_sync = hold; }
  // Whether a child writes beside us; only told to who asks why a write was slow.
  enum class Beside : uint8_t { kNothing, kChild };
  void set_beside(Beside beside) { beside_ = beside; }

  // Whole commands are to be appended.
  std::string& buffer() { return buffer_; }
  bool empty() const { return buffer_.empty(); }
  size_t buffered() const { return buffer_.size(); }

  // To be called before replies leave, and a few times a second: for what was postponed, failed, or
  // is to be synced.
  enum class Patience : uint8_t { kMayPostpone, kNone };
  void flush(ae::TimePoint now, Patience patience = Patience::kMayPostpone);
  // The errno of the last write, else of the last sync; 0: both were well.
  int error() const { return write_error_ != 0 ? write_error_ : state_->error.load(); }
  int write_error() const { return write_error_; }

  uint64_t file_bytes() const { return file_bytes_; }
  uint64_t position() const { return position_; }
  uint64_t synced() const { return state_->synced.load(); }
  bool sync_under_way() const { return state_->jobs.load() != 0; }
  uint64_t delayed_syncs() const { return delayed_syncs_; }

 private:
  // What the worker's jobs write.
  struct SyncState {
    std::atomic<uint64_t> synced{0};  // position
    std::atomic<int> error{0};        // of the last sync
    std::atomic<int> jobs{0};         // of the worker, not yet done
    ae::Callback<void()> on_synced;

    void note(const ae::Status& status, uint64_t upto);
  };

  ae::Status write_timed();
  std::string_view circumstance() const;
  bool must_postpone(ae::TimePoint now);
  bool write_buffer(ae::TimePoint now);
  void write_failed(ae::Error error, ae::TimePoint now);
  ae::Status cut_off_torn();
  void sync_by_policy(ae::TimePoint now);
  void sync_here(ae::TimePoint now);
  void sync_in_background();
  bool may_log(ae::TimePoint now);

  FileWorker& worker_;
  Settings settings_;
  std::shared_ptr<File> file_;
  std::shared_ptr<SyncState> state_ = std::make_shared<SyncState>();
  std::string buffer_;
  uint64_t file_bytes_ = 0;
  uint64_t position_ = 0;
  uint64_t sync_begun_ = 0;  // up to here a sync was begun
  ae::TimePoint last_sync_{};
  ae::TimePoint postponed_since_{};  // zero: nothing is postponed
  ae::TimePoint last_logged_{};      // zero: never
  uint64_t delayed_syncs_ = 0;
  int write_error_ = 0;
  Beside beside_ = Beside::kNothing;
  bool torn_ = false;  // behind file_bytes_ there may be a part of a command
};

}  // namespace millrace
