// Puts a snapshot in the place of the data: what there was goes, and the file's keys come, in
// slices between which the loop serves.
//
// Thread: the main loop's.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ae/base/clock.h"
#include "server/command/services.h"
#include "server/persist/file_stream.h"
#include "server/persist/snapshot_loader.h"
#include "server/persist/storage.h"

namespace millrace {

class SnapshotInstall {
 public:
  // Read between two looks at the clock.
  static constexpr uint64_t kStepBytes = 64 * 1024;

  enum class Progress : uint8_t { kMore, kDone, kFailed };

  // The file is opened, and the data is gone, when this returns; a file that cannot be opened shows
  // at the first step.
  SnapshotInstall(Services& services, Storage& storage, const std::string& path);
  // One that is given up takes what it has brought with it: nobody shall be served half of a
  // snapshot.
  ~SnapshotInstall();
  SnapshotInstall(const SnapshotInstall&) = delete;
  SnapshotInstall& operator=(const SnapshotInstall&) = delete;

  // Goes on until then, or a little longer.
  Progress step(ae::Clock& clock, ae::TimePoint deadline);

  // The database that the stream behind the snapshot is for.
  uint8_t stream_db() const;
  const std::string& problem() const { return problem_; }

 private:
  void empty();

  Services& services_;
  std::unique_ptr<File> file_;
  std::optional<FileSource> source_;
  std::unique_ptr<SnapshotLoader> loader_;
  bool done_ = false;
  std::string problem_;
};

}  // namespace millrace
