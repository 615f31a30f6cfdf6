// select(2): the oldest one. Bit sets of FD_SETSIZE descriptors; beyond, ERANGE.
//
// What it cannot say: an error or a hang-up shows as readable, or as writable, if that was asked
// for, and half-close as readable alone. A handler that reads and writes what it is told to learns
// the truth all the same.
#include <sys/select.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "ae/core/pollers.h"

namespace ae {
namespace {

class SelectPoller final : public Poller {
 public:
  SelectPoller() {
    FD_ZERO(&read_);
    FD_ZERO(&write_);
  }

  std::string_view name() const override { return "select"; }
  bool supports(Trigger trigger) const override {
    return trigger == Trigger::kLevel || trigger == Trigger::kOneShot;
  }

  Status add(int fd, Events interest, Trigger trigger, uint64_t token) override {
    if (fd < 0) return fail(EBADF, "select add");
    if (fd >= FD_SETSIZE) return fail(ERANGE, "select add");
    if (!supports(trigger)) return fail(ENOTSUP, "select add");
    if (watches_[fd].watched) return fail(EEXIST, "select add");
    set(fd, interest, trigger, token);
    end_ = std::max(end_, fd + 1);
    return {};
  }

  Status modify(int fd, Events interest, Trigger trigger, uint64_t token) override {
    if (!watched(fd)) return fail(ENOENT, "select modify");
    if (!supports(trigger)) return fail(ENOTSUP, "select modify");
    set(fd, interest, trigger, token);
    return {};
  }

  Status remove(int fd) override {
    if (!watched(fd)) return fail(ENOENT, "select remove");
    disarm(fd);
    watches_[fd] = {};
    while (end_ > 0 && !watches_[end_ - 1].watched) --end_;
    return {};
  }

  Result<size_t> wait(std::span<ReadyEvent> out,
                      std::optional<std::chrono::nanoseconds> timeout) override {
    fd_set readable = read_;
    fd_set writable = write_;
    if (wait_for_kernel(&readable, &writable, timeout) == -1) {
      if (errno == EINTR) return size_t{0};
      return fail(errno, "pselect");
    }
    // The search begins behind the last one reported, so that with more ready than room all have
    // their turn.
    size_t filled = 0;
    for (int seen = 0; filled < out.size() && seen < end_; ++seen) {
      if (next_ >= end_) next_ = 0;
      const int fd = next_++;
      const Events ready = (FD_ISSET(fd, &readable) ? Events::kReadable : Events::kNone) |
                           (FD_ISSET(fd, &writable) ? Events::kWritable : Events::kNone);
      if (!any(ready)) continue;
      out[filled++] = {watches_[fd].token, ready};
      if (watches_[fd].trigger == Trigger::kOneShot) disarm(fd);
    }
    return filled;
  }

 private:
  struct Watch {
    uint64_t token = 0;
    Trigger trigger = Trigger::kLevel;
    bool watched = false;
  };

  bool watched(int fd) const { return fd >= 0 && fd < FD_SETSIZE && watches_[fd].watched; }

  void set(int fd, Events interest, Trigger trigger, uint64_t token) {
    disarm(fd);
    watches_[fd] = {token, trigger, true};
    if (any(interest & Events::kReadable)) FD_SET(fd, &read_);
    if (any(interest & Events::kWritable)) FD_SET(fd, &write_);
  }

  void disarm(int fd) {
    FD_CLR(fd, &read_);
    FD_CLR(fd, &write_);
  }

  int wait_for_kernel(fd_set* readable, fd_set* writable,
                      std::optional<std::chrono::nanoseconds> timeout) const {
    if (!timeout) return ::pselect(end_, readable, writable, nullptr, nullptr, nullptr);
    const auto bounded = std::max(*timeout, std::chrono::nanoseconds::zero());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(bounded);
    const timespec time{seconds.count(), (bounded - seconds).count()};
    return ::pselect(end_, readable, writable, nullptr, &time, nullptr);
  }

  fd_set read_;
  fd_set write_;
  std::array<Watch, FD_SETSIZE> watches_{};
  int end_ = 0;  // above the highest descriptor watched
  int next_ = 0;
};

}  // namespace

Result<std::unique_ptr<Poller>> create_select_poller() {
  return std::make_unique<SelectPoller>();
}

}  // namespace ae
