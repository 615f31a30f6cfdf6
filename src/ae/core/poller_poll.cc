// poll(2): the set is handed to the kernel and searched at every wait, O(watched).
//
// Here for portability of the idea and for the contract suite; for a dozen descriptors it is as
// good as any. Two arrays in step, the kernel's and ours, and a third from descriptor to position.
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "ae/core/pollers.h"

namespace ae {
namespace {

short to_poll(Events interest) {
  int events = 0;
  if (any(interest & Events::kReadable)) events |= POLLIN | POLLRDHUP;
  if (any(interest & Events::kWritable)) events |= POLLOUT;
  return static_cast<short>(events);
}

// POLLNVAL (the descriptor was closed while it was watched) goes the way of errors: the handler's
// own call then says EBADF.
Events from_poll(short events) {
  Events ready = Events::kNone;
  if ((events & POLLIN) != 0) ready = ready | Events::kReadable;
  if ((events & POLLOUT) != 0) ready = ready | Events::kWritable;
  if ((events & POLLRDHUP) != 0) ready = ready | Events::kHalfClosed | Events::kReadable;
  if ((events & (POLLERR | POLLHUP | POLLNVAL)) != 0) ready = ready | Events::kReadWrite;
  return ready;
}

class PollPoller final : public Poller {
 public:
  std::string_view name() const override { return "poll"; }
  bool supports(Trigger trigger) const override {
    return trigger == Trigger::kLevel || trigger == Trigger::kOneShot;
  }

  PollerMemory memory() const override {
    return {.descriptors = kernel_.capacity() * sizeof(kernel_[0]) +
                           ours_.capacity() * sizeof(ours_[0]) +
                           position_of_.capacity() * sizeof(position_of_[0]),
            .buffers = 0};
  }

  Status add(int fd, Events interest, Trigger trigger, uint64_t token) override {
    if (fd < 0) return fail(EBADF, "poll add");
    if (!supports(trigger)) return fail(ENOTSUP, "poll add");
    if (watched(fd)) return fail(EEXIST, "poll add");
    if (position_of_.size() <= static_cast<size_t>(fd)) position_of_.resize(fd + 1, kNowhere);
    position_of_[fd] = static_cast<uint32_t>(kernel_.size());
    kernel_.push_back({fd, to_poll(interest), 0});
    ours_.push_back({token, trigger});
    return {};
  }

  Status modify(int fd, Events interest, Trigger trigger, uint64_t token) override {
    if (!watched(fd)) return fail(ENOENT, "poll modify");
    if (!supports(trigger)) return fail(ENOTSUP, "poll modify");
    const uint32_t position = position_of_[fd];
    kernel_[position] = {fd, to_poll(interest), 0};
    ours_[position] = {token, trigger};
    return {};
  }

  // The last one takes the place of the one that goes.
  Status remove(int fd) override {
    if (!watched(fd)) return fail(ENOENT, "poll remove");
    const uint32_t position = position_of_[fd];
    kernel_[position] = kernel_.back();
    ours_[position] = ours_.back();
    position_of_[descriptor(kernel_[position])] = position;
    position_of_[fd] = kNowhere;
    kernel_.pop_back();
    ours_.pop_back();
    return {};
  }

  Result<size_t> wait(std::span<ReadyEvent> out,
                      std::optional<std::chrono::nanoseconds> timeout) override {
    int ready = wait_for_kernel(timeout);
    if (ready == -1) {
      if (errno == EINTR) return size_t{0};
      return fail(errno, "ppoll");
    }
    // The search begins behind the last one reported, so that with more ready than room all have
    // their turn.
    size_t filled = 0;
    for (size_t seen = 0; ready > 0 && filled < out.size() && seen < kernel_.size(); ++seen) {
      if (next_ >= kernel_.size()) next_ = 0;
      const size_t position = next_++;
      if (kernel_[position].revents == 0) continue;
      out[filled++] = take(position);
      --ready;
    }
    return filled;
  }

 private:
  static constexpr uint32_t kNowhere = UINT32_MAX;

  struct Ours {
    uint64_t token;
    Trigger trigger;
  };

  bool watched(int fd) const {
    return fd >= 0 && static_cast<size_t>(fd) < position_of_.size() && position_of_[fd] != kNowhere;
  }

  // The kernel skips negative descriptors: a one-shot that fired is kept as its complement.
  static int descriptor(const pollfd& entry) { return entry.fd < 0 ? ~entry.fd : entry.fd; }

  ReadyEvent take(size_t position) {
    pollfd& entry = kernel_[position];
    const ReadyEvent event{ours_[position].token, from_poll(entry.revents)};
    if (ours_[position].trigger == Trigger::kOneShot) entry.fd = ~entry.fd;
    return event;
  }

  int wait_for_kernel(std::optional<std::chrono::nanoseconds> timeout) {
    if (!timeout) return ::ppoll(kernel_.data(), kernel_.size(), nullptr, nullptr);
    const auto bounded = std::max(*timeout, std::chrono::nanoseconds::zero());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(bounded);
    const timespec time{seconds.count(), (bounded - seconds).count()};
    return ::ppoll(kernel_.data(), kernel_.size(), &time, nullptr);
  }

  std::vector<pollfd> kernel_;
  std::vector<Ours> ours_;             // same positions
  std::vector<uint32_t> position_of_;  // by descriptor
  size_t next_ = 0;
};

}  // namespace

Result<std::unique_ptr<Poller>> create_poll_poller() {
  return std::make_unique<PollPoller>();
}

}  // namespace ae
