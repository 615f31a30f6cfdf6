// A Forker without processes: the work runs at once, in this process, so it sees the memory as it
// is now, as a child would; and the child "ends" when it is asked the next time, or when the test
// says so.
//
//   forker.hold = true;           // children go on until...
//   forker.end();                 // ...this
//   forker.fail_with = EAGAIN;    // fork() fails
#pragma once

#include <csignal>
#include <utility>

#include "server/persist/forker.h"

namespace millrace::fakes {

class SimForker final : public Forker {
 public:
  bool hold = false;
  int fail_with = 0;
  int forks = 0;
  int kills = 0;

  void end() { released_ = true; }

  ae::Result<int> fork(Work work, const std::vector<int>&) override {
    if (fail_with != 0) return ae::fail(fail_with, "fork");
    Recorder recorder(*this);
    exit_ = Exit{.status = work(recorder)};
    released_ = !hold;
    ++forks;
    return kFirstPid + forks;
  }
  std::optional<ChildReport> take_report() override { return std::exchange(report_, {}); }
  std::optional<Exit> take_exit() override {
    if (!released_) return std::nullopt;
    return std::exchange(exit_, {});
  }
  void kill() override {
    ++kills;
    exit_ = Exit{.status = 0, .signal = SIGKILL};
    released_ = true;
  }

 private:
  static constexpr int kFirstPid = 4242;

  class Recorder final : public ChildReporter {
   public:
    explicit Recorder(SimForker& forker) : forker_(forker) {}
    void report(const ChildReport& report) override { forker_.report_ = report; }

   private:
    SimForker& forker_;
  };

  std::optional<ChildReport> report_;
  std::optional<Exit> exit_;
  bool released_ = false;
};

}  // namespace millrace::fakes
