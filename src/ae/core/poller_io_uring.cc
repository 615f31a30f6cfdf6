// io_uring(7) as a poller: readiness by poll requests, and its completion face (completions.h).
//
// Level-triggered means: as long as it is ready, every wait says so. A poll request says it once,
// so it is made again before each wait for those that fired in the last; a descriptor that is still
// ready then completes at once. All these requests ride in the one io_uring_enter of the wait. (The
// kernel's multishot poll reports changes, so it is what serves edge-triggered registrations here.)
//
//     kAbsent --add--> kToArm --wait--> kArmed --fired--> kToArm        level, exclusive
//                        ^                 |                 kArmed        edge: stays armed
//                        +--modify---------+----fired---> kDisarmed     one-shot
//
// A request under way holds the open file, also after close(). So remove() submits its cancellation
// at once: a system call, like EPOLL_CTL_DEL.
#include <cerrno>

#include "ae/core/pollers.h"

#if AE_HAVE_IO_URING
#include <poll.h>
#include <sys/epoll.h>

#include <vector>

#include "ae/base/chunked_array.h"
#include "ae/core/io_uring_completions.h"
#include "ae/core/io_uring_ring.h"

namespace ae {
namespace {

uint32_t to_poll(Events interest, Trigger trigger) {
  uint32_t events = 0;
  if (any(interest & Events::kReadable)) events |= POLLIN | POLLRDHUP;
  if (any(interest & Events::kWritable)) events |= POLLOUT;
  if (trigger == Trigger::kExclusive) events |= EPOLLEXCLUSIVE;
  return events;
}

// Nothing for half-close where it was not asked for: the kernel adds POLLRDHUP to every request. A
// negative result (EBADF) goes the way of errors: the handler's own call will say the same.
Events from_poll(int result, Events interest) {
  if (result == -ECANCELED) return Events::kNone;  // not by us, who would have made it stale
  if (result < 0) return Events::kReadWrite;
  if (!any(interest & Events::kReadable)) result &= ~POLLRDHUP;
  Events ready = Events::kNone;
  if ((result & POLLIN) != 0) ready = ready | Events::kReadable;
  if ((result & POLLOUT) != 0) ready = ready | Events::kWritable;
  if ((result & POLLRDHUP) != 0) ready = ready | Events::kHalfClosed | Events::kReadable;
  if ((result & (POLLERR | POLLHUP | POLLNVAL)) != 0) ready = ready | Events::kReadWrite;
  return ready;
}

class IoUringPoller final : public Poller {
 public:
  explicit IoUringPoller(std::unique_ptr<IoUringRing> ring) : ring_(std::move(ring)) {
    // Without multishot receive it is a poller like the others.
    if (auto completions = IoUringCompletions::create(*ring_)) {
      completions_ = std::move(*completions);
    }
  }

  std::string_view name() const override { return "io_uring"; }
  bool supports(Trigger) const override { return true; }
  Completions* completions() override { return completions_.get(); }
  PollerMemory memory() const override {
    PollerMemory memory = completions_ == nullptr ? PollerMemory() : completions_->memory();
    memory.descriptors += watches_.reserved_bytes();
    return memory;
  }

  Status add(int fd, Events interest, Trigger trigger, uint64_t token) override {
    if (fd < 0) return fail(EBADF, "io_uring add");
    Watch& watch = watches_.at(static_cast<size_t>(fd));
    if (watch.state != State::kAbsent) return fail(EEXIST, "io_uring add");
    set(fd, watch, interest, trigger, token);
    return {};
  }

  Status modify(int fd, Events interest, Trigger trigger, uint64_t token) override {
    Watch* watch = find(fd);
    if (watch == nullptr) return fail(ENOENT, "io_uring modify");
    if (watch->state == State::kArmed) disarm(fd, *watch);
    set(fd, *watch, interest, trigger, token);
    return {};
  }

  Status remove(int fd) override {
    Watch* watch = find(fd);
    if (watch == nullptr) return fail(ENOENT, "io_uring remove");
    if (watch->state == State::kArmed) {
      disarm(fd, *watch);
      ring_->submit_now();
    }
    watch->state = State::kAbsent;
    return {};
  }

  Result<size_t> wait(std::span<ReadyEvent> out,
                      std::optional<std::chrono::nanoseconds> timeout) override {
    ++waits_;
    arm_all();
    const bool may_block = completions_ == nullptr || completions_->prepare_wait();
    if (!may_block) timeout = std::chrono::nanoseconds::zero();
    if (Status waited = ring_->submit_and_wait(timeout); !waited) return fail(waited.error());
    return collect(out);
  }

 private:
  enum class State : uint8_t { kAbsent, kToArm, kArmed, kDisarmed };

  struct Watch {
    uint64_t token = 0;
    uint32_t sequence = 0;   // of its poll request
    uint32_t last_wait = 0;  // that reported it, and where
    uint32_t position = 0;
    Events interest = Events::kNone;
    Trigger trigger = Trigger::kLevel;
    State state = State::kAbsent;
    bool listed : 1 = false;       // in to_arm_
    bool half_closed : 1 = false;  // and it does not read; see arm()
  };

  Watch* find(int fd) {
    Watch* watch = fd < 0 ? nullptr : watches_.find(static_cast<size_t>(fd));
    return watch == nullptr || watch->state == State::kAbsent ? nullptr : watch;
  }

  static RequestId id_of(int fd, const Watch& watch) {
    return {RequestKind::kPoll, watch.sequence, static_cast<uint32_t>(fd)};
  }

  void set(int fd, Watch& watch, Events interest, Trigger trigger, uint64_t token) {
    watch.token = token;
    watch.interest = interest;
    watch.trigger = trigger;
    watch.half_closed = false;
    watch.sequence = (watch.sequence + 1) & RequestId::kSequenceMask;
    list_to_arm(fd, watch);
  }

  void list_to_arm(int fd, Watch& watch) {
    watch.state = State::kToArm;
    if (watch.listed) return;
    watch.listed = true;
    to_arm_.push_back(fd);
  }

  void arm_all() {
    for (const int fd : to_arm_) {
      Watch& watch = watches_.at(static_cast<size_t>(fd));
      watch.listed = false;
      if (watch.state == State::kToArm) arm(fd, watch);
    }
    to_arm_.clear();
  }

  // A writer whose peer has shut down its half would complete at once for ever, by the POLLRDHUP
  // that the kernel adds. Its request is made multishot, which reports that once and then what
  // changes.
  void arm(int fd, Watch& watch) {
    io_uring_sqe* request = ring_->next_request();
    const uint32_t events = to_poll(watch.interest, watch.trigger);
    if (watch.trigger == Trigger::kEdge || watch.half_closed) {
      ::io_uring_prep_poll_multishot(request, fd, events);
    } else {
      ::io_uring_prep_poll_add(request, fd, events);
    }
    IoUringRing::identify(request, id_of(fd, watch));
    watch.state = State::kArmed;
  }

  // The request's last completion will be stale.
  void disarm(int fd, Watch& watch) {
    io_uring_sqe* request = ring_->next_request();
    ::io_uring_prep_poll_remove(request, id_of(fd, watch).packed());
    IoUringRing::without_answer(request);
    watch.sequence = (watch.sequence + 1) & RequestId::kSequenceMask;
  }

  // Takes completions until `out` is full; the rest stays in the ring, in order, so nobody starves.
  size_t collect(std::span<ReadyEvent> out) {
    size_t filled = 0;
    unsigned taken = 0;
    unsigned head;
    io_uring_cqe* completion;
    io_uring_for_each_cqe(&ring_->raw(), head, completion) {
      const RequestId id = RequestId::unpack(completion->user_data);
      if (id.kind == RequestKind::kPoll && filled == out.size()) break;
      ++taken;
      switch (id.kind) {
        case RequestKind::kIgnored:
          break;
        case RequestKind::kPoll:
          filled += on_polled(id, *completion, out, filled);
          break;
        case RequestKind::kReceive:
          completions_->on_receive_completed(id, completion->res, completion->flags);
          break;
        case RequestKind::kSend:
          completions_->on_send_completed(id, completion->res);
          break;
      }
    }
    ::io_uring_cq_advance(&ring_->raw(), taken);
    return filled;
  }

  // Returns how many events were added to `out`: none if the completion is stale, or joins one that
  // is there (a multishot poll may complete several times in one wait).
  size_t on_polled(RequestId id, const io_uring_cqe& completion, std::span<ReadyEvent> out,
                   size_t filled) {
    const int fd = static_cast<int>(id.index);
    Watch* watch = find(fd);
    if (watch == nullptr || watch->state != State::kArmed || watch->sequence != id.sequence) {
      return 0;
    }
    const bool over = (completion.flags & IORING_CQE_F_MORE) == 0;
    const Events ready = from_poll(completion.res, watch->interest);
    if (!any(ready)) {
      watch->half_closed = completion.res > 0;
      if (over) list_to_arm(fd, *watch);
      return 0;
    }
    fired(fd, *watch, over);
    if (watch->last_wait == waits_) {
      out[watch->position].events = out[watch->position].events | ready;
      return 0;
    }
    out[filled] = {watch->token, ready};
    watch->last_wait = waits_;
    watch->position = static_cast<uint32_t>(filled);
    return 1;
  }

  // After an event: what the trigger asks for.
  void fired(int fd, Watch& watch, bool over) {
    if (watch.trigger == Trigger::kEdge) {
      if (over) list_to_arm(fd, watch);
      return;
    }
    if (!over) disarm(fd, watch);
    watch.trigger == Trigger::kOneShot ? void(watch.state = State::kDisarmed)
                                       : list_to_arm(fd, watch);
  }

  std::unique_ptr<IoUringRing> ring_;
  std::unique_ptr<IoUringCompletions> completions_;
  ChunkedArray<Watch> watches_;  // by descriptor
  std::vector<int> to_arm_;
  uint32_t waits_ = 0;
};

}  // namespace

Result<std::unique_ptr<Poller>> create_io_uring_poller() {
  Result<std::unique_ptr<IoUringRing>> ring = IoUringRing::create();
  if (!ring) return fail(ring.error());
  return std::make_unique<IoUringPoller>(std::move(*ring));
}

}  // namespace ae

#else  // built without liburing

namespace ae {

Result<std::unique_ptr<Poller>> create_io_uring_poller() {
  return fail(ENOSYS, "io_uring (built without liburing)");
}

}  // namespace ae

#endif
