// The start with `appendonly yes`: finds the files, loads them slice by slice, and opens the last
// of them for what comes next; where there are none, makes the first.
//
//   read the manifest -> move a single file of Redis 6 in -> load -> first base -> open increment
//
// What happens is in the log, in Redis' words; so is why it failed. With no append-only file at all
// the server starts empty, whatever snapshot lies there: that is Redis' rule, since the snapshot
// may be of another time.
//
// Thread: the loop's.
#pragma once

#include <memory>
#include <optional>

#include "ae/base/clock.h"
#include "server/command/services.h"
#include "server/persist/aof_catalog.h"
#include "server/persist/aof_loader.h"

namespace millrace {

class AofStartup {
 public:
  enum class State : uint8_t { kMore, kDone, kFailed };

  AofStartup(Services& services, AofFiles files, ae::Clock& clock);

  State step(const ae::TimeSlice& slice);

  // kDone:
  AofCatalog take_catalog() { return std::move(*catalog_); }
  std::unique_ptr<File> take_increment() { return std::move(increment_); }
  uint64_t increment_bytes() const { return increment_bytes_; }

  uint64_t total_bytes() const { return total_bytes_; }
  uint64_t loaded_bytes() const { return loader_ ? loader_->loaded_bytes() : 0; }

 private:
  bool find_files();
  bool take_in_single_file(AofManifest& manifest);
  State finish();
  bool create_base();
  bool open_increment();

  Services& services_;
  AofFiles files_;
  ae::Clock& clock_;
  ae::TimePoint began_;
  std::optional<AofCatalog> catalog_;
  std::unique_ptr<AofLoader> loader_;
  std::unique_ptr<File> increment_;
  uint64_t increment_bytes_ = 0;
  uint64_t total_bytes_ = 0;
};

}  // namespace millrace
