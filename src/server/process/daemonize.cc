#include "server/process/daemonize.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "server/process/supervision.h"

namespace millrace {
namespace {

// A byte means ready; the end of the pipe without one means that the daemon has died.
[[noreturn]] void wait_for_daemon(int read_end, std::string_view log_name) {
  char byte = 0;
  ssize_t got;
  do {
    got = read(read_end, &byte, 1);
  } while (got < 0 && errno == EINTR);
  if (got == 1) _exit(0);
  std::fprintf(stderr, "The server did not start. Log: %.*s\n", static_cast<int>(log_name.size()),
               log_name.data());
  _exit(1);
}

ae::Status leave_terminal() {
  if (setsid() < 0) return ae::fail(errno, "setsid");
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return ae::fail(errno, "open /dev/null");
  std::fflush(nullptr);
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, standard);
  if (null > STDERR_FILENO) close(null);
  return {};
}

}  // namespace

ae::Status daemonize(std::string_view log_name) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ae::fail(errno, "pipe2");
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) {
    const int error = errno;
    close(ends[0]);
    close(ends[1]);
    return ae::fail(error, "fork");
  }
  if (child > 0) {
    close(ends[1]);
    wait_for_daemon(ends[0], log_name);
  }
  close(ends[0]);
  supervision::set_waiting_parent(ends[1]);
  return leave_terminal();
}

}  // namespace millrace
