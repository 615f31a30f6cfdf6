#include "server/command/fiber.h"

#include <sys/mman.h>
#include <utility>

#include "ae/base/assert.h"

#if defined(__SANITIZE_ADDRESS__)
#define MILLRACE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MILLRACE_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define MILLRACE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MILLRACE_TSAN 1
#endif
#endif

#ifdef MILLRACE_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef MILLRACE_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#ifndef MILLRACE_FIBER_UCONTEXT
// Saves what a caller expects to find again, leaves the stack pointer in *saved, and returns to
// whoever did the same on the other stack.
extern "C" void millrace_cross_stacks(void** saved, void* other);
asm(R"(
.text
.globl millrace_cross_stacks
.hidden millrace_cross_stacks
.type millrace_cross_stacks,@function
millrace_cross_stacks:
  endbr64
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size millrace_cross_stacks,.-millrace_cross_stacks
)");
#endif

namespace millrace {
namespace {

constexpr size_t kGuardBytes = 4096;

// Who is entered for the first time: an entry function has no arguments.
thread_local Fiber* entered = nullptr;

}  // namespace

Fiber::Fiber() {
  void* memory = mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  AE_ASSERT(memory != MAP_FAILED);
  stack_ = static_cast<std::byte*>(memory);
  AE_ASSERT(mprotect(stack_, kGuardBytes, PROT_NONE) == 0);
  inside_.bottom = stack_ + kGuardBytes;
  inside_.size = kStackBytes;
  prepare();
#ifdef MILLRACE_TSAN
  inside_.sanitizer_state = __tsan_create_fiber(0);
  outside_.sanitizer_state = __tsan_get_current_fiber();
#endif
}

Fiber::~Fiber() {
  AE_ASSERT(!away_);
#ifdef MILLRACE_TSAN
  __tsan_destroy_fiber(inside_.sanitizer_state);
#endif
#ifdef MILLRACE_ASAN
  // Frames that never returned have left their red zones, for whoever gets this memory next.
  __asan_unpoison_memory_region(inside_.bottom, inside_.size);
#endif
  munmap(stack_, kGuardBytes + kStackBytes);
}

// The first crossing "returns" to entry(), on an empty stack.
void Fiber::prepare() {
#ifdef MILLRACE_FIBER_UCONTEXT
  getcontext(&inside_.context);
  inside_.context.uc_stack.ss_sp = stack_ + kGuardBytes;
  inside_.context.uc_stack.ss_size = kStackBytes;
  inside_.context.uc_link = nullptr;
  makecontext(&inside_.context, &Fiber::entry, 0);
#else
  // From the top, which is a multiple of 16: where entry() would return to, its own address, and
  // six registers. A function begins with its stack pointer eight bytes below such a multiple.
  auto** top = reinterpret_cast<void**>(stack_ + kGuardBytes + kStackBytes);
  top[-1] = nullptr;
  top[-2] = reinterpret_cast<void*>(&Fiber::entry);
  for (int i = 3; i <= 8; ++i) top[-i] = nullptr;
  inside_.stack_pointer = &top[-8];
#endif
}

void Fiber::entry() {
  Fiber* self = entered;
#ifdef MILLRACE_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &self->outside_.bottom, &self->outside_.size);
#endif
  self->serve();
}

// The stack outlives the works that run on it, one after the other.
void Fiber::serve() {
  while (true) {
    work_();
    work_ = nullptr;
    away_ = false;
    cross(inside_, outside_);
  }
}

bool Fiber::start(ae::Callback<void()> work) {
  AE_ASSERT(!away_);
  work_ = std::move(work);
  return enter();
}

bool Fiber::resume() {
  AE_ASSERT(away_);
  return enter();
}

bool Fiber::enter() {
  away_ = true;  // unless it ends
  entered = this;
  cross(outside_, inside_);
  return !away_;
}

void Fiber::leave() {
  cross(inside_, outside_);
}

void Fiber::cross(Side& from, Side& to) {
#ifdef MILLRACE_ASAN
  __sanitizer_start_switch_fiber(&from.sanitizer_state, to.bottom, to.size);
#endif
#ifdef MILLRACE_TSAN
  __tsan_switch_to_fiber(to.sanitizer_state, 0);
#endif
#ifdef MILLRACE_FIBER_UCONTEXT
  swapcontext(&from.context, &to.context);
#else
  millrace_cross_stacks(&from.stack_pointer, to.stack_pointer);
#endif
#ifdef MILLRACE_ASAN
  __sanitizer_finish_switch_fiber(from.sanitizer_state, &to.bottom, &to.size);
#endif
}

}  // namespace millrace
