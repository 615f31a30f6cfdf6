// Wakes a loop that sleeps, and costs no system call when it does not.
//
// A wake is a write to an eventfd: a system call here, and another loop turn there. A loop under
// load hardly ever sleeps, so the one who has work for it asks first. Asking is where the classic
// bug lies:
//
//     producer                              loop
//     put work into the queue               sleeping = true
//     if (sleeping) write the eventfd       if (queue empty) wait
//
// Written with plain loads and stores, both sides store one variable and then load the other, and
// each processor may let its own load overtake its own store (it sits in the store buffer): the
// producer reads "not sleeping", the loop reads "empty", and the work lies there until some other
// event comes by. So there are not two variables here but one, and each side changes it by an
// atomic exchange, which reads the latest value there is:
//
//              notify()                    notify(): writes the eventfd
//     kAwake ------------> kNotified <------------------ kSleeping
//        |  ^                  |                            ^  |
//        |  +------------------+   wake_up()                |  |
//        |  +----------------------------------------------+--+
//        +--------------------------------------------------+   try_sleep()
//
//  - A notify() before the loop's try_sleep() makes that fail: the loop does not wait this time.
//  - A notify() after it finds kSleeping and writes the eventfd.
//  - The exchange orders: work put somewhere before notify() is visible after the wake_up() that
//  takes
//    the notification. So the loop must look for work after wake_up(), which the tick's order
//    gives.
//
// Thread: notify() any, also a signal handler; the others the loop's.
#pragma once

#include <atomic>
#include <cstdint>

#include "ae/core/os.h"

namespace ae {

class WakeGate {
 public:
  // `waker` comes from os.create_waker() and stays the caller's.
  WakeGate(Os& os, int waker) : os_(os), waker_(waker) {}

  void notify() {
    if (state_.exchange(kNotified, std::memory_order_acq_rel) == kSleeping) os_.wake(waker_);
  }

  // False: somebody notified since wake_up(), so do not wait.
  bool try_sleep() {
    uint8_t expected = kAwake;
    return state_.compare_exchange_strong(expected, kSleeping, std::memory_order_acq_rel);
  }
  void wake_up() { state_.exchange(kAwake, std::memory_order_acq_rel); }

 private:
  static constexpr uint8_t kAwake = 0, kSleeping = 1, kNotified = 2;
  static_assert(std::atomic<uint8_t>::is_always_lock_free, "notify() may run in a signal handler");

  std::atomic<uint8_t> state_{kAwake};
  Os& os_;
  int waker_;
};

}  // namespace ae
