// Which calls of the program go wrong, and how.
//
// Every call that the program makes on SimOs and SimPoller asks the plan first. The plan counts
// calls per kind, so "the third read fails with ECONNRESET" is one line, and a sweep over n is a
// loop: run the scenario with the nth call failing, for n = 1, 2, ... until the scenario makes
// fewer than n.
//
// What an injected fault means is kept truthful, so that a program that fails under it would fail
// on a kernel too:
//  - an errno that kills a connection (ECONNRESET, EPIPE, ETIMEDOUT ...) kills the simulated one;
//  - kWouldBlock and kShort leave the bytes where they are, and edge-triggered pollers report the
//    descriptor again, as a kernel does when bytes arrive in between;
//  - kInterrupted (EINTR) is repeated inside the Os, whose callers never see it, and costs a second
//    call in the count; for a wait it is a return with no events;
//  - an error of accept that is the connection's own (ECONNABORTED, EPROTO) takes it from the
//    backlog, one of the process or machine (EMFILE, ENOMEM) leaves it there.
//
// Thread: one. Example:
//
//   os.faults().nth(CallKind::kRead, 3, Fault::of_errno(ECONNRESET))
//              .every(CallKind::kWrite, Fault::of_short(1));
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ae/base/prng.h"

namespace ae::sim {

// The calls of Os and Poller. writev counts as kWrite: which of the two a program uses is its
// affair.
enum class CallKind : uint8_t {
  kSocket,
  kBind,
  kListen,
  kAccept,
  kConnect,
  kPendingError,
  kRead,
  kWrite,
  kShutdownWrite,
  kClose,
  kSetOption,
  kGetOption,
  kLocalAddress,
  kPeerAddress,
  kCreateWaker,
  kWake,
  kDrainWaker,
  kReserve,
  kPollAdd,
  kPollModify,
  kPollRemove,
  kPollWait,
};
inline constexpr size_t kCallKinds = size_t(CallKind::kPollWait) + 1;
std::string_view name(CallKind kind);

struct Fault {
  enum class Kind : uint8_t { kNone, kErrno, kWouldBlock, kShort, kInterrupted };
  Kind kind = Kind::kNone;
  int error = 0;     // kErrno
  size_t bytes = 0;  // kShort: at most this many are transferred, at least one

  static Fault of_errno(int error) { return {Kind::kErrno, error, 0}; }
  static Fault would_block() { return {Kind::kWouldBlock, 0, 0}; }
  static Fault of_short(size_t bytes) { return {Kind::kShort, 0, bytes}; }
  static Fault interrupted() { return {Kind::kInterrupted, 0, 0}; }
  bool none() const { return kind == Kind::kNone; }
};
// "ECONNRESET", "would block", "short 3"
std::string describe(const Fault& fault);

// The faults that Linux documents for this call, the ones a sweep goes through. Empty where the
// call cannot fail (close, wake).
std::span<const Fault> documented_faults(CallKind kind);

class FaultPlan {
 public:
  // Calls are counted from 1. Rules are asked in the order they were made; the first that applies
  // wins.
  FaultPlan& nth(CallKind kind, uint64_t n, Fault fault) { return range(kind, n, n, fault); }
  FaultPlan& from(CallKind kind, uint64_t n, Fault fault) {
    return range(kind, n, kForever, fault);
  }
  FaultPlan& every(CallKind kind, Fault fault) { return range(kind, 1, kForever, fault); }
  // The next `times` calls of this kind.
  FaultPlan& next_calls(CallKind kind, uint64_t times, Fault fault) {
    return range(kind, calls(kind) + 1, calls(kind) + times, fault);
  }
  // From now on each call of these kinds draws: with `per_mille` in a thousand, one of its
  // documented faults. The same seed and the same calls give the same faults.
  FaultPlan& at_random(uint64_t seed, unsigned per_mille, const std::vector<CallKind>& kinds);
  // No more faults; the counts stay.
  void clear();

  // Counts one call and says what happens to it.
  Fault next(CallKind kind);

  uint64_t calls(CallKind kind) const { return calls_[size_t(kind)]; }
  uint64_t calls() const;
  uint64_t injected() const { return injected_; }
  void reset_counts() { calls_.fill(0); }

 private:
  static constexpr uint64_t kForever = ~uint64_t{0};
  struct Rule {
    CallKind kind;
    uint64_t first, last;
    Fault fault;
  };
  FaultPlan& range(CallKind kind, uint64_t first, uint64_t last, Fault fault);
  Fault draw(CallKind kind);

  std::vector<Rule> rules_;
  std::array<uint64_t, kCallKinds> calls_{};
  uint64_t injected_ = 0;
  Prng random_{0};
  unsigned per_mille_ = 0;
  std::array<bool, kCallKinds> random_kinds_{};
};

}  // namespace ae::sim
