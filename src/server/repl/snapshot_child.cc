#include "server/repl/snapshot_child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "server/persist/byte_stream.h"
#include "server/scripting/function_registry.h"
#include "server/scripting/scripting.h"

namespace millrace {
namespace {

// Blocking: it has nothing else to do.
class SocketSink final : public ByteSink {
 public:
  explicit SocketSink(int fd) : fd_(fd) {}

  ae::Status write(ae::Bytes bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return ae::fail(errno, "send");
      bytes.remove_prefix(size_t(count));
    }
    return {};
  }

 private:
  int fd_;
};

void keep_only(int fd) {
  if (fd > 3) ::close_range(3, unsigned(fd) - 1, 0);
  ::close_range(unsigned(fd) + 1, ~0u, 0);
}

std::vector<std::string_view> function_codes(Services& services) {
  std::vector<std::string_view> codes;
  for (const auto& [name, library] : services.scripting.functions().libraries())
    codes.push_back(library->code);
  return codes;
}

[[noreturn]] void write_and_exit(int fd, Services& services, const SnapshotFacts& facts) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGTERM, SIG_DFL);
  ::signal(SIGINT, SIG_DFL);
  keep_only(fd);
  SocketSink sink(fd);
  const ae::Status written = write_snapshot(sink, services.databases, function_codes(services), facts);
  ::_exit(written ? EXIT_SUCCESS : EXIT_FAILURE);
}

}  // namespace

ae::Result<std::unique_ptr<SnapshotChild>> SnapshotChild::start(Services& services,
                                                                const SnapshotFacts& facts) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return ae::fail(errno, "socketpair");
  const pid_t pid = ::fork();
  if (pid == 0) write_and_exit(ends[1], services, facts);
  const int error = errno;
  ::close(ends[1]);
  if (pid < 0) {
    ::close(ends[0]);
    return ae::fail(error, "fork");
  }
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return std::unique_ptr<SnapshotChild>(new SnapshotChild(pid, ends[0]));
}

SnapshotChild::~SnapshotChild() {
  ::close(descriptor_);
  if (outcome_) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
}

std::optional<bool> SnapshotChild::outcome() {
  int status = 0;
  if (!outcome_ && ::waitpid(pid_, &status, WNOHANG) == pid_)
    outcome_ = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
  return outcome_;
}

}  // namespace millrace
