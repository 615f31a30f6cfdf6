// Several keys of one command, looked up together: all hashed, all their buckets fetched, then all
// their entries, so that the cache misses of an MGET overlap instead of queueing.
//
//   KeyBatch keys(c, 1);                     // every argument from 1 on; or with a step of 2 for
//   MSET for (size_t i = 0; i < keys.size(); ++i) ... c.read(keys[i]) ...
//
// Works in windows of kWindow keys, so it needs no memory however many keys there are. Visit them
// in order.
#pragma once

#include <array>
#include <cstddef>

#include "server/command/context.h"

namespace millrace {

class KeyBatch {
 public:
  // Lines in flight at once; a core has ten to sixteen fill buffers, and beyond two rounds of them
  // fetched lines start to push each other out.
  static constexpr size_t kWindow = 32;

  KeyBatch(Context& context, size_t first, size_t step = 1)
      : KeyBatch(context, first, context.arg_count() - 1, step) {}
  // Positions first, first + step ... up to and including `last`.
  KeyBatch(Context& context, size_t first, size_t last, size_t step)
      : context_(context), first_(first), step_(step), size_((last - first) / step + 1) {}

  size_t size() const { return size_; }
  size_t position(size_t i) const { return first_ + i * step_; }
  Key operator[](size_t i) {
    if (i / kWindow != window_) load(i / kWindow);
    return {context_.arg(position(i)), hashes_[i % kWindow]};
  }

 private:
  void load(size_t window) {
    window_ = window;
    const size_t begin = window * kWindow;
    const size_t end = begin + kWindow < size_ ? begin + kWindow : size_;
    const Keyspace& db = context_.db();
    for (size_t i = begin; i < end; ++i) {
      hashes_[i - begin] = context_.key(position(i)).hash;
      db.prefetch_bucket(hashes_[i - begin]);
    }
    for (size_t i = begin; i < end; ++i) db.prefetch_entry(hashes_[i - begin]);
  }

  Context& context_;
  size_t first_, step_, size_;
  size_t window_ = SIZE_MAX;
  std::array<uint64_t, kWindow> hashes_;
};

}  // namespace millrace
