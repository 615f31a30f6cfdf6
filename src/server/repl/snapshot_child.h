// A child process that writes a snapshot of this moment into a socket.
//
//   auto child = SnapshotChild::start(processes, services, facts);
//   loop.watch((*child)->descriptor(), ae::Events::kReadable, ...);   // until the end of the
//   stream
//   (*child)->outcome()                                               // nothing: not over yet
//
// One that is dropped is killed. Thread: the main loop's.
#pragma once

#include <memory>
#include <optional>

#include "ae/base/result.h"
#include "server/persist/child_process.h"
#include "server/persist/snapshot_writer.h"
#include "server/repl/replica.h"

namespace millrace {

class SnapshotChild {
 public:
  // There must be no other child.
  static ae::Result<std::unique_ptr<SnapshotChild>> start(ChildProcess& processes,
                                                          Services& services,
                                                          const SnapshotFacts& facts,
                                                          SnapshotContents contents);
  ~SnapshotChild();
  SnapshotChild(const SnapshotChild&) = delete;
  SnapshotChild& operator=(const SnapshotChild&) = delete;

  int pid() const { return pid_; }
  int descriptor() const { return descriptor_; }
  // Whether all of it was written; nothing while the process lives.
  std::optional<bool> outcome() const { return outcome_; }

 private:
  SnapshotChild(ChildProcess& processes, int descriptor)
      : processes_(processes), descriptor_(descriptor) {}

  ChildProcess& processes_;
  int descriptor_;
  int pid_ = 0;
  std::optional<bool> outcome_;
};

}  // namespace millrace
