#include "server/observe/load_meter.h"

#include <algorithm>

#include "ae/core/tick_account.h"

namespace millrace {

double LoadMeter::Recent::percent_of_elapsed(ae::Nanoseconds part) const {
  if (elapsed.count() == 0) return 0;
  return std::min(100.0, 100 * double(part.count()) / double(elapsed.count()));
}

void LoadMeter::sample(std::span<const LoopView> loops, ae::TimePoint now) {
  const size_t slot = taken_++ % kSamples;
  times_[slot] = now;
  for (const LoopView& loop : loops) {
    if (loop.number >= loops_.size()) loops_.resize(loop.number + 1);
    const ae::TickAccount& account = *loop.account;
    loops_[loop.number][slot] = {account.ticks(), account.useful(), account.busy()};
  }
}

LoadMeter::Recent LoadMeter::recent(size_t number) const {
  if (taken_ < 2 || number >= loops_.size()) return {};
  const size_t newest = (taken_ - 1) % kSamples;
  const size_t oldest = taken_ < kSamples ? 0 : taken_ % kSamples;
  const Sample& from = loops_[number][oldest];
  const Sample& to = loops_[number][newest];
  if (to.ticks < from.ticks) return {};
  return {.ticks = to.ticks - from.ticks,
          .useful = to.useful - from.useful,
          .busy = to.busy - from.busy,
          .elapsed = times_[newest] - times_[oldest]};
}

}  // namespace millrace
