// The data at the server's start: `dir`/`dbfilename` is loaded in slices, and in between the loop
// serves: those who come are told -LOADING, or how far it is.
//
//   SnapshotLoading loading(loop, services, storage);
//   if (auto problem = loading.begin([](const std::string& problem) { ... })) exit(1);
//
// No file: there is no data, and nothing to wait for.
//
// Thread: the main loop's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "ae/core/event_loop.h"
#include "server/command/services.h"
#include "server/persist/file_stream.h"
#include "server/persist/snapshot_loader.h"
#include "server/persist/storage.h"

namespace millrace {

class SnapshotLoading {
 public:
  // How long the loop stands still for a slice, and how much is read between two looks at the
  // clock.
  static constexpr ae::Nanoseconds kSlice = ae::Milliseconds(2);
  static constexpr uint64_t kStepBytes = 32 << 10;
  // On a clock that stands still.
  static constexpr int kMaxStepsPerSlice = 32;
  static constexpr ae::Nanoseconds kLogInterval = ae::Seconds(5);

  // Empty: all is loaded; else what is wrong with the file.
  using Done = std::function<void(const std::string& problem)>;

  SnapshotLoading(ae::EventLoop& loop, Services& services, Storage& storage)
      : loop_(loop), services_(services), storage_(storage) {}
  ~SnapshotLoading() { loop_.cancel(timer_); }
  SnapshotLoading(const SnapshotLoading&) = delete;
  SnapshotLoading& operator=(const SnapshotLoading&) = delete;

  // Opens the file. `done` is called later, and not at all if there is no file. A sentence: it is
  // there and cannot be opened.
  std::optional<std::string> begin(Done done);
  // Who is told of the history that the snapshot is part of, once, before the first of its keys is
  // dropped because its time has passed: those who share the history must hear of that.
  void on_history(std::function<void(const ReplicationPoint&)> hook) {
    on_history_ = std::move(hook);
  }
  bool under_way() const { return loader_ != nullptr; }

 private:
  SnapshotLoader::Settings settings();
  void tell_history();
  void slice();
  void publish();
  void finish(std::string problem);  // a copy: the loader that says it goes

  ae::EventLoop& loop_;
  Services& services_;
  Storage& storage_;
  std::unique_ptr<File> file_;
  std::optional<FileSource> source_;
  std::unique_ptr<SnapshotLoader> loader_;
  Done done_;
  std::function<void(const ReplicationPoint&)> on_history_;
  ae::TimerId timer_{};
  ae::TimePoint started_;
  ae::TimePoint last_logged_;
};

}  // namespace millrace
