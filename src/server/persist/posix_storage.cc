#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "server/persist/storage.h"

namespace millrace {
namespace {

constexpr mode_t kFileMode = 0644;
constexpr mode_t kDirectoryMode = 0755;

ae::Status done_if(int returned, const char* operation) {
  if (returned < 0) return ae::fail(errno, operation);
  return {};
}

// Repeats a call that a signal has interrupted.
template <typename Call>
auto uninterrupted(Call&& call) {
  auto returned = call();
  while (returned < 0 && errno == EINTR) returned = call();
  return returned;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

class PosixFile final : public File {
 public:
  explicit PosixFile(int fd) : fd_(fd) {}
  ~PosixFile() override { close(fd_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  ae::Result<size_t> read(ae::MutableBytes into) override {
    const ssize_t got = uninterrupted([&] { return ::read(fd_, into.data(), into.size()); });
    if (got < 0) return ae::fail(errno, "read");
    return static_cast<size_t>(got);
  }

  ae::Status write(ae::Bytes bytes) override {
    while (!bytes.empty()) {
      const ssize_t put = uninterrupted([&] { return ::write(fd_, bytes.data(), bytes.size()); });
      if (put < 0) return ae::fail(errno, "write");
      bytes.remove_prefix(static_cast<size_t>(put));
    }
    return {};
  }

  // fdatasync writes the size too, just not the time of change.
  ae::Status sync() override {
    return done_if(uninterrupted([&] { return fdatasync(fd_); }), "fdatasync");
  }

  ae::Status start_writeback() override {
    return done_if(sync_file_range(fd_, 0, 0, SYNC_FILE_RANGE_WRITE), "sync_file_range");
  }

  ae::Status truncate(uint64_t size) override {
    const auto length = static_cast<off_t>(size);
    return done_if(uninterrupted([&] { return ftruncate(fd_, length); }), "ftruncate");
  }

  ae::Result<uint64_t> size() override {
    struct stat facts {};
    if (fstat(fd_, &facts) < 0) return ae::fail(errno, "fstat");
    return static_cast<uint64_t>(facts.st_size);
  }

 private:
  int fd_;
};

class PosixStorage final : public Storage {
 public:
  ae::Result<std::unique_ptr<File>> open(const std::string& path) override {
    return open_as(path, O_RDONLY);
  }
  ae::Result<std::unique_ptr<File>> create(const std::string& path) override {
    return open_as(path, O_WRONLY | O_CREAT | O_TRUNC);
  }
  ae::Result<std::unique_ptr<File>> append(const std::string& path) override {
    return open_as(path, O_WRONLY | O_CREAT | O_APPEND);
  }

  ae::Status rename(const std::string& from, const std::string& to) override {
    return done_if(::rename(from.c_str(), to.c_str()), "rename");
  }
  ae::Status remove(const std::string& path) override {
    return done_if(unlink(path.c_str()), "unlink");
  }

  ae::Status sync_directory(const std::string& directory) override {
    auto opened = open_as(directory, O_RDONLY | O_DIRECTORY);
    if (!opened) return ae::fail(opened.error());
    ae::Status synced = (*opened)->sync();
    // Some file systems keep their names without being asked, and do not know the call.
    if (!synced && synced.error().code == EINVAL) return {};
    return synced;
  }

  ae::Status make_directory(const std::string& directory) override {
    if (mkdir(directory.c_str(), kDirectoryMode) == 0 || errno == EEXIST) return {};
    return ae::fail(errno, "mkdir");
  }

  ae::Result<std::vector<std::string>> list(const std::string& directory) override {
    const std::unique_ptr<DIR, CloseDirectory> opened(opendir(directory.c_str()));
    if (!opened) return ae::fail(errno, "opendir");
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* item = readdir(opened.get())) {
      const std::string_view name = item->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return ae::fail(errno, "readdir");
    return names;
  }

  ae::Result<uint64_t> size(const std::string& path) override {
    struct stat facts {};
    if (stat(path.c_str(), &facts) < 0) return ae::fail(errno, "stat");
    return static_cast<uint64_t>(facts.st_size);
  }

 private:
  static ae::Result<std::unique_ptr<File>> open_as(const std::string& path, int flags) {
    const int fd =
        uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, kFileMode); });
    if (fd < 0) return ae::fail(errno, "open");
    return std::make_unique<PosixFile>(fd);
  }
};

}  // namespace

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Storage& posix_storage() {
  static PosixStorage storage;
  return storage;
}

}  // namespace millrace
