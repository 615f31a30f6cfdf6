// A second stack to run something on, which can be left in the middle and entered again where it
// was left.
//
//   Fiber fiber;
//   fiber.start([&] { ...; fiber.leave(); ...; });   // false: it has left
//   fiber.resume();                                  // true: it has ended
//
// What runs there is ordinary code on the same thread: it may call anything, and exceptions work as
// long as none comes out of it. While it is away, everything on its stack lives on, so whoever may
// change what it refers to must know (script_stage.h).
//
// Cost of a switch: the six registers that the System V ABI of x86-64 lets a function rely on, some
// two nanoseconds. Elsewhere swapcontext does it, with a system call. The stack is address space
// until it is touched.
//
// Thread: one. AddressSanitizer and ThreadSanitizer are told of every switch.
#pragma once

#include <cstddef>

#include "ae/base/callback.h"

#if !defined(__x86_64__)
#define MILLRACE_FIBER_UCONTEXT 1
#include <ucontext.h>
#endif

namespace millrace {

class Fiber {
 public:
  // As much as the main thread has: what runs here used to run there.
  static constexpr size_t kStackBytes = size_t{8} << 20;

  Fiber();
  // Nothing may be away.
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // True: the work has ended; false: it has left. One work at a time.
  bool start(ae::Callback<void()> work);
  // Goes on behind leave(). As start().
  bool resume();
  // From within the work.
  void leave();
  bool is_away() const { return away_; }

 private:
  struct Side {
#ifdef MILLRACE_FIBER_UCONTEXT
    ucontext_t context;
#else
    void* stack_pointer = nullptr;
#endif
    const void* bottom = nullptr;  // of its stack: for the sanitizers
    size_t size = 0;
    void* sanitizer_state = nullptr;  // AddressSanitizer's fake stack, ThreadSanitizer's fiber
  };

  static void entry();
  void prepare();
  [[noreturn]] void serve();
  bool enter();
  void cross(Side& from, Side& to);

  std::byte* stack_ = nullptr;  // the guard page first
  Side outside_, inside_;
  ae::Callback<void()> work_;
  bool away_ = false;
};

}  // namespace millrace
