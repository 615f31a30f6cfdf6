#include "ae/core/tick_account.h"

#include <algorithm>

namespace ae {

// --- the tick

void TickAccount::sleep(TimePoint now, std::optional<Nanoseconds> timeout) {
  tick_.of(phase_) += now - mark_;
  worked_ |= noted_;
  slept_at_ = now;
  timeout_ = timeout;
  // What came before the first wait is the making of the program, and no tick.
  if (std::exchange(begun_, true)) close_tick();
}

void TickAccount::wake(TimePoint now, int64_t unix_us) {
  const Nanoseconds waited = now - slept_at_;
  tick_ = {};
  tick_.woke_unix_us = unix_us;
  if (timeout_ == Nanoseconds::zero() || waited < kShortestSleep) {
    tick_.of(Phase::kPoll) = waited;
  } else {
    idle_ns_ += uint64_t(waited.count());
    if (timeout_ && waited > *timeout_) tick_.late = waited - *timeout_;
    if (tick_.late > Nanoseconds::zero()) late_.record(tick_.late);
  }
  mark_ = now;
  phase_ = Phase::kRead;
  noted_ = worked_ = false;
  inputs_ = 0;
}

void TickAccount::pass(Phase next, size_t work) {
  tick_.work[size_t(phase_)] += uint32_t(work);
  noted_ |= work > 0;
  const bool runs_what_was_read = phase_ == Phase::kRun && tick_.work_of(Phase::kRead) > 0;
  if (noted_ || (runs_what_was_read && !stamped_)) stamp();
  stamped_ = false;
  phase_ = next;
}

void TickAccount::stamp() {
  const TimePoint now = clock_.now();
  tick_.of(phase_) += now - mark_;
  mark_ = now;
  stamped_ = true;
  worked_ |= std::exchange(noted_, false);
}

void TickAccount::close_tick() {
  settle_estimate();
  tick_.total = {};
  for (const Nanoseconds time : tick_.time) tick_.total += time;
  all_.record(tick_.total);
  if (worked_) {
    ++useful_ticks_;
    useful_ns_ += uint64_t((tick_.total - tick_.of(Phase::kPoll)).count());
  }
  for (size_t i = 0; i < kPhases; ++i) {
    if (tick_.time[i] > Nanoseconds::zero()) by_phase_[i].record(tick_.time[i]);
  }
  if (long_tick_ == Nanoseconds::zero() || tick_.total + tick_.late < long_tick_) return;
  if (on_long_tick_) on_long_tick_(tick_);
}

void TickAccount::on_long_tick(Nanoseconds threshold, Callback<void(const TickRecord&)> callback) {
  long_tick_ = threshold;
  on_long_tick_ = std::move(callback);
}

// --- parsing, a part of reading

void TickAccount::settle_estimate() {
  const Nanoseconds moved = std::min(parse_estimate_, tick_.of(Phase::kRead));
  tick_.of(Phase::kRead) -= moved;
  tick_.of(Phase::kParse) += moved;
  parse_estimate_ = {};
}

void InputScope::begin(size_t bytes) {
  timed_ = true;
  stands_for_others_ = bytes < kAlwaysTimedBytes && account_.phase_ == Phase::kRead;
  before_ = account_.enter(Phase::kParse);
  parsed_before_ = account_.tick_.of(Phase::kParse);
}

void InputScope::end() {
  account_.enter(before_);
  if (!stands_for_others_) return;
  const Nanoseconds parsed = account_.tick_.of(Phase::kParse) - parsed_before_;
  account_.parse_estimate_ += parsed * (kSampleEvery - 1);
}

}  // namespace ae
