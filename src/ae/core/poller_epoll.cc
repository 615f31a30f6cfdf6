// epoll(7): the kernel keeps the set, and a wait costs what is ready, not what is watched.
//
// Nothing is kept here per descriptor. The kernel's own answers (EEXIST, ENOENT) are the
// contract's, and epoll_event.data is the token.
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <vector>

#include "ae/core/pollers.h"

namespace ae {
namespace {

// EPOLLRDHUP rides with EPOLLIN only: it is level-triggered too, and a registration that does not
// read could never make it go away.
uint32_t to_epoll(Events interest, Trigger trigger) {
  uint32_t events = 0;
  if (any(interest & Events::kReadable)) events |= EPOLLIN;
  if (any(interest & Events::kWritable)) events |= EPOLLOUT;
  // The kernel refuses EPOLLEXCLUSIVE together with EPOLLRDHUP; listeners have no use for it.
  if (trigger == Trigger::kExclusive) return events | EPOLLEXCLUSIVE;
  if ((events & EPOLLIN) != 0) events |= EPOLLRDHUP;
  if (trigger == Trigger::kEdge) events |= EPOLLET;
  if (trigger == Trigger::kOneShot) events |= EPOLLONESHOT;
  return events;
}

Events from_epoll(uint32_t events) {
  Events ready = Events::kNone;
  if ((events & EPOLLIN) != 0) ready = ready | Events::kReadable;
  if ((events & EPOLLOUT) != 0) ready = ready | Events::kWritable;
  if ((events & EPOLLRDHUP) != 0) ready = ready | Events::kHalfClosed | Events::kReadable;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) ready = ready | Events::kReadWrite;
  return ready;
}

class EpollPoller final : public Poller {
 public:
  explicit EpollPoller(int epoll_fd) : epoll_fd_(epoll_fd) {}
  ~EpollPoller() override { ::close(epoll_fd_); }

  std::string_view name() const override { return "epoll"; }
  bool supports(Trigger) const override { return true; }

  Status add(int fd, Events interest, Trigger trigger, uint64_t token) override {
    return control(EPOLL_CTL_ADD, fd, interest, trigger, token);
  }

  Status modify(int fd, Events interest, Trigger trigger, uint64_t token) override {
    if (trigger != Trigger::kExclusive) {
      return control(EPOLL_CTL_MOD, fd, interest, trigger, token);
    }
    // EPOLLEXCLUSIVE can be set by EPOLL_CTL_ADD alone, and never be modified.
    return remove(fd).and_then([&] { return add(fd, interest, trigger, token); });
  }

  // Needed although close() takes a descriptor out of the set: the set holds the open file, and
  // that lives on in a forked child (one that saves a snapshot) with events for a number long
  // reused.
  Status remove(int fd) override {
    return control(EPOLL_CTL_DEL, fd, Events::kNone, Trigger::kLevel, 0);
  }

  Result<size_t> wait(std::span<ReadyEvent> out,
                      std::optional<std::chrono::nanoseconds> timeout) override {
    if (kernel_events_.size() < out.size()) kernel_events_.resize(out.size());
    const int room = static_cast<int>(std::min<size_t>(out.size(), INT_MAX));
    const int count = wait_for_kernel(room, timeout);
    if (count == -1 && errno != EINTR) return fail(errno, "epoll_wait");
    const size_t ready = count == -1 ? 0 : static_cast<size_t>(count);
    for (size_t i = 0; i < ready; ++i) {
      out[i] = {kernel_events_[i].data.u64, from_epoll(kernel_events_[i].events)};
    }
    return ready;
  }

 private:
  Status control(int operation, int fd, Events interest, Trigger trigger, uint64_t token) {
    epoll_event event{};
    event.events = to_epoll(interest, trigger);
    event.data.u64 = token;
    if (::epoll_ctl(epoll_fd_, operation, fd, &event) == -1) return fail(errno, "epoll_ctl");
    return {};
  }

  int wait_for_kernel(int room, std::optional<std::chrono::nanoseconds> timeout) {
    if (!timeout) return ::epoll_wait(epoll_fd_, kernel_events_.data(), room, -1);
    if (timeout->count() <= 0) return ::epoll_wait(epoll_fd_, kernel_events_.data(), room, 0);
    if (has_nanoseconds_) {
      const auto seconds = std::chrono::floor<std::chrono::seconds>(*timeout);
      const timespec time{seconds.count(), (*timeout - seconds).count()};
      const int count = ::epoll_pwait2(epoll_fd_, kernel_events_.data(), room, &time, nullptr);
      if (count != -1 || errno != ENOSYS) return count;
      has_nanoseconds_ = false;
    }
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(*timeout).count();
    return ::epoll_wait(epoll_fd_, kernel_events_.data(), room,
                        static_cast<int>(std::min<int64_t>(ms, INT_MAX)));
  }

  const int epoll_fd_;
  bool has_nanoseconds_ = true;  // epoll_pwait2, Linux 5.11; found out by the first use
  std::vector<epoll_event> kernel_events_;
};

}  // namespace

Result<std::unique_ptr<Poller>> create_epoll_poller() {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd == -1) return fail(errno, "epoll_create1");
  return std::make_unique<EpollPoller>(fd);
}

}  // namespace ae
