#include "load/conductor.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "load/control.h"
#include "load/worker.h"

namespace load {
namespace {

// The orders have to reach everybody before the phase begins.
constexpr ae::Nanoseconds kHeadStart = ae::Milliseconds(10);

// Of a worker, beside its connections and handshakes: the loop's own, the control socket, standard
// streams.
constexpr uint32_t kOtherDescriptors = 64;

}  // namespace

Conductor::Conductor(const Options& options) : options_(options) {
  phases_.push_back({ScenarioKind::kConnect, ae::Nanoseconds::zero(), options.rate});
  phases_.insert(phases_.end(), options.phases.begin(), options.phases.end());
  report_.options = options;
}

Conductor::~Conductor() {
  for (const Worker& worker : workers_) ::close(worker.control);  // they hang up too
  for (const Worker& worker : workers_) ::waitpid(worker.pid, nullptr, 0);
}

std::string Conductor::run(const ae::Address& target) {
  std::fputs(head_text(options_).c_str(), stdout);
  if (options_.server_pid != 0) {
    report_.server_at_first = sample_server(options_.server_pid);
    if (!report_.server_at_first) return "no process " + std::to_string(options_.server_pid);
  }
  std::fflush(stdout);  // or every worker would have it to print
  if (const ae::Status started = start_workers(target); !started) return started.error().message();
  for (uint32_t phase = 0; phase < phases_.size(); ++phase) {
    if (!conduct(phase)) return "a worker process died";
    std::fputs(phase_text(report_, report_.phases.back()).c_str(), stdout);
    std::fflush(stdout);
    if (report_.phases.back().result->present == 0) break;  // nothing to go on with
  }
  std::fputs(verdict_text(report_).c_str(), stdout);
  return {};
}

bool Conductor::conduct(uint32_t phase) {
  PhaseReport report{phases_[phase], std::make_unique<PhaseResult>(), {}, {}};
  if (options_.server_pid != 0) report.server_before = sample_server(options_.server_pid);
  const Order order{phase, ae::real_clock().now() + kHeadStart};
  for (const Worker& worker : workers_) {
    if (!send_record(worker.control, order)) return false;
  }
  const auto part = std::make_unique<PhaseResult>();
  for (const Worker& worker : workers_) {
    if (!receive_record(worker.control, *part)) return false;
    report.result->add(*part);
  }
  if (options_.server_pid != 0) report.server_after = sample_server(options_.server_pid);
  report_.phases.push_back(std::move(report));
  return true;
}

ae::Status Conductor::start_workers(const ae::Address& target) {
  for (uint32_t i = 0; i < options_.processes; ++i) {
    if (const ae::Status started = start_worker(target, i); !started) return started;
  }
  return {};
}

ae::Status Conductor::start_worker(const ae::Address& target, uint32_t index) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return ae::fail(errno, "socketpair");
  }
  const pid_t pid = ::fork();
  if (pid < 0) return ae::fail(errno, "fork");
  if (pid == 0) {
    // The conductor's ends stay his: a worker that held one would never see him hang up.
    ::close(ends[0]);
    for (const Worker& earlier : workers_) ::close(earlier.control);
    ::_exit(work(ends[1], target, options_, phases_, {index, options_.processes}));
  }
  ::close(ends[1]);
  workers_.push_back({pid, ends[0]});
  return {};
}

ae::Status raise_descriptor_limit(const Options& options) {
  // In a storm the new handshakes begin before the old connections are closed.
  const uint32_t most = options.connections + options.handshakes;
  const rlim_t wanted = most / options.processes + 1 + kOtherDescriptors;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return ae::fail(errno, "getrlimit");
  if (limit.rlim_cur >= wanted) return {};
  limit.rlim_cur = wanted;
  limit.rlim_max = std::max(limit.rlim_max, wanted);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return ae::fail(errno, "raise the limit of descriptors (ulimit -n; or use more --processes)");
  }
  return {};
}

}  // namespace load
