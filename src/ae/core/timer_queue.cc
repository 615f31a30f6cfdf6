#include "ae/core/timer_queue.h"

#include <algorithm>
#include <utility>

#include "ae/base/assert.h"

namespace ae {

TimerId TimerQueue::add(TimePoint deadline, Nanoseconds interval, Callback<void()> callback) {
  AE_ASSERT(callback && interval >= Nanoseconds::zero());
  const TimerId id = timers_.emplace(std::move(callback), interval, size_t{0});
  push(deadline, id.slot);
  return id;
}

bool TimerQueue::cancel(TimerId id) {
  Timer* timer = timers_.find(id);
  if (timer == nullptr) return false;
  // A periodic timer is out of the heap while its callback runs.
  if (timer->position != kRunning) remove_at(timer->position);
  return timers_.erase(id);
}

std::optional<TimePoint> TimerQueue::next_deadline() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().deadline;
}

size_t TimerQueue::run_due(TimePoint now) {
  const uint32_t first_new_order = next_order_;
  size_t ran = 0;
  while (ran < kMaxRunsPerTick && !heap_.empty() && heap_.front().deadline <= now) {
    // Whatever a callback added is due `now` at the earliest (EventLoop sees to that), so it sorts
    // behind everything that was due before: once one of them is at the top, we are done.
    if (static_cast<int32_t>(heap_.front().order - first_new_order) >= 0) break;
    run_top(now);
    ++ran;
  }
  return ran;
}

// The callback is moved out for its run: it may cancel its own timer, and then the record is gone
// under its feet.
void TimerQueue::run_top(TimePoint now) {
  const Node top = heap_.front();
  const TimerId id = timers_.id_of(top.slot);
  Timer& timer = timers_.at(top.slot);
  Callback<void()> callback = std::move(timer.callback);
  const Nanoseconds interval = timer.interval;
  remove_at(0);
  if (interval == Nanoseconds::zero()) {
    timers_.erase(id);
    return callback();
  }
  timer.position = kRunning;
  callback();
  Timer* alive = timers_.find(id);
  if (alive == nullptr) return;
  alive->callback = std::move(callback);
  TimePoint next = top.deadline + interval;
  if (next <= now) next = now + interval;
  push(next, id.slot);
}

void TimerQueue::push(TimePoint deadline, uint32_t slot) {
  heap_.emplace_back();
  sift_up(heap_.size() - 1, Node{deadline, slot, next_order_++});
}

// The last node takes the hole, then goes to where it belongs, up or down.
void TimerQueue::remove_at(size_t position) {
  const Node last = heap_.back();
  heap_.pop_back();
  if (position == heap_.size()) return;
  const bool rises = position > 0 && before(last, heap_[(position - 1) / kChildren]);
  rises ? sift_up(position, last) : sift_down(position, last);
}

void TimerQueue::place(size_t position, Node node) {
  heap_[position] = node;
  timers_.at(node.slot).position = position;
}

void TimerQueue::sift_up(size_t position, Node node) {
  while (position > 0) {
    const size_t parent = (position - 1) / kChildren;
    if (!before(node, heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, node);
}

void TimerQueue::sift_down(size_t position, Node node) {
  while (position * kChildren + 1 < heap_.size()) {
    const size_t child = first_child(position);
    if (!before(heap_[child], node)) break;
    place(position, heap_[child]);
    position = child;
  }
  place(position, node);
}

// The child that is due first.
size_t TimerQueue::first_child(size_t parent) const {
  const size_t begin = parent * kChildren + 1;
  const size_t end = std::min(begin + kChildren, heap_.size());
  size_t first = begin;
  for (size_t child = begin + 1; child < end; ++child) {
    if (before(heap_[child], heap_[first])) first = child;
  }
  return first;
}

}  // namespace ae
