// The kernel's own sockets: each function is one system call, its EINTR loop and its errno.
#include "ae/core/os.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace ae {
namespace {

template <typename Call>
auto retry_if_interrupted(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

IoResult failed_io(int error) {
  if (error == EAGAIN || error == EWOULDBLOCK) return {IoStatus::kWouldBlock};
  return {IoStatus::kError, error};
}

IoResult transferred(ssize_t count) {
  if (count < 0) return failed_io(errno);
  return {IoStatus::kOk, 0, static_cast<size_t>(count)};
}

Status checked(int result, const char* operation) {
  if (result == -1) return fail(errno, operation);
  return {};
}

Result<int> checked_fd(int fd, const char* operation) {
  if (fd == -1) return fail(errno, operation);
  return fd;
}

using NameOfSocket = int (*)(int, sockaddr*, socklen_t*);
Result<Address> address_by(NameOfSocket call, int fd, const char* operation) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  if (call(fd, reinterpret_cast<sockaddr*>(&storage), &length) == -1) return fail(errno, operation);
  return Address::from_sockaddr(reinterpret_cast<sockaddr*>(&storage), length);
}

class RealOs final : public Os {
 public:
  Result<int> socket(int domain, int type, int protocol) override {
    return checked_fd(::socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol), "socket");
  }

  Status bind(int fd, const Address& address) override {
    return checked(::bind(fd, address.data(), address.length()), "bind");
  }

  Status listen(int fd, int backlog) override { return checked(::listen(fd, backlog), "listen"); }

  // The peer's address is not asked for here: most connections live and die without anybody wanting
  // it.
  Result<int> accept(int listener) override {
    const int fd = retry_if_interrupted(
        [&] { return ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC); });
    return checked_fd(fd, "accept");
  }

  // EINTR is not retried here: an interrupted connect goes on in the background, like EINPROGRESS,
  // and a second call would report EALREADY.
  Result<int> connect(int fd, const Address& address) override {
    if (::connect(fd, address.data(), address.length()) == 0) return 0;
    if (errno == EINPROGRESS || errno == EINTR) return EINPROGRESS;
    return fail(errno, "connect");
  }

  int pending_error(int fd) override {
    const Result<int> error = get_option(fd, SOL_SOCKET, SO_ERROR);
    return error ? *error : error.error().code;
  }

  // read, not recv: the same for pipes, and no dearer.
  IoResult read(int fd, MutableBytes into) override {
    const ssize_t count =
        retry_if_interrupted([&] { return ::read(fd, into.data(), into.size()); });
    if (count == 0 && !into.empty()) return {IoStatus::kEnd};
    return transferred(count);
  }

  // send, because write has no MSG_NOSIGNAL, and Linux has no SO_NOSIGPIPE: without the flag the
  // first write after the peer's RST would kill the process.
  IoResult write(int fd, Bytes from) override {
    return transferred(
        retry_if_interrupted([&] { return ::send(fd, from.data(), from.size(), MSG_NOSIGNAL); }));
  }

  IoResult writev(int fd, std::span<const iovec> from) override {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(from.data());  // the kernel reads it only
    message.msg_iovlen = from.size();
    return transferred(retry_if_interrupted([&] { return ::sendmsg(fd, &message, MSG_NOSIGNAL); }));
  }

  Status shutdown_write(int fd) override { return checked(::shutdown(fd, SHUT_WR), "shutdown"); }

  // Not retried: Linux has released the number even when close reports EINTR, and by now it may be
  // somebody else's.
  void close(int fd) override { ::close(fd); }

  Status set_option(int fd, int level, int name, int value) override {
    return checked(::setsockopt(fd, level, name, &value, sizeof(value)), "setsockopt");
  }

  Result<int> get_option(int fd, int level, int name) override {
    int value = 0;
    socklen_t length = sizeof(value);
    if (::getsockopt(fd, level, name, &value, &length) == -1) return fail(errno, "getsockopt");
    return value;
  }

  Result<Address> local_address(int fd) override {
    return address_by(::getsockname, fd, "getsockname");
  }
  Result<Address> peer_address(int fd) override {
    return address_by(::getpeername, fd, "getpeername");
  }

  Result<int> create_waker() override {
    return checked_fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd");
  }

  // Callable from a signal handler, hence errno is left as it was. EAGAIN means that the counter is
  // full, hence that the descriptor is readable already.
  void wake(int fd) override {
    const int saved_errno = errno;
    const uint64_t one = 1;
    retry_if_interrupted([&] { return ::write(fd, &one, sizeof(one)); });
    errno = saved_errno;
  }

  void drain_waker(int fd) override {
    uint64_t count;
    retry_if_interrupted([&] { return ::read(fd, &count, sizeof(count)); });
  }

  Result<int> reserve_descriptor() override {
    return checked_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open /dev/null");
  }
};

}  // namespace

Os& real_os() {
  static RealOs os;
  return os;
}

}  // namespace ae
