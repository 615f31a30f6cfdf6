#include "server/process/pid_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "server/config/config_file.h"

namespace millrace {
namespace {

std::string own_pid() {
  return std::to_string(getpid()) + "\n";
}

}  // namespace

ae::Status write_pid_file(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return ae::fail(errno, "open");
  const std::string text = own_pid();
  const ssize_t written = write(fd, text.data(), text.size());
  const int error = errno;
  close(fd);
  if (written < 0) return ae::fail(error, "write");
  return {};
}

void remove_pid_file(const std::string& path) {
  const ae::Result<std::string> content = read_whole_file(path);
  if (content && *content == own_pid()) unlink(path.c_str());
}

}  // namespace millrace
