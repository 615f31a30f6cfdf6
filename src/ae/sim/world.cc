#include "ae/sim/world.h"

#include <utility>

#include "ae/base/assert.h"

namespace ae::sim {

World::World(WorldOptions options) : os_(options.os), random_(options.seed) {
  auto poller =
      std::make_unique<SimPoller>(os_, agenda_, options.seed ^ 0x5eed, options.completions);
  poller_ = poller.get();
  LoopOptions loop_options;
  loop_options.clock = &clock_;
  loop_options.os = &os_;
  loop_options.poller = std::move(poller);
  loop_options.events_per_wait = options.events_per_wait;
  loop_options.mailbox_capacity = options.mailbox_capacity;
  auto loop = EventLoop::create(std::move(loop_options));
  AE_ASSERT(loop.has_value());
  loop_ = std::move(*loop);
  os_.faults().reset_counts();
}

bool World::quiet_tick() {
  const LoopStats before = loop_->stats();
  const uint64_t completions_before = completions_delivered();
  const size_t delivered = loop_->run_once(Nanoseconds::zero());
  const LoopStats& after = loop_->stats();
  return delivered == 0 && after.interest_changes == before.interest_changes &&
         after.timers_run == before.timers_run && after.mailbox_items == before.mailbox_items &&
         after.reaped == before.reaped && completions_delivered() == completions_before;
}

uint64_t World::completions_delivered() const {
  const SimCompletions* completions = poller_->completions();
  return completions == nullptr ? 0 : completions->delivered();
}

// Two quiet ticks in a row: what the first one's hooks have prepared shows in the second.
size_t World::settle() {
  size_t quiet = 0;
  for (size_t ticks = 1; ticks < kMaxTicksAtOneInstant; ++ticks) {
    quiet = quiet_tick() ? quiet + 1 : 0;
    if (quiet == 2) return ticks;
  }
  ++spins_;
  return kMaxTicksAtOneInstant;
}

void World::pass(Nanoseconds duration) {
  const TimePoint end = clock_.now() + duration;
  size_t ticks_at_this_instant = 0;
  while (clock_.now() < end) {
    const TimePoint before = clock_.now();
    loop_->run_once(end - before);
    ticks_at_this_instant = clock_.now() == before ? ticks_at_this_instant + 1 : 0;
    if (ticks_at_this_instant == kMaxTicksAtOneInstant) return note_spin(end);
  }
  settle();
}

void World::note_spin(TimePoint end) {
  ++spins_;
  clock_.advance_to(end);
}

bool World::play(const Schedule& schedule, Bytes message, SimPeer& peer) {
  if (!play_gap(schedule.gaps[0], peer)) return false;
  for (size_t i = 0; i < schedule.pieces.size(); ++i) {
    peer.send_segment(message.substr(0, schedule.pieces[i]));
    message.remove_prefix(schedule.pieces[i]);
    if (!play_gap(schedule.gaps[i + 1], peer)) return false;
  }
  return true;
}

// False: the schedule ends here.
bool World::play_gap(Gap gap, SimPeer& peer) {
  switch (gap) {
    case Gap::kTick:
      break;
    case Gap::kNothing:
      return true;
    case Gap::kTime:
      pass(Seconds(1));
      return true;
    case Gap::kInterrupted:
      faults().next_calls(CallKind::kPollWait, 1, Fault::interrupted());
      break;
    case Gap::kReadWouldBlock:
      faults().next_calls(CallKind::kRead, 1, Fault::would_block());
      break;
    case Gap::kWriteWouldBlock:
      faults().next_calls(CallKind::kWrite, 1, Fault::would_block());
      break;
    case Gap::kShortWrite:
      faults().next_calls(CallKind::kWrite, 1, Fault::of_short(1));
      break;
    case Gap::kFin:
      peer.fin();
      return false;
    case Gap::kReset:
      peer.reset();
      return false;
  }
  tick();
  return true;
}

std::string World::violations() {
  std::string text;
  const auto leftover = [&text](size_t found, size_t expected, const char* what) {
    if (found == expected) return;
    text += std::to_string(found) + " " + what + ", expected " + std::to_string(expected) + "\n";
  };
  leftover(os_.open_descriptors(), 1, "descriptors left");
  leftover(poller_->registered(), 1, "registrations in the poller left");
  leftover(loop_->watched(), 0, "registrations in the loop left");
  leftover(loop_->pending_timers(), 0, "timers left");
  leftover(spins_, 0, "instants at which the loop did not come to rest");
  if (const SimCompletions* completions = poller_->completions()) {
    leftover(completions->receives(), 0, "receives left");
    leftover(completions->sends(), 0, "sends left");
    leftover(completions->buffers_out(), 0, "provided buffers left");
  }
  for (const std::string& misuse : os_.misuses()) text += misuse + "\n";
  return text;
}

}  // namespace ae::sim
