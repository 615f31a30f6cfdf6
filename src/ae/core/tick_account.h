// Where a loop's time goes: by phase of the tick, and what filled the long ones.
//
// A tick, here, runs from the moment the loop wakes to the next wait. Its time belongs to the phase
// it was spent in:
//
//   poll     the wait that began it, if that did not sleep. By completions (io_uring) the kernel
//            sends and receives in there
//   read     file events: accept, read
//   parse    ... of that, on_data: what a protocol makes of the bytes (see InputScope)
//   run      after-events hooks: what was read runs as one batch
//   write    replies leave, wherever in the tick that is; before-sleep hooks; changes of interest
//   mailbox  tasks of other threads
//   timers
//   reap     closings
//
// Useful time is that of ticks in which a phase had work: events, tasks, timers, closings, or
// anything a hook has reported by note_work(). A tick that found nothing counts as busy and not as
// useful, and so does poll.
//
//   busy + idle = the time since the loop was made;  useful <= busy
//
// Sleeping is told from the system call by its length: the call alone takes less than
// kShortestSleep, and falling asleep and waking takes more. A wait with a timeout of zero never
// sleeps. What a wait lasts beyond its timeout is `late`: the machine did not give the processor
// back in time. It counts as idle (nothing ran) and is told with the tick it delayed.
//
// Cost. The clock is read at the end of a phase that had work and not of others: an idle tick reads
// it as often as without an account, one that serves requests three times more (the end of read and
// both ends of the flush), 25 to 60 ns each from the vDSO; beside that, an addition to a histogram
// per phase. No allocation and no system call; tests/ae/core/tick_account_test.cc counts the reads
// and tests/server/request_cost_test.cc the rest.
//
// Thread: the loop's, but for what is marked. Example:
//
//   const ae::TickAccount& account = loop->account();
//   double load = double(account.useful().count()) / double(account.elapsed().count());
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "ae/base/callback.h"
#include "ae/base/clock.h"
#include "ae/base/histogram.h"
#include "ae/base/tally.h"

namespace ae {

// In the order of the tick.
enum class Phase : uint8_t { kPoll, kRead, kParse, kRun, kMailbox, kTimers, kReap, kWrite };
inline constexpr size_t kPhases = 8;
inline constexpr std::string_view kPhaseNames[kPhases] = {"poll",    "read",   "parse", "run",
                                                          "mailbox", "timers", "reap",  "write"};

// One tick.
struct TickRecord {
  int64_t woke_unix_us = 0;
  Nanoseconds total{0};  // of all phases
  Nanoseconds late{0};   // before it: not in the total
  std::array<Nanoseconds, kPhases> time{};
  std::array<uint32_t, kPhases> work{};  // file events, tasks, timers, closings

  Nanoseconds& of(Phase phase) { return time[size_t(phase)]; }
  Nanoseconds of(Phase phase) const { return time[size_t(phase)]; }
  uint32_t work_of(Phase phase) const { return work[size_t(phase)]; }
};

class TickAccount {
 public:
  // epoll_wait that finds something returns within a microsecond; two switches of context take
  // longer than this, wherever they were measured.
  static constexpr Nanoseconds kShortestSleep = Microseconds(2);

  // 1/8 exact, and read by other threads.
  using Durations = Histogram<3, Tally>;

  explicit TickAccount(Clock& clock) : clock_(clock), mark_(clock.now()), slept_at_(mark_) {}
  TickAccount(const TickAccount&) = delete;
  TickAccount& operator=(const TickAccount&) = delete;

  // --- for the loop
  // Before the wait: ends the tick.
  void sleep(TimePoint now, std::optional<Nanoseconds> timeout);
  // Behind it: a tick begins.
  void wake(TimePoint now, int64_t unix_us);
  // The phase under way ends, having done so much; the next begins.
  void pass(Phase next, size_t work);

  // --- for hooks and handlers
  // What comes belongs to `phase`; returns the phase it was. See PhaseScope.
  Phase enter(Phase phase) {
    if (phase == phase_) return phase;
    stamp();
    return std::exchange(phase_, phase);
  }
  // This phase had work that the loop does not see: a hook found something in its queue. Without it
  // the hook's time goes to the phase that follows and may not count as useful.
  void note_work() { noted_ = true; }
  // Called at the end of each tick of at least `threshold`, counting `late`. From within the loop's
  // wait phase: it may look at anything and change nothing of the loop. Zero: never.
  void on_long_tick(Nanoseconds threshold, Callback<void(const TickRecord&)> callback);
  void set_long_tick(Nanoseconds threshold) { long_tick_ = threshold; }

  // --- any thread
  uint64_t ticks() const { return all_.total(); }
  uint64_t useful_ticks() const { return useful_ticks_; }
  Nanoseconds useful() const { return nanoseconds(useful_ns_); }
  Nanoseconds busy() const { return all_.sum(); }
  Nanoseconds idle() const { return nanoseconds(idle_ns_); }
  Nanoseconds elapsed() const { return busy() + idle(); }
  // Of all ticks; and of those in which the phase took any time.
  const Durations& durations() const { return all_; }
  const Durations& durations(Phase phase) const { return by_phase_[size_t(phase)]; }
  // Waits that came back late, by how much.
  const Durations& lateness() const { return late_; }

 private:
  friend class InputScope;

  static Nanoseconds nanoseconds(uint64_t count) { return Nanoseconds(int64_t(count)); }
  void stamp();
  void settle_estimate();
  void close_tick();

  Clock& clock_;
  TimePoint mark_;  // up to here time is accounted for
  TimePoint slept_at_;
  std::optional<Nanoseconds> timeout_ = Nanoseconds::zero();
  Phase phase_ = Phase::kWrite;
  bool begun_ = false;    // the first wait has been
  bool noted_ = false;    // since the last stamp
  bool stamped_ = false;  // in this phase
  bool worked_ = false;   // in this tick
  size_t inputs_ = 0;     // on_data calls of this tick
  Nanoseconds parse_estimate_{0};
  TickRecord tick_;

  Nanoseconds long_tick_{0};
  Callback<void(const TickRecord&)> on_long_tick_;

  Tally useful_ticks_ = 0, useful_ns_ = 0, idle_ns_ = 0;
  Durations all_, late_;
  std::array<Durations, kPhases> by_phase_;
};

// Time until the end of the scope belongs to a phase, what was under way goes on behind it:
//
//   ae::PhaseScope writing(loop.account(), ae::Phase::kWrite);
class PhaseScope {
 public:
  PhaseScope(TickAccount& account, Phase phase)
      : account_(account), before_(account.enter(phase)) {}
  ~PhaseScope() { account_.enter(before_); }
  PhaseScope(const PhaseScope&) = delete;
  PhaseScope& operator=(const PhaseScope&) = delete;

 private:
  TickAccount& account_;
  Phase before_;
};

// Around one on_data. Two clock reads at each would be half a percent of a small request, so only
// these are timed: pieces of kAlwaysTimedBytes, and every kSampleEvery-th of a tick, which stands
// for all of its kind. In a tick of fewer pieces parsing stays a part of read: so few small pieces
// are not what makes a tick long.
class InputScope {
 public:
  static constexpr size_t kAlwaysTimedBytes = 16 * 1024;
  static constexpr size_t kSampleEvery = 16;

  InputScope(TickAccount& account, size_t bytes) : account_(account) {
    account.note_work();
    const bool sampled = ++account.inputs_ % kSampleEvery == 0;
    if (!sampled && bytes < kAlwaysTimedBytes) return;
    begin(bytes);
  }
  ~InputScope() {
    if (timed_) end();
  }
  InputScope(const InputScope&) = delete;
  InputScope& operator=(const InputScope&) = delete;

 private:
  void begin(size_t bytes);
  void end();

  TickAccount& account_;
  bool timed_ = false;
  bool stands_for_others_ = false;
  Phase before_ = Phase::kRead;
  Nanoseconds parsed_before_{0};
};

}  // namespace ae
