// A process that writes a snapshot of this moment: a fork, whose memory stands still while ours goes
// on, and a socket on which the bytes come.
//
//   auto child = SnapshotChild::start(services, facts);
//   loop.watch(child->descriptor(), ae::Events::kReadable, ...);      // until the end of the stream
//   child->outcome()                                                  // nothing: not over yet
//
// The child owns nothing of ours: it closes every descriptor but its end of the socket, so that a
// client we leave sees it, and it dies with us. A child that is dropped is killed.
//
// Thread: the main loop's; IO threads do not exist in the child.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>

#include "ae/base/result.h"
#include "server/command/services.h"
#include "server/persist/snapshot_writer.h"

namespace millrace {

class SnapshotChild {
 public:
  static ae::Result<std::unique_ptr<SnapshotChild>> start(Services& services,
                                                          const SnapshotFacts& facts);
  ~SnapshotChild();
  SnapshotChild(const SnapshotChild&) = delete;
  SnapshotChild& operator=(const SnapshotChild&) = delete;

  pid_t pid() const { return pid_; }
  int descriptor() const { return descriptor_; }
  // Whether all of it was written; nothing while the process lives.
  std::optional<bool> outcome();

 private:
  SnapshotChild(pid_t pid, int descriptor) : pid_(pid), descriptor_(descriptor) {}

  pid_t pid_;
  int descriptor_;
  std::optional<bool> outcome_;
};

}  // namespace millrace
