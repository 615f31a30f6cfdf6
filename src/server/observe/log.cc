#include "server/observe/log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <functional>
#include <iterator>
#include <mutex>

#include "ae/base/clock.h"
#include "server/observe/rate_limit.h"

namespace millrace::log {
namespace {

// "4194304:M 21 Nov 2026 03:55:21.998 * ", with room for a pid of any size.
constexpr size_t kMaxPrefixBytes = 64;

// An escaped byte takes four.
constexpr size_t kBytesPerEscape = 4;

constexpr std::string_view kCut = "...";

// How often the file's name is looked at, to see that logrotate has renamed it.
constexpr time_t kRotationCheckSeconds = 1;

constexpr std::array<char, 4> kMarks = {'.', '-', '*', '#'};
constexpr std::array<int, 4> kSyslogLevels = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING};

// A line on the stack; what does not fit is cut.
class Line {
 public:
  void append(std::string_view bytes) {
    const size_t room = sizeof bytes_ - size_;
    const size_t count = std::min(room, bytes.size());
    std::memcpy(bytes_ + size_, bytes.data(), count);
    size_ += count;
  }
  void append_escaped(std::string_view text) {
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= ' ' && byte != 0x7f) {
        append({&c, 1});
      } else {
        append_hex(byte);
      }
    }
  }
  std::string_view bytes() const { return {bytes_, size_}; }

 private:
  void append_hex(unsigned char byte) {
    constexpr char kHexDigits[] = "0123456789abcdef";
    const char escape[kBytesPerEscape] = {'\\', 'x', kHexDigits[byte >> 4], kHexDigits[byte & 0xf]};
    append({escape, sizeof escape});
  }

  char bytes_[kMaxPrefixBytes + kBytesPerEscape * kMaxTextBytes + 1];
  size_t size_ = 0;
};

void append_prefix(Line& line, Role role, LogLevel level) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm local{};
  localtime_r(&now.tv_sec, &local);
  char date[32];
  const size_t date_length = strftime(date, sizeof date, "%d %b %Y %H:%M:%S", &local);
  char prefix[kMaxPrefixBytes];
  const auto end = fmt::format_to_n(prefix, sizeof prefix, "{}:{} {}.{:03} {} ", getpid(),
                                    static_cast<char>(role), std::string_view(date, date_length),
                                    now.tv_nsec / 1'000'000, kMarks[static_cast<size_t>(level)]);
  line.append({prefix, static_cast<size_t>(end.out - prefix)});
}

// Where lines go. One in the process, behind a mutex; the descriptor can be read without it.
class Output {
 public:
  ae::Status open(const Options& options) {
    const std::lock_guard lock(mutex_);
    const int fd = options.file.empty() ? STDOUT_FILENO : open_file(options.file);
    if (fd < 0) return ae::fail(errno, "open");
    use(fd);
    path_ = options.file;
    checked_ = 0;
    to_syslog_ = options.to_syslog;
    if (!to_syslog_) return {};
    ident_ = options.syslog_ident;  // openlog(3) keeps the pointer
    openlog(ident_.c_str(), LOG_PID | LOG_NDELAY | LOG_NOWAIT, options.syslog_facility);
    return {};
  }

  void write_line(LogLevel level, std::string_view text) {
    const std::lock_guard lock(mutex_);
    Line line;
    append_prefix(line, role.load(std::memory_order_relaxed), level);
    const size_t prefix_length = line.bytes().size();
    line.append_escaped(text);
    if (to_syslog_) {
      const std::string_view shown = line.bytes().substr(prefix_length);
      syslog(kSyslogLevels[static_cast<size_t>(level)], "%.*s", static_cast<int>(shown.size()),
             shown.data());
    }
    line.append("\n");
    follow_rotation();
    put(line.bytes());
  }

  void write_raw(std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    put(bytes);
  }

  int descriptor() const { return fd_.load(std::memory_order_relaxed); }

  std::atomic<Role> role{Role::kStarting};

 private:
  static int open_file(const std::string& path) {
    return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  }

  void use(int fd) {
    const int old = fd_.exchange(fd);
    if (old != STDOUT_FILENO && old != fd) close(old);
    struct stat opened {};
    fstat(fd, &opened);
    device_ = opened.st_dev;
    inode_ = opened.st_ino;
  }

  void follow_rotation() {
    if (path_.empty()) return;
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    if (now.tv_sec - checked_ < kRotationCheckSeconds) return;
    checked_ = now.tv_sec;
    struct stat named {};
    const bool there = stat(path_.c_str(), &named) == 0;
    if (there && named.st_dev == device_ && named.st_ino == inode_) return;
    if (const int fd = open_file(path_); fd >= 0) use(fd);
  }

  // A partial write means a full disk; the rest of the line is lost with it.
  void put(std::string_view bytes) {
    ssize_t written;
    do {
      written = ::write(descriptor(), bytes.data(), bytes.size());
    } while (written < 0 && errno == EINTR);
  }

  std::mutex mutex_;
  std::atomic<int> fd_{STDOUT_FILENO};
  std::string path_;
  std::string ident_;
  bool to_syslog_ = false;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  time_t checked_ = 0;
};

// Never destroyed: destructors of other globals may still log.
Output& output() {
  static Output& instance = *new Output;
  return instance;
}

ae::Nanoseconds now_coarse() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return ae::Seconds(now.tv_sec) + ae::Nanoseconds(now.tv_nsec);
}

// The host of "address:port", so that a new connection is not a new key.
std::string_view host_of(std::string_view peer) {
  return peer.substr(0, peer.rfind(':'));
}

}  // namespace

namespace detail {

std::atomic<LogLevel> level{LogLevel::kNotice};

void write(LogLevel level, fmt::string_view text, fmt::format_args args, uint64_t suppressed) {
  char formatted[kMaxTextBytes];
  const auto end = fmt::vformat_to_n(formatted, sizeof formatted, text, args);
  size_t length = std::min(end.size, sizeof formatted);
  if (end.size > sizeof formatted) std::ranges::copy(kCut, formatted + length - kCut.size());
  if (suppressed != 0) {
    constexpr size_t kNoteBytes = 64;
    length = std::min(length, sizeof formatted - kNoteBytes);
    length += fmt::format_to_n(formatted + length, kNoteBytes, " ({} similar lines suppressed)",
                               suppressed)
                  .size;
  }
  output().write_line(level, {formatted, length});
}

std::optional<uint64_t> admit(uint64_t key) {
  static std::mutex mutex;
  static RateLimit limit(ae::Seconds(60));
  const std::lock_guard lock(mutex);
  return limit.admit(key, now_coarse());
}

}  // namespace detail

ae::Status open(const Options& options) {
  ae::Status opened = output().open(options);
  if (opened) set_level(options.level);
  return opened;
}

void set_level(LogLevel level) {
  detail::level.store(level, std::memory_order_relaxed);
}

void set_role(Role role) {
  output().role.store(role, std::memory_order_relaxed);
}

int descriptor() {
  return output().descriptor();
}

void write_raw(std::string_view bytes) {
  output().write_raw(bytes);
}

void protocol_error(std::string_view peer, std::string_view bytes, std::string_view reason) {
  if (!enabled(LogLevel::kVerbose)) return;
  const auto suppressed = detail::admit(std::hash<std::string_view>{}(host_of(peer)));
  if (!suppressed) return;
  detail::write(LogLevel::kVerbose,
                "Protocol error ({}) from client: {}. Query buffer during protocol error: '{}'",
                fmt::make_format_args(reason, peer, bytes), *suppressed);
}

}  // namespace millrace::log
