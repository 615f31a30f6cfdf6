#include "server/repl/snapshot_child.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "server/persist/byte_stream.h"
#include "server/persist/snapshot_file.h"

namespace millrace {
namespace {

// Blocking: the child has nothing else to do.
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

ae::Status write_contents(ByteSink& sink, Services& services, const SnapshotFacts& facts,
                          SnapshotContents contents, ChildProgress& progress) {
  const Databases none(0, services.access_clock);
  const bool all = contents == SnapshotContents::kAll;
  const bool with_functions = contents != SnapshotContents::kNothing;
  const std::vector<std::string_view> functions =
      with_functions ? function_codes(services) : std::vector<std::string_view>();
  return write_snapshot(sink, all ? services.databases : none, functions, facts,
                        [&](uint64_t keys) { progress.keys_done(keys); });
}

}  // namespace

ae::Result<std::unique_ptr<SnapshotChild>> SnapshotChild::start(ChildProcess& processes,
                                                                Services& services,
                                                                const SnapshotFacts& facts,
                                                                SnapshotContents contents) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return ae::fail(errno, "socketpair");
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  std::unique_ptr<SnapshotChild> child(new SnapshotChild(processes, ends[0]));
  const int to = ends[1];
  const auto work = [to, &services, &facts, contents](ChildProgress& progress) {
    SocketSink sink(to);
    return write_contents(sink, services, facts, contents, progress);
  };
  const auto done = [self = child.get()](const ChildResult& result) {
    self->outcome_ = result.succeeded();
  };
  const auto pid = processes.start(ChildKind::kReplication, work, done, {to});
  ::close(to);
  if (!pid) {
    child->outcome_ = false;
    return ae::fail(pid.error());
  }
  child->pid_ = *pid;
  return child;
}

SnapshotChild::~SnapshotChild() {
  ::close(descriptor_);
  if (!outcome_) processes_.cancel_now();
}

}  // namespace millrace
