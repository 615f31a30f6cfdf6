#include "ae/threads/loop_thread.h"

#include <pthread.h>
#include <signal.h>

#include <utility>

#include "ae/base/assert.h"

namespace ae {
namespace {

// The kernel refuses longer thread names instead of cutting them.
constexpr size_t kMaxThreadName = 15;

// A thread begins with the mask of the one that starts it. Signals are for a loop that watches them
// (core/signals.h); one that a loop thread took would have its default action, and end the process.
// Those of a fault stay with whoever made it.
class SignalsHeldBack {
 public:
  SignalsHeldBack() {
    sigset_t held_back;
    sigfillset(&held_back);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS})
      sigdelset(&held_back, fault);
    pthread_sigmask(SIG_BLOCK, &held_back, &before_);
  }
  ~SignalsHeldBack() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeldBack(const SignalsHeldBack&) = delete;
  SignalsHeldBack& operator=(const SignalsHeldBack&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

Result<std::unique_ptr<LoopThread>> LoopThread::start(LoopThreadOptions options) {
  const SignalsHeldBack inherited;
  std::unique_ptr<LoopThread> thread(new LoopThread(std::move(options)));
  thread->ready_.acquire();
  if (!thread->created_) return fail(thread->created_.error());
  return thread;
}

LoopThread::LoopThread(LoopThreadOptions options)
    : options_(std::move(options)), thread_([this] { body(); }) {}

LoopThread::~LoopThread() {
  stop();
  join();
}

void LoopThread::body() {
  ::pthread_setname_np(::pthread_self(), options_.name.substr(0, kMaxThreadName).c_str());
  Result<std::unique_ptr<EventLoop>> loop = EventLoop::create(std::move(options_.loop));
  if (!loop) {
    created_ = fail(loop.error());
    return ready_.release();
  }
  loop_ = std::move(*loop);
  if (options_.on_start) options_.on_start(*loop_);
  ready_.release();
  loop_->run();
  if (options_.on_stop) options_.on_stop(*loop_);
}

void LoopThread::hold() {
  const bool posted = loop_->post([this] {
    stands_.release();
    may_go_on_.acquire();
  });
  AE_ASSERT(posted);
  stands_.acquire();
}

void LoopThread::call(Callback<void()> task) {
  const bool posted = loop_->post([this, task = std::move(task)]() mutable {
    task();
    stands_.release();
  });
  AE_ASSERT(posted);
  stands_.acquire();
}

void LoopThread::stop() {
  if (loop_ != nullptr) loop_->stop();
}

void LoopThread::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace ae
