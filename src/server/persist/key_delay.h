// A pause after each key, so that a test, or somebody who tries things out, can meet a snapshot
// while it is being written (rdb-key-save-delay) or loaded (key-load-delay): microseconds, or -N
// for one microsecond after each N-th key. 0, the default, is none.
//
// It stops its thread: a child's, or for its slice of loading the loop's, as is its purpose.
#pragma once

#include <cstdint>
#include <ctime>

namespace millrace {

class KeyDelay {
 public:
  explicit KeyDelay(int64_t microseconds = 0) : us_(microseconds) {}

  void after_key() {
    if (us_ != 0) [[unlikely]]
      pause();
  }

 private:
  void pause() {
    if (us_ < 0 && ++keys_ % -us_ != 0) return;
    const int64_t us = us_ < 0 ? 1 : us_;
    const timespec time{.tv_sec = us / 1'000'000, .tv_nsec = us % 1'000'000 * 1000};
    nanosleep(&time, nullptr);  // a signal ends it early, and the process soon after
  }

  int64_t us_;
  int64_t keys_ = 0;
};

}  // namespace millrace
