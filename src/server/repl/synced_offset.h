// How much of the master's stream is in our append-only file and on the disk, for REPLCONF ACK ..
// FACK (WAITAOF on the master). The file counts in bytes of its own; one mark at a time, taken at
// a known place of the stream, says when that place has been reached.
//
// The answer is never ahead of the truth, and behind it by what two syncs are apart.
// Thread: the main loop's.
#pragma once

#include <cstdint>

#include "server/command/append_only.h"

namespace millrace {

class SyncedOffset {
 public:
  // The stream stands at `offset`, and all before it has been appended.
  void update(const AppendOnly& file, int64_t offset) {
    if (file.synced() < mark_) return;
    reached_ = marked_offset_;
    mark_ = file.appended();
    marked_offset_ = offset;
    if (file.synced() >= mark_) reached_ = offset;
  }
  int64_t value() const { return reached_; }
  // Another stream.
  void reset() { *this = {}; }

 private:
  uint64_t mark_ = 0;  // a position in the file
  int64_t marked_offset_ = 0;
  int64_t reached_ = 0;
};

}  // namespace millrace
