// What the tests of ae/net share: an Os that counts, a pair of connected sockets, a handler that
// writes down what happens to it.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "ae/core/event_loop.h"
#include "ae/core/os.h"
#include "ae/net/connection_table.h"
#include "pushing_poller.h"

namespace ae::test {

// The kernel, with a count per call and a switch that makes writes and reads come short.
class CountingOs : public Os {
 public:
  size_t reads = 0, writes = 0, writevs = 0, closes = 0, others = 0;
  size_t most_per_write = SIZE_MAX;  // bytes the "kernel" takes at once
  size_t most_per_read = SIZE_MAX;
  size_t writes_until_full = SIZE_MAX;  // then EAGAIN, until set anew
  int accept_error = 0;                 // every accept fails with it while set
  int socket_error = 0;

  void reset() { reads = writes = writevs = closes = others = 0; }

  Result<int> socket(int domain, int type, int protocol) override {
    ++others;
    if (socket_error != 0) return fail(socket_error, "socket");
    return below().socket(domain, type, protocol);
  }
  Status bind(int fd, const Address& address) override {
    return ++others, below().bind(fd, address);
  }
  Status listen(int fd, int backlog) override { return ++others, below().listen(fd, backlog); }
  Result<int> accept(int listener) override {
    ++others;
    if (accept_error != 0) return fail(accept_error, "accept");
    return below().accept(listener);
  }
  Result<int> connect(int fd, const Address& to) override {
    return ++others, below().connect(fd, to);
  }
  int pending_error(int fd) override { return ++others, below().pending_error(fd); }
  IoResult read(int fd, MutableBytes into) override {
    ++reads;
    return below().read(fd, into.first(std::min(into.size(), most_per_read)));
  }
  IoResult write(int fd, Bytes from) override {
    ++writes;
    if (full()) return {IoStatus::kWouldBlock, 0, 0};
    return below().write(fd, from.substr(0, most_per_write));
  }
  IoResult writev(int fd, std::span<const iovec> from) override {
    ++writevs;
    if (full()) return {IoStatus::kWouldBlock, 0, 0};
    std::string joined;
    for (const iovec& piece : from)
      joined.append(static_cast<char*>(piece.iov_base), piece.iov_len);
    return below().write(fd, Bytes(joined).substr(0, most_per_write));
  }
  Status shutdown_write(int fd) override { return ++others, below().shutdown_write(fd); }
  void close(int fd) override { ++closes, below().close(fd); }
  Status set_option(int fd, int level, int name, int value) override {
    return ++others, below().set_option(fd, level, name, value);
  }
  Result<int> get_option(int fd, int level, int name) override {
    return ++others, below().get_option(fd, level, name);
  }
  Result<Address> local_address(int fd) override { return ++others, below().local_address(fd); }
  Result<Address> peer_address(int fd) override { return ++others, below().peer_address(fd); }
  Result<int> create_waker() override { return ++others, below().create_waker(); }
  void wake(int fd) override { ++others, below().wake(fd); }
  void drain_waker(int fd) override { ++others, below().drain_waker(fd); }
  Result<int> reserve_descriptor() override { return ++others, below().reserve_descriptor(); }

 private:
  static Os& below() { return real_os(); }
  bool full() {
    if (writes_until_full == SIZE_MAX) return false;
    if (writes_until_full == 0) return true;
    --writes_until_full;
    return false;
  }
};

inline size_t open_descriptors() {
  size_t count = 0;
  DIR* directory = ::opendir("/proc/self/fd");
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

// The test's end of a connection: a plain descriptor, non-blocking.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  Peer(Peer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Peer& operator=(Peer&&) = delete;
  ~Peer() { close(); }

  int fd() const { return fd_; }
  void send(Bytes bytes) {
    ASSERT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), ssize_t(bytes.size()));
  }
  // As much as the kernel takes; returns how much.
  size_t send_some(Bytes bytes) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? 0 : size_t(sent);
  }
  // What is there now.
  std::string receive() {
    std::string all;
    char buffer[65536];
    for (;;) {
      const ssize_t got = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
      if (got <= 0) {
        ended_ = got == 0;
        error_ = got < 0 && errno != EAGAIN ? errno : 0;
        return all;
      }
      all.append(buffer, size_t(got));
    }
  }
  bool ended() const { return ended_; }  // FIN was seen by the last receive()
  int error() const { return error_; }
  void finish() { ::shutdown(fd_, SHUT_WR); }
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void close() {
    if (fd_ != -1) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
  bool ended_ = false;
  int error_ = 0;
};

// Two ends of a TCP connection over loopback; the first is non-blocking.
inline std::pair<int, int> tcp_pair() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  EXPECT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_EQ(::listen(listener, 1), 0);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  const int peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::connect(peer, reinterpret_cast<sockaddr*>(&address), length), 0);
  const int ours = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  ::close(listener);
  return {ours, peer};
}

// The same over a Unix socket: cheaper, and without RST.
inline std::pair<int, int> unix_pair() {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  return {ends[0], ends[1]};
}

// Consumes everything, unless told otherwise, and remembers.
struct Recorder final : ConnectionHandler {
  std::string received;
  std::vector<std::string> calls;
  std::function<size_t(Connection, MutableBytes)> data;
  std::function<void(Connection)> open, half_closed, hang_up, drained, high;
  std::function<void(Connection, CloseReason)> closed;
  size_t closed_calls = 0;
  CloseReason reason = CloseReason::kNone;

  void on_open(Connection c) override {
    calls.push_back("open");
    if (open) open(c);
  }
  size_t on_data(Connection c, MutableBytes bytes) override {
    calls.push_back("data");
    const size_t consumed = data ? data(c, bytes) : bytes.size();
    received.append(bytes.data(), consumed);
    return consumed;
  }
  void on_half_closed(Connection c) override {
    calls.push_back("half_closed");
    if (half_closed) return half_closed(c);
    ConnectionHandler::on_half_closed(c);
  }
  void on_hang_up(Connection c) override {
    calls.push_back("hang_up");
    if (hang_up) hang_up(c);
  }
  void on_drained(Connection c) override {
    calls.push_back("drained");
    if (drained) drained(c);
  }
  void on_high_watermark(Connection c) override {
    calls.push_back("high");
    if (high) high(c);
  }
  void on_closed(Connection c, CloseReason why) override {
    calls.push_back("closed");
    ++closed_calls;
    reason = why;
    if (closed) closed(c, why);
  }
  size_t count(std::string_view call) const {
    return size_t(std::count(calls.begin(), calls.end(), call));
  }
};

// What lies below the table.
enum class Face { kEpoll, kPoll, kPushing, kIoUring };

inline std::string face_name(Face face) {
  if (face == Face::kEpoll) return "Epoll";
  if (face == Face::kIoUring) return "IoUring";
  return face == Face::kPoll ? "Poll" : "Pushing";
}

// Those that this kernel and build have.
inline std::vector<Face> faces() {
  std::vector<Face> all = {Face::kEpoll, Face::kPoll, Face::kPushing};
  if (create_poller(Backend::kIoUring)) all.push_back(Face::kIoUring);
  return all;
}
// The test's Os stands between the table and the kernel for every write.
inline bool writes_through_os(Face face) {
  return face != Face::kIoUring;
}

// A loop, a table and a way to turn the wheel without sleeping.
struct Wheel {
  CountingOs os;
  std::unique_ptr<EventLoop> loop;
  std::unique_ptr<ConnectionTable> table;
  Recorder handler;

  explicit Wheel(ConnectionOptions options = {}, Face face = Face::kEpoll) {
    LoopOptions loop_options;
    if (face == Face::kPoll) loop_options.backend = Backend::kPoll;
    if (face == Face::kIoUring) loop_options.backend = Backend::kIoUring;
    if (face == Face::kPushing) loop_options.poller = std::make_unique<PushingPoller>(os);
    loop_options.os = &os;
    loop_options.mailbox_capacity = 64;  // thousands of wheels are made
    auto created = EventLoop::create(std::move(loop_options));
    if (!created) return;
    loop = std::move(*created);
    table = std::make_unique<ConnectionTable>(*loop, options);
  }

  // Ticks without waiting.
  void spin(int ticks = 3) {
    while (ticks-- > 0) loop->run_once(Nanoseconds::zero());
  }
  // Ticks until `done`, each waiting for events. The end is for a test that fails: ThreadSanitizer
  // on a busy machine takes five seconds for what else takes a tenth of one.
  bool until(const std::function<bool()>& done) {
    const TimePoint end = real_clock().now() + Seconds(60);
    while (!done() && real_clock().now() < end) loop->run_once(Milliseconds(10));
    return done();
  }
  std::pair<Connection, Peer> connect(uint64_t user = 0) {
    const auto [ours, theirs] = tcp_pair();
    auto adopted = table->adopt(ours, handler, user);
    EXPECT_TRUE(adopted.has_value());
    return {*adopted, Peer(theirs)};
  }
};

}  // namespace ae::test
