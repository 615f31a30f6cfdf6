// Descriptors held for later: while the process has no free number, who lends one from here still
// gets in.
//
// A limit on descriptors (RLIMIT_NOFILE) is a limit on numbers. Holding some open is the only way
// to be sure of them: a count kept aside by calculation is gone when something else, a library or a
// log, has opened what nobody counted.
//
//   ae::DescriptorReserve reserve(os);
//   reserve.hold(16);                  // at the start, when there are plenty
//   reserve.lend();                    // frees one number ...
//   int fd = *os.accept(listener);     // ... which this call gets, on the same thread
//   reserve.hold(15);                  // ... and once fd is closed: reserve.hold(16)
//
// Between lend() and the call another thread may take the number; a process with several threads
// that open descriptors loses one of its reserve then, until the next hold().
//
// Thread: one.
#pragma once

#include <cstddef>
#include <vector>

#include "ae/core/os.h"

namespace ae {

class DescriptorReserve {
 public:
  explicit DescriptorReserve(Os& os) : os_(os) {}
  ~DescriptorReserve() { give_back(held_.size()); }
  DescriptorReserve(const DescriptorReserve&) = delete;
  DescriptorReserve& operator=(const DescriptorReserve&) = delete;

  // Holds this many, as far as the process gets them; returns how many it holds.
  size_t hold(size_t count) {
    if (held_.size() > count) give_back(held_.size() - count);
    while (held_.size() < count) {
      const Result<int> fd = os_.reserve_descriptor();
      if (!fd) break;
      held_.push_back(*fd);
    }
    return held_.size();
  }
  // Frees one. False: none is held.
  bool lend() {
    if (held_.empty()) return false;
    give_back(1);
    return true;
  }
  size_t held() const { return held_.size(); }

 private:
  void give_back(size_t count) {
    for (; count > 0; --count) {
      os_.close(held_.back());
      held_.pop_back();
    }
  }

  Os& os_;
  std::vector<int> held_;
};

}  // namespace ae
