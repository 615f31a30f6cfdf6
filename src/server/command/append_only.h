// The append-only file as handlers and INFO see it; persist/append_only_file.h does it.
//
// Thread: the main loop's.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace {

// For INFO persistence, named like its fields.
struct AppendOnlyStatus {
  bool enabled = false;
  bool rewrite_in_progress = false;
  bool rewrite_scheduled = false;
  int64_t last_rewrite_s = -1;  // -1: there was none; so is the next one
  int64_t current_rewrite_s = -1;
  bool last_rewrite_ok = true;
  uint64_t rewrites = 0;
  uint64_t rewrite_failures_in_a_row = 0;
  bool last_write_ok = true;
  uint64_t last_cow_bytes = 0;
  uint64_t current_bytes = 0;
  uint64_t base_bytes = 0;  // after the last rewrite, or the start
  bool sync_under_way = false;
  uint64_t delayed_syncs = 0;
};

class AppendOnly {
 public:
  virtual AppendOnlyStatus status() const = 0;
  // What is not yet in the file, in bytes.
  virtual size_t buffered() const = 0;

  enum class Rewrite : uint8_t { kStarted, kScheduled, kRunsAlready, kFailed };
  // BGREWRITEAOF. kAtOnce: if nothing forbids it; kLater: when nothing does (within EXEC).
  enum class When : uint8_t { kAtOnce, kLater };
  virtual Rewrite rewrite(When when) = 0;

  // DEBUG LOADAOF: forgets everything and loads the file. False: the log says why not; if the file
  // was the reason, the data is gone.
  virtual bool load_again() = 0;

  // The data is about to be replaced by other means than commands (a master's snapshot): nothing is
  // appended from here on. resume(): what there is now is what the file begins anew with; nothing
  // if it was not to be kept, or goes on already.
  virtual void suspend() = 0;
  virtual void resume() = 0;

  // --- WAITAOF: positions in what was ever appended. What ran so far is on the disk when synced()
  // has reached what appended() was.
  virtual bool enabled() const = 0;
  virtual uint64_t appended() const = 0;
  virtual uint64_t synced() const = 0;

 protected:
  ~AppendOnly() = default;
};

}  // namespace millrace
