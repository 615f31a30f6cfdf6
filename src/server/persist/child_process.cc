#include "server/persist/child_process.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "ae/base/assert.h"
#include "server/observe/latency_monitor.h"
#include "server/persist/copied_memory.h"

namespace millrace {
namespace {

// At least so long between two looks at the child's memory, and a hundred times what one costs.
constexpr ae::Nanoseconds kMeasureInterval = ae::Seconds(1);
constexpr int kMostMeasuringShare = 100;

// The exit status when the work has failed; why is in the last report.
constexpr int kFailedStatus = 1;

int run_work(const ChildProcess::Work& work, ChildReporter& reporter) {
  ChildProgress progress(reporter);
  const ae::Status status = work(progress);
  progress.finished(status ? 0 : status.error().code);
  return status ? 0 : kFailedStatus;
}

}  // namespace

ChildProgress::ChildProgress(ChildReporter& reporter)
    : reporter_(reporter), next_measure_(ae::real_clock().now() + kMeasureInterval) {}

void ChildProgress::measure() {
  const ae::TimePoint before = ae::real_clock().now();
  report_.copied_bytes = millrace::copied_bytes();
  const ae::TimePoint after = ae::real_clock().now();
  next_measure_ =
      after + std::max<ae::Nanoseconds>(kMeasureInterval, (after - before) * kMostMeasuringShare);
}

void ChildProgress::keys_done(uint64_t keys) {
  report_.keys_done = keys;
  if (ae::real_clock().now() < next_measure_) return;
  measure();
  reporter_.report(report_);
}

void ChildProgress::finished(int error) {
  report_.error = error;
  measure();
  reporter_.report(report_);
}

ChildProcess::~ChildProcess() {
  if (!running_) return;
  loop_.cancel(timer_);
  forker_.kill();
}

ae::Result<int> ChildProcess::start(ChildKind kind, Work work, Done done,
                                    const std::vector<int>& keep) {
  AE_ASSERT(!running_);
  const ae::TimePoint before = loop_.clock().now();
  const auto pid = forker_.fork(
      [work = std::move(work), begin = begin_in_child_](ChildReporter& reporter) {
        if (begin) begin();
        return run_work(work, reporter);
      },
      keep);
  if (!pid) return pid;
  const ae::Nanoseconds took = loop_.clock().now() - before;
  PersistenceFacts::Child& facts = services_.persistence.child;
  facts = {.running = true,
           .keys_total = services_.databases.total_keys(),
           .forks = facts.forks + 1,
           .last_fork_us = static_cast<uint64_t>(took.count() / 1000)};
  services_.latency.sample("fork", static_cast<uint64_t>(took.count() / 1000),
                           loop_.unix_us() / 1'000'000);
  services_.access_clock.hold();
  running_ = true;
  cancelled_ = false;
  kind_ = kind;
  done_ = std::move(done);
  last_ = {};
  timer_ = loop_.add_periodic(kPollInterval, [this] { poll(); });
  return pid;
}

void ChildProcess::poll() {
  if (const auto report = forker_.take_report()) {
    last_ = *report;
    PersistenceFacts::Child& facts = services_.persistence.child;
    facts.keys_done = report->keys_done;
    facts.copied_bytes = report->copied_bytes;
    facts.copied_peak_bytes = std::max(facts.copied_peak_bytes, report->copied_bytes);
    facts.measured_us = loop_.unix_us();
  }
  if (const auto exit = forker_.take_exit()) finish(*exit);
}

void ChildProcess::finish(const Forker::Exit& exit) {
  // What it told between the last look and its end.
  if (const auto report = forker_.take_report()) last_ = *report;
  ChildResult result{.error = last_.error,
                     .signal = exit.signal,
                     .cancelled = cancelled_,
                     .copied_bytes = last_.copied_bytes};
  if (exit.status != 0 && result.error == 0) result.error = EIO;  // it could not tell
  loop_.cancel(timer_);
  running_ = false;
  services_.access_clock.release();
  const PersistenceFacts::Child& before = services_.persistence.child;
  services_.persistence.child = {.forks = before.forks, .last_fork_us = before.last_fork_us};
  const Done done = std::exchange(done_, {});
  if (done) done(result);
}

void ChildProcess::cancel() {
  if (!running_) return;
  cancelled_ = true;
  forker_.kill();
}

void ChildProcess::cancel_now() {
  cancel();
  while (running_) {
    poll();  // a killed process is gone within a moment
    if (running_) usleep(1000);
  }
}

}  // namespace millrace
