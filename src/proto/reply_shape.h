// Does a handler write as many elements as it announced? Debug builds count; release builds carry
// an empty object whose functions do nothing.
//
// A reply is a tree written from left to right. The shape is the path to the place where the next
// element goes: how many elements each open aggregate still lacks. An aggregate whose count is not
// known yet (DeferredLength) counts upwards instead.
#pragma once

#include <cstddef>
#include <vector>

#include "ae/base/assert.h"

namespace proto {

#ifdef NDEBUG

class ReplyShape {
 public:
  void element() {}
  void open(size_t) {}
  void open_attribute(size_t) {}
  void open_deferred() {}
  void close_deferred(size_t) {}
  bool complete() const { return true; }
};

#else

class ReplyShape {
 public:
  // One element that is not an aggregate, or a whole one.
  void element() {
    if (open_.empty()) return;
    ++open_.back().written;
    close_full();
  }

  void open(size_t elements) {
    open_.push_back({elements, 0});
    close_full();
  }

  // Attributes stand before an element and are none themselves.
  void open_attribute(size_t elements) {
    if (elements > 0) open_.push_back({elements, 0, Counts::kForNobody});
  }

  void open_deferred() { open_.push_back({kUnknown, 0}); }

  void close_deferred(size_t elements) {
    AE_ASSERT(!open_.empty() && open_.back().announced == kUnknown);
    AE_ASSERT(open_.back().written == elements);
    open_.back().announced = elements;
    close_full();
  }

  // Every aggregate that was opened has all its elements.
  bool complete() const { return open_.empty(); }

 private:
  static constexpr size_t kUnknown = ~size_t{0};
  enum class Counts : unsigned char { kForParent, kForNobody };

  struct Aggregate {
    size_t announced;
    size_t written;
    Counts counts = Counts::kForParent;
  };

  // A full aggregate is itself an element of the one around it.
  void close_full() {
    while (!open_.empty() && open_.back().written == open_.back().announced) {
      const Counts counts = open_.back().counts;
      open_.pop_back();
      if (counts == Counts::kForNobody) return;
      if (!open_.empty()) ++open_.back().written;
    }
  }

  std::vector<Aggregate> open_;
};

#endif

}  // namespace proto
