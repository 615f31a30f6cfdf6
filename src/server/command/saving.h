// What commands may ask of snapshots (SAVE, BGSAVE, SHUTDOWN, FLUSHALL, DEBUG RELOAD). Implemented
// by persist/snapshots.h.
#pragma once

#include <cstdint>

namespace millrace {

// Whether the data is written before the process ends. kIfConfigured: if there are save points.
enum class FinalSave : uint8_t { kIfConfigured, kYes, kNo };

class Saving {
 public:
  enum class Outcome : uint8_t { kDone, kFailed };  // why it failed is in the log
  enum class Begun : uint8_t {
    kStarted,
    kScheduled,
    kSavingAlready,
    kOtherChild,  // one that writes something else
    kFailed,
  };
  enum class IfBusy : uint8_t { kRefuse, kSchedule };

  // Here and now; the server stands still.
  virtual Outcome save() = 0;
  // In a child. With kSchedule: later, if there is another child at present.
  virtual Begun save_in_background(IfBusy if_busy) = 0;
  virtual bool saving_in_background() const = 0;
  // After FLUSHALL: a snapshot that is being made is of no use, and the one on the disk is replaced
  // where save points say that there should be one.
  virtual void on_flushed_all() = 0;

  struct Reload {
    bool save_first = true;
    bool flush_first = true;
    bool replace = false;  // keys that are there already
  };
  // DEBUG RELOAD: out to the file and in again, at once.
  virtual Outcome reload(const Reload& how) = 0;

 protected:
  ~Saving() = default;
};

}  // namespace millrace
