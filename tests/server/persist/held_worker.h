// A worker whose jobs run when the test says so: a disk that takes its time.
#pragma once

#include <deque>
#include <utility>

#include "server/persist/file_worker.h"

namespace millrace::fakes {

class HeldWorker final : public FileWorker {
 public:
  void run(ae::Callback<void()> job) override { jobs_.push_back(std::move(job)); }
  void drain() override { run_all(); }

  size_t waiting() const { return jobs_.size(); }
  void run_all() {
    while (!jobs_.empty()) {
      ae::Callback<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      job();
    }
  }

 private:
  std::deque<ae::Callback<void()>> jobs_;
};

}  // namespace millrace::fakes
