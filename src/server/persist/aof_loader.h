// Loads an append-only file: its base and its increments, one after the other, in slices.
//
//   AofLoader loader(services, files, manifest);
//   timer: if (loader.step(slice) == AofLoader::State::kDone) ...
//
// A file that ends too early is an error, unless it is the last one, where that is what a crash
// leaves: then, with aof-load-truncated, it is cut behind its last whole command or transaction,
// and the log says so.
//
// What happens is in the log, in Redis' words; after kFailed the data is half there and must not be
// served. Thread: the loop's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ae/base/clock.h"
#include "ae/base/time_slice.h"
#include "server/persist/aof_file_loader.h"
#include "server/persist/aof_files.h"

namespace millrace {

class AofLoader {
 public:
  enum class State : uint8_t { kMore, kDone, kFailed };

  // `files` and `clock` must outlive it.
  AofLoader(Services& services, const AofFiles& files, const AofManifest& manifest,
            ae::Clock& clock);
  ~AofLoader();

  State step(const ae::TimeSlice& slice);

  uint64_t loaded_bytes() const { return done_bytes_ + (file_ ? file_->read_bytes() : 0); }

 private:
  struct Part {
    AofFile file;
    bool is_base;
  };

  bool is_last() const { return at_ + 1 == parts_.size(); }
  State finish_file(AofFileLoader::State state);
  State finish_truncated();
  State refuse();
  bool cut_off();
  void log_loaded();
  void log_failed_commands();

  Services& services_;
  const AofFiles& files_;
  ae::Clock& clock_;
  std::vector<Part> parts_;
  size_t at_ = 0;
  std::unique_ptr<AofFileLoader> file_;
  ae::TimePoint file_started_{};
  uint64_t done_bytes_ = 0;
};

}  // namespace millrace
