// Debian's redis-server as the oracle for what our parser says about malformed requests. One server
// per test process, on a Unix socket in a directory of its own; it dies with the process.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "ae/base/assert.h"
#include "proto/reply_parser.h"

namespace proto {

class RedisOracle {
 public:
  static RedisOracle& instance() {
    static RedisOracle oracle;
    return oracle;
  }

  // Sends `bytes` on a new connection, says that no more will come, and returns everything that is
  // answered.
  std::string converse(std::string_view bytes) const {
    const int fd = connect_socket();
    send_all(fd, bytes);
    ::shutdown(fd, SHUT_WR);
    std::string answer;
    char buffer[4096];
    for (ssize_t n; (n = ::read(fd, buffer, sizeof buffer)) > 0;) {
      answer.append(buffer, static_cast<size_t>(n));
    }
    ::close(fd);
    return answer;
  }

  // The first reply to `bytes`; the connection is not half-closed, so this waits for one.
  ReplyValue ask(std::string_view bytes) const {
    const int fd = connect_socket();
    send_all(fd, bytes);
    ReplyParser parser;
    char buffer[4096];
    ReplyStatus status = ReplyStatus::kIncomplete;
    while (status == ReplyStatus::kIncomplete) {
      const ssize_t n = ::read(fd, buffer, sizeof buffer);
      AE_ASSERT(n > 0);
      status = parser.feed({buffer, static_cast<size_t>(n)}).status;
    }
    ::close(fd);
    return parser.take();
  }

  RedisOracle(const RedisOracle&) = delete;
  RedisOracle& operator=(const RedisOracle&) = delete;

 private:
  RedisOracle() {
    char name[] = "/tmp/millrace-oracle-XXXXXX";
    AE_ASSERT(::mkdtemp(name) != nullptr);
    directory_ = name;
    int log[2];
    AE_ASSERT(::pipe(log) == 0);
    pid_ = ::fork();
    AE_ASSERT(pid_ >= 0);
    if (pid_ == 0) become_server(log[1]);
    ::close(log[1]);
    wait_until_ready(log[0]);
    log_fd_ = log[0];
  }

  ~RedisOracle() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(log_fd_);
    ::unlink(socket_path().c_str());
    ::rmdir(directory_.c_str());
  }

  std::string socket_path() const { return directory_ + "/socket"; }

  [[noreturn]] void become_server(int log_fd) const {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(log_fd, STDOUT_FILENO);
    ::execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket_path().c_str(),
             "--save", "", "--dir", directory_.c_str(), nullptr);
    ::_exit(127);
  }

  static void wait_until_ready(int fd) {
    std::string log;
    char buffer[4096];
    while (log.find("ready to accept connections") == std::string::npos &&
           log.find("Ready to accept connections") == std::string::npos) {
      const ssize_t n = ::read(fd, buffer, sizeof buffer);
      AE_ASSERT(n > 0);  // else redis-server is not installed, or did not start
      log.append(buffer, static_cast<size_t>(n));
    }
  }

  int connect_socket() const {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket_path().c_str(), sizeof address.sun_path - 1);
    AE_ASSERT(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    return fd;
  }

  // The server may hang up in the middle: then what it had to say can be read.
  static void send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
  }

  std::string directory_;
  pid_t pid_ = 0;
  int log_fd_ = -1;
};

}  // namespace proto
