#include "server/process/supervision.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "server/observe/log.h"

namespace millrace::supervision {
namespace {

struct State {
  Supervision supervisor = Supervision::kNone;
  std::string notify_socket;
  int waiting_parent = -1;
};

State& state() {
  static State& instance = *new State;
  return instance;
}

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string taken = value ? value : "";
  unsetenv(name);
  return taken;
}

Supervision begin_upstart() {
  if (take_variable("UPSTART_JOB").empty()) {
    log::warning("Upstart supervision requested, but UPSTART_JOB is not set.");
    return Supervision::kNone;
  }
  return Supervision::kUpstart;
}

Supervision begin_systemd() {
  state().notify_socket = take_variable("NOTIFY_SOCKET");
  if (state().notify_socket.empty()) {
    log::warning("systemd supervision requested, but NOTIFY_SOCKET is not set.");
    return Supervision::kNone;
  }
  return Supervision::kSystemd;
}

// A path, or '@' and a name in the abstract namespace, where the first byte of the address is NUL.
bool fill_address(const std::string& name, sockaddr_un& address, socklen_t& length) {
  if (name.size() >= sizeof address.sun_path) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';
  length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  return true;
}

void notify_systemd(std::string_view message) {
  if (state().supervisor != Supervision::kSystemd) return;
  sockaddr_un address{};
  socklen_t length = 0;
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || !fill_address(state().notify_socket, address, length) ||
      sendto(fd, message.data(), message.size(), MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&address), length) < 0) {
    log::warning("Cannot notify systemd: {}", std::strerror(errno));
  }
  if (fd >= 0) close(fd);
}

void release_parent() {
  int& fd = state().waiting_parent;
  if (fd < 0) return;
  while (write(fd, "R", 1) < 0 && errno == EINTR) {
  }
  close(fd);
  fd = -1;
}

}  // namespace

Supervision begin(Supervision requested) {
  if (requested == Supervision::kAuto) {
    requested = std::getenv("UPSTART_JOB")     ? Supervision::kUpstart
                : std::getenv("NOTIFY_SOCKET") ? Supervision::kSystemd
                                               : Supervision::kNone;
  }
  if (requested == Supervision::kUpstart) requested = begin_upstart();
  if (requested == Supervision::kSystemd) requested = begin_systemd();
  state().supervisor = requested;
  notify_status("Starting");
  return requested;
}

void set_waiting_parent(int write_end) {
  state().waiting_parent = write_end;
}

void notify_ready() {
  release_parent();
  notify_systemd("READY=1\nSTATUS=Ready to accept connections\n");
  if (state().supervisor == Supervision::kUpstart) raise(SIGSTOP);
}

void notify_status(std::string_view status) {
  notify_systemd(fmt::format("STATUS={}\n", status));
}

void notify_stopping() {
  notify_systemd("STOPPING=1\nSTATUS=Shutting down\n");
}

}  // namespace millrace::supervision
