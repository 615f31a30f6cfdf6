// What waits for the kernel: one small interface over epoll, poll, select, io_uring and the
// simulation. One contract suite (tests/contract) runs over all of them.
//
// A poller knows descriptors and tokens. The token is the event loop's slot + generation, never a
// pointer, so an event that was fetched before its registration died is recognised and dropped.
//
// EPOLLERR and EPOLLHUP are reported as readable *and* writable, as Redis' ae does: the handler
// learns what happened from the read or write it makes anyway, and no third code path exists.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "ae/base/result.h"
#include "ae/core/events.h"

namespace ae {

class Completions;

struct ReadyEvent {
  uint64_t token = 0;
  Events events = Events::kNone;
};

// User memory of a poller.
struct PollerMemory {
  size_t descriptors = 0;  // what it keeps for each
  size_t buffers = 0;      // that it lends to receives
};

class Poller {
 public:
  virtual ~Poller() = default;

  virtual std::string_view name() const = 0;
  virtual bool supports(Trigger trigger) const = 0;

  // `interest` holds kReadable and kWritable only. Adding a descriptor twice is EEXIST, changing or
  // removing one that was not added is ENOENT. select refuses descriptors >= FD_SETSIZE with
  // ERANGE.
  virtual Status add(int fd, Events interest, Trigger trigger, uint64_t token) = 0;
  virtual Status modify(int fd, Events interest, Trigger trigger, uint64_t token) = 0;
  virtual Status remove(int fd) = 0;

  // Waits at most `timeout` (nothing: until an event; zero: not at all) and fills `out`. An
  // interrupted wait is success with 0 events. More ready descriptors than room: the rest comes
  // next time, and none starves. Sub-millisecond timeouts are kept where the kernel can, else
  // rounded up.
  virtual Result<size_t> wait(std::span<ReadyEvent> out,
                              std::optional<std::chrono::nanoseconds> timeout) = 0;

  // What a descriptor is ready for right now, registered or not; errors and hang-ups count as
  // both, as in wait(). For a few at a time: the call costs what it is asked about.
  struct Look {
    int fd = -1;
    Events interest = Events::kNone;
    Events ready = Events::kNone;  // the answer
  };
  virtual void look(std::span<Look> files);

  // The completion face of this poller, or null. See completions.h.
  virtual Completions* completions() { return nullptr; }

  virtual PollerMemory memory() const { return {}; }
};

enum class Backend : uint8_t { kEpoll, kPoll, kSelect, kIoUring };

// "epoll", "poll", "select", "io_uring"; nothing for any other word.
std::optional<Backend> parse_backend(std::string_view name);

// Fails with the reason where this kernel or this build lacks the backend (io_uring forbidden by
// kernel.io_uring_disabled is EPERM, built without liburing is ENOSYS).
Result<std::unique_ptr<Poller>> create_poller(Backend backend);

}  // namespace ae
