// What a file system may take its time for (fsync, the removal of large files, the close that frees
// them), off the loop: one thread, jobs one after the other in the order they came.
//
//   worker.run([file = std::move(file)] { file->sync(); });    // and is closed there
//
// A job owns what it touches, and tells of its result by atomics or by posting to the loop.
//
// Thread: run() and pending() the loop's. The destructor lets the jobs come to their end. In a
// forked child there is no thread: nothing here may be used there.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>

#include "ae/base/callback.h"

namespace millrace {

class FileWorker {
 public:
  virtual ~FileWorker() = default;
  virtual void run(ae::Callback<void()> job) = 0;
  // Waits until all jobs given so far are done.
  virtual void drain() = 0;
};

// Starts its thread with the first job. Bounded by its users: the append-only file has one fsync
// under way at a time, and a file or two to close with each rewrite.
class FileThread final : public FileWorker {
 public:
  FileThread() = default;
  ~FileThread() override;
  FileThread(const FileThread&) = delete;
  FileThread& operator=(const FileThread&) = delete;

  void run(ae::Callback<void()> job) override;
  void drain() override;

 private:
  void body();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ae::Callback<void()>> jobs_;
  bool busy_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace millrace
