#include "server/persist/file_worker.h"

#include <pthread.h>
#include <csignal>

#include <utility>

namespace millrace {
namespace {

// Signals are the loop's: a thread started here inherits a mask that blocks them.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

FileThread::~FileThread() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void FileThread::run(ae::Callback<void()> job) {
  if (!thread_.joinable()) {
    const BlockedSignals blocked;
    thread_ = std::thread([this] { body(); });
    pthread_setname_np(thread_.native_handle(), "files");
  }
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  changed_.notify_all();
}

void FileThread::drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return jobs_.empty() && !busy_; });
}

void FileThread::body() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    ae::Callback<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    busy_ = true;
    lock.unlock();
    job();
    job = nullptr;  // what it owns ends here too
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace millrace
