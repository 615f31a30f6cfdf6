// Connects to somewhere without blocking: several addresses in turn, deadlines, rounds with
// back-off.
//
// One attempt: socket, connect (EINPROGRESS), wait for Writable, ask SO_ERROR; or the attempt's
// deadline. A failed attempt goes on to the next address at once; when all have failed, the round
// ends, and the next one starts after the back-off: it doubles per round, and is taken at random
// between its half and its whole, so that a thousand clients of a restarted server do not all come
// back in the same millisecond ("equal jitter"; M. Brooker, "Exponential Backoff And Jitter", AWS
// 2015).
//
// Self-connect. A client that connects to a port of its own machine on which nobody listens can be
// given that very port as its own, and TCP's simultaneous open then connects it with itself. That
// looks like success and blocks the server's port; it is recognised by equal addresses and counts
// as refused.
//
// `done` is called exactly once, never from within dial(), unless the dial was cancelled; then
// never. Thread: the loop's. The dialer owns the descriptors until it hands them over; it dies
// before the loop.
//
//   ae::Dialer dialer(*loop, seed);
//   dialer.dial({address}, {}, [&](ae::Result<int> fd) {
//     if (fd) table.adopt(*fd, upstream);
//   });
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ae/base/callback.h"
#include "ae/base/prng.h"
#include "ae/base/slot_map.h"
#include "ae/core/event_loop.h"
#include "ae/net/address.h"

namespace ae {

struct DialOptions {
  Nanoseconds attempt_timeout = Seconds(5);
  // Through all addresses; 0 is for ever.
  uint32_t rounds = 1;
  Nanoseconds first_back_off = Milliseconds(100);
  Nanoseconds most_back_off = Seconds(30);
  // Where to connect from; the kernel's choice where absent. With port 0 the kernel chooses the
  // port too, and only when the target is known: two connections may then share one, if they go to
  // different places.
  std::optional<Address> source = std::nullopt;
};

struct DialId {
  uint32_t slot = 0;
  uint32_t generation = 0;  // 0 names nothing
  bool valid() const { return generation != 0; }
  friend bool operator==(DialId, DialId) = default;
};

class Dialer final : private FileHandler {
 public:
  // The descriptor, connected and non-blocking, is the callee's; or the error of the last attempt
  // (ETIMEDOUT for its deadline).
  using Done = Callback<void(Result<int> fd)>;

  Dialer(EventLoop& loop, uint64_t seed) : loop_(loop), os_(loop.os()), prng_(seed) {}
  ~Dialer();  // calls nobody
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  DialId dial(std::vector<Address> addresses, DialOptions options, Done done);
  // False when it is over already.
  bool cancel(DialId id);
  size_t under_way() const { return dials_.size(); }
  uint64_t attempts() const { return attempts_; }

 private:
  struct Dial {
    std::vector<Address> addresses;
    DialOptions options;
    Done done;
    size_t next = 0;     // address
    uint32_t round = 0;  // rounds begun
    int fd = -1;
    FileId file;
    TimerId timer;  // of the attempt, or of the pause before the next
    Error last_error;
  };

  void on_file_event(FileId file, uint32_t token, Events ready) override;
  void attempt(DialId id);
  Status start(DialId id, Dial& dial);
  Status bind_source(const Dial& dial);
  void attempt_ended(DialId id, Dial& dial, int error);
  void attempt_failed(DialId id, Dial& dial, Error error);
  void abandon(Dial& dial);
  void finish(DialId id, Dial& dial, Result<int> result);
  Nanoseconds back_off(const Dial& dial);
  bool is_self_connected(int fd);

  EventLoop& loop_;
  Os& os_;
  Prng prng_;
  SlotMap<Dial, DialId> dials_;
  uint64_t attempts_ = 0;
};

}  // namespace ae
