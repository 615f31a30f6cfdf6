// The seam to fork(2): how a child process is made that sees the memory as it is now.
//
// The real one (posix_forker.cc) forks; the child's descriptors are closed but for those it is told
// to keep, so that no port stays taken when the parent goes; it runs the work and leaves by
// _exit(), without destructors. What it tells on its way goes through a pipe that is read without
// waiting. The threads of the parent do not exist in the child: the work must not need them.
//
// A test's forker runs the work at once, in the same process, and lets the test say when the child
// ends (tests/server/persist/sim_forker.h).
//
// One child at a time. Thread: the main loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "ae/base/result.h"

namespace millrace {

// What a child tells. Sent as it lies in memory: both sides are the same program.
struct ChildReport {
  uint64_t keys_done = 0;
  uint64_t copied_bytes = 0;  // pages that the child has for itself
  int32_t error = 0;          // errno of what it failed with
};

class ChildReporter {
 public:
  virtual void report(const ChildReport& report) = 0;

 protected:
  ~ChildReporter() = default;
};

class Forker {
 public:
  // Returns the child's exit status.
  using Work = std::function<int(ChildReporter&)>;
  struct Exit {
    int status = 0;
    int signal = 0;  // it ended by one, if not 0
  };

  virtual ~Forker() = default;

  // The pid. `keep`: descriptors that the work uses.
  virtual ae::Result<int> fork(Work work, const std::vector<int>& keep) = 0;
  // The last thing it told since the last call.
  virtual std::optional<ChildReport> take_report() = 0;
  // Whether it has ended; told once. Never waits.
  virtual std::optional<Exit> take_exit() = 0;
  virtual void kill() = 0;
};

std::unique_ptr<Forker> make_posix_forker();

}  // namespace millrace
