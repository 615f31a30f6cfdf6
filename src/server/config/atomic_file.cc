#include "server/config/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

namespace millrace {
namespace {

constexpr mode_t kModeOfNewFile = 0644;

std::string without_links(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                         std::free);
  return real ? std::string(real.get()) : path;
}

ae::Status write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ae::fail(errno, "write");
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return {};
}

ae::Status fill(int fd, const std::string& replaced, std::string_view bytes) {
  struct stat old {};
  if (stat(replaced.c_str(), &old) == 0 && fchmod(fd, old.st_mode & 07777) != 0) {
    return ae::fail(errno, "fchmod");
  }
  if (ae::Status written = write_all(fd, bytes); !written) return written;
  if (fsync(fd) != 0) return ae::fail(errno, "fsync");
  return {};
}

// Without this the rename itself may be lost in a power failure.
ae::Status sync_directory_of(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const std::string directory = parent.empty() ? "." : parent.string();
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return ae::fail(errno, "open");
  const int failed = fsync(fd) != 0 ? errno : 0;
  close(fd);
  if (failed != 0) return ae::fail(failed, "fsync");
  return {};
}

}  // namespace

ae::Status replace_file(const std::string& path, std::string_view bytes) {
  const std::string target = without_links(path);
  const std::string fresh = target + ".tmp-" + std::to_string(getpid());
  const int fd =
      open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, kModeOfNewFile);
  if (fd < 0) return ae::fail(errno, "open");
  ae::Status status = fill(fd, target, bytes);
  close(fd);
  if (status && rename(fresh.c_str(), target.c_str()) != 0) status = ae::fail(errno, "rename");
  if (!status) {
    unlink(fresh.c_str());
    return status;
  }
  return sync_directory_of(target);
}

}  // namespace millrace
