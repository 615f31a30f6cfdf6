#include "verify/server_link.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <memory>

#include "proto/request_writer.h"

namespace verify {
namespace {

// A server that says nothing for so long is not going to.
constexpr time_t kPatienceS = 60;
constexpr size_t kReadBytes = 64 * 1024;

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

int connect_to(const addrinfo& place) {
  const int fd = socket(place.ai_family, place.ai_socktype | SOCK_CLOEXEC, place.ai_protocol);
  if (fd < 0) return -1;
  const timeval patience{.tv_sec = kPatienceS, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(fd, place.ai_addr, place.ai_addrlen) == 0) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

}  // namespace

ServerLink::~ServerLink() {
  if (fd_ >= 0) close(fd_);
}

Problem ServerLink::failed(std::string_view what) const {
  return address_.text() + ": " + std::string(what);
}

Problem ServerLink::open(const ServerAddress& address) {
  address_ = address;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error =
      getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &list);
  if (error != 0) return failed(gai_strerror(error));
  const Addresses addresses(list);
  for (const addrinfo* at = list; at && fd_ < 0; at = at->ai_next) fd_ = connect_to(*at);
  if (fd_ < 0) return failed(std::strerror(errno));
  return log_in();
}

Problem ServerLink::log_in() {
  if (address_.password.empty()) return std::nullopt;
  proto::ReplyValue reply;
  return address_.user.empty() ? ask({"AUTH", address_.password}, reply)
                               : ask({"AUTH", address_.user, address_.password}, reply);
}

void ServerLink::add(std::span<const std::string_view> words) {
  out_ += proto::encode_request(words);
  ++awaited_;
}

Problem ServerLink::exchange(Replies& replies) {
  replies.resize(awaited_);
  if (auto problem = send_all()) return problem;
  for (proto::ReplyValue& reply : replies)
    if (auto problem = read_reply(reply)) return problem;
  awaited_ = 0;
  return std::nullopt;
}

Problem ServerLink::ask(std::initializer_list<std::string_view> words, proto::ReplyValue& reply) {
  Replies replies;
  add(words);
  if (auto problem = exchange(replies)) return problem;
  reply = std::move(replies[0]);
  if (reply.is_error()) return failed(reply.text);
  return std::nullopt;
}

Problem ServerLink::send_all() {
  for (size_t sent = 0; sent < out_.size();) {
    const ssize_t n = send(fd_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(std::strerror(errno));
    sent += size_t(n);
  }
  out_.clear();
  return std::nullopt;
}

Problem ServerLink::read_reply(proto::ReplyValue& reply) {
  while (true) {
    const proto::ReplyResult result = parser_.feed(std::string_view(in_).substr(in_used_));
    if (result.status == proto::ReplyStatus::kError) return failed(result.error);
    in_used_ += result.consumed;
    if (result.status == proto::ReplyStatus::kReply) {
      reply = parser_.take();
      return std::nullopt;
    }
    in_.resize(kReadBytes);
    in_used_ = 0;
    const ssize_t n = recv(fd_, in_.data(), in_.size(), 0);
    in_.resize(n > 0 ? size_t(n) : 0);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) return failed("closed the connection");
    if (n < 0) return failed(errno == EAGAIN ? "says nothing" : std::strerror(errno));
  }
}

}  // namespace verify
