// The one child process there may be: who writes a snapshot, an append-only file's base, or a
// replica's copy, forks through here, so that never two of them double the memory at a time.
//
//   auto started = child.start(ChildKind::kSnapshot,
//                              [=](ChildProgress& progress) { return write(path, progress); },
//                              [this](const ChildResult& result) { ended(result); });
//
// The work runs in the child, with the memory as it was; what it returns comes to `done` in the
// parent, on the loop. While the child lives, kPollInterval apart, the parent looks for what it has
// told (INFO's current_*) and whether it has ended. A timer rather than a watched pipe, because a
// twentieth of a second does not matter here and a simulated poller knows no pipes.
//
// Memory that either side writes to is copied by the kernel, page by page. So while a child lives
// looking at a key leaves no trace in it (AccessClock::hold). The hash tables grow by segments of
// some kilobytes (ds/hash_table.h) and need no holding back.
//
// Thread: the main loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "ae/core/event_loop.h"
#include "server/command/services.h"
#include "server/persist/forker.h"

namespace millrace {

enum class ChildKind : uint8_t { kSnapshot, kAppendOnlyBase, kReplication };

struct ChildResult {
  int error = 0;           // errno of the work; 0: it succeeded
  int signal = 0;          // it was ended by one
  bool cancelled = false;  // by cancel()
  uint64_t copied_bytes = 0;
  bool succeeded() const { return error == 0 && signal == 0 && !cancelled; }
};

// In the child: tells the parent how far it is, often enough and not too often.
class ChildProgress {
 public:
  explicit ChildProgress(ChildReporter& reporter);
  void keys_done(uint64_t keys);
  // The last word, with what the work came to.
  void finished(int error);
  uint64_t copied_bytes() const { return report_.copied_bytes; }

 private:
  void measure();

  ChildReporter& reporter_;
  ChildReport report_;
  ae::TimePoint next_measure_;
};

class ChildProcess {
 public:
  static constexpr ae::Nanoseconds kPollInterval = ae::Milliseconds(50);

  using Work = std::function<ae::Status(ChildProgress&)>;
  using Done = std::function<void(const ChildResult&)>;

  ChildProcess(ae::EventLoop& loop, Services& services, Forker& forker)
      : loop_(loop), services_(services), forker_(forker) {}
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  bool running() const { return running_; }
  bool running(ChildKind kind) const { return running_ && kind_ == kind; }

  // The child's pid. There must be no other. `keep`: descriptors that the work writes to.
  ae::Result<int> start(ChildKind kind, Work work, Done done, const std::vector<int>& keep = {});
  // Called in each child, before its work.
  void on_begin_in_child(std::function<void()> hook) { begin_in_child_ = std::move(hook); }
  // Kills it; `done` is called later, with `cancelled`. No child: nothing happens.
  void cancel();
  // Kills it and waits until it is gone; `done` is called before this returns.
  void cancel_now();

 private:
  void poll();
  void finish(const Forker::Exit& exit);

  ae::EventLoop& loop_;
  Services& services_;
  Forker& forker_;
  bool running_ = false;
  bool cancelled_ = false;
  ChildKind kind_{};
  Done done_;
  ChildReport last_;
  ae::TimerId timer_{};
  std::function<void()> begin_in_child_;
};

}  // namespace millrace
