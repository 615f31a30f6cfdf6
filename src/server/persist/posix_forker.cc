#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "ae/base/assert.h"
#include "server/observe/log.h"
#include "server/persist/forker.h"

namespace millrace {
namespace {

constexpr int kFirstOwnDescriptor = 3;  // behind the standard ones

// Closes everything but the standard descriptors and those in `keep`.
void close_all_but(std::vector<int> keep) {
  std::sort(keep.begin(), keep.end());
  unsigned first = kFirstOwnDescriptor;
  for (const int fd : keep) {
    if (fd < kFirstOwnDescriptor) continue;
    const auto kept = static_cast<unsigned>(fd);
    if (kept > first) close_range(first, kept - 1, 0);
    first = kept + 1;
  }
  close_range(first, ~0U, 0);
}

class PipeReporter final : public ChildReporter {
 public:
  explicit PipeReporter(int fd) : fd_(fd) {}
  // Smaller than PIPE_BUF, so it goes whole or, if the pipe is full, not at all.
  void report(const ChildReport& report) override {
    [[maybe_unused]] const ssize_t put = write(fd_, &report, sizeof report);
  }

 private:
  int fd_;
};

class PosixForker final : public Forker {
 public:
  PosixForker() = default;
  ~PosixForker() override {
    kill();
    while (pid_ != 0 && waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    close_pipe();
  }
  PosixForker(const PosixForker&) = delete;
  PosixForker& operator=(const PosixForker&) = delete;

  ae::Result<int> fork(Work work, const std::vector<int>& keep) override {
    AE_ASSERT(pid_ == 0);
    close_pipe();
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) return ae::fail(errno, "pipe");
    const pid_t parent = getpid();
    const pid_t pid = ::fork();
    if (pid == 0) run_child(parent, work, ends[1], keep);
    const int error = pid < 0 ? errno : 0;
    close(ends[1]);
    if (error != 0) {
      close(ends[0]);
      return ae::fail(error, "fork");
    }
    pid_ = pid;
    pipe_ = ends[0];
    return pid;
  }

  std::optional<ChildReport> take_report() override {
    std::optional<ChildReport> last;
    ChildReport report;
    while (pipe_ >= 0 && read(pipe_, &report, sizeof report) == sizeof report) last = report;
    return last;
  }

  std::optional<Exit> take_exit() override {
    int status = 0;
    if (pid_ == 0 || waitpid(pid_, &status, WNOHANG) <= 0) return std::nullopt;
    pid_ = 0;  // the pipe may hold its last word
    if (WIFSIGNALED(status)) return Exit{.status = 0, .signal = WTERMSIG(status)};
    return Exit{.status = WEXITSTATUS(status), .signal = 0};
  }

  void kill() override {
    if (pid_ != 0) ::kill(pid_, SIGKILL);
  }

 private:
  [[noreturn]] static void run_child(pid_t parent, Work& work, int report_fd,
                                     std::vector<int> keep) {
    // It goes with its parent: the next one may have newer files by the time it would put its own
    // in their place.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(EXIT_FAILURE);
    // The server takes this signal through its loop, and blocks it; a child has none.
    sigset_t termination;
    sigemptyset(&termination);
    sigaddset(&termination, SIGTERM);
    sigprocmask(SIG_UNBLOCK, &termination, nullptr);
    keep.push_back(report_fd);
    keep.push_back(log::descriptor());
    close_all_but(std::move(keep));
    log::set_role(log::Role::kChild);
    PipeReporter reporter(report_fd);
    _exit(work(reporter));
  }

  void close_pipe() {
    if (pipe_ >= 0) close(pipe_);
    pipe_ = -1;
  }

  pid_t pid_ = 0;
  int pipe_ = -1;
};

}  // namespace

std::unique_ptr<Forker> make_posix_forker() {
  return std::make_unique<PosixForker>();
}

}  // namespace millrace
