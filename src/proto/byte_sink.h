// Where encoders write: a window [cursor, limit) of memory, and a virtual call when it is used up.
//
//   char* out = sink.reserve(12);       // inline: one compare, as long as the window lasts
//   const size_t used = encode(out);    // at most 12
//   sink.commit(used);
//
// An encoder so pays for one virtual call per buffer, not per reply, and knows nothing of where the
// bytes go: a connection's output queue, the reply bytes of a batch, a string in a test.
//
// Holds. Some headers are known only after what they head: "*<count>" before elements that are
// still being found. open_hold() marks the place; close_hold() later puts the header there and
// moves what was written since up by its length. Holds nest like brackets. A hold is an offset from
// the oldest open hold, not a pointer, so the bytes behind it may move when the sink grows; they
// only must stay together. Cost: one memmove of the body per header, some 10 GB/s, paid only where
// the count is not known beforehand.
//
// Thread: one owner. Memory belongs to the derived sink. A sink does not fail: what it may not hold
// (an output limit) is for its owner to notice between commands.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "ae/base/assert.h"

namespace proto {

class ByteSink {
 public:
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;

  // At least `size` writable bytes. Good until the next call of anything but commit().
  char* reserve(size_t size) {
    if (static_cast<size_t>(limit_ - cursor_) < size) [[unlikely]]
      grow(size);
    return cursor_;
  }

  // `size` bytes at the cursor have been written; not more than were reserved.
  void commit(size_t size) { cursor_ += size; }

  void append(std::string_view bytes) {
    if (static_cast<size_t>(limit_ - cursor_) < bytes.size()) [[unlikely]] {
      bytes.remove_prefix(fill(bytes));
      grow(bytes.size());
    }
    if (bytes.empty()) return;  // memcpy may not be given the null pointer of an empty view
    std::memcpy(cursor_, bytes.data(), bytes.size());
    cursor_ += bytes.size();
  }

  using Hold = size_t;

  Hold open_hold() {
    // A sink that has no window yet gets one: a null hold_ means that none is open.
    if (open_holds_++ == 0) hold_ = reserve(1);
    return static_cast<size_t>(cursor_ - hold_);
  }

  // Puts `header` where `hold` was opened, in front of everything written since, and closes the
  // hold. Closed in the opposite order of opening.
  void close_hold(Hold hold, std::string_view header) {
    AE_ASSERT(open_holds_ > 0);
    char* const end = reserve(header.size());
    char* const place = hold_ + hold;
    std::memmove(place + header.size(), place, static_cast<size_t>(end - place));
    std::memcpy(place, header.data(), header.size());
    cursor_ += header.size();
    if (--open_holds_ == 0) hold_ = nullptr;
  }

 protected:
  ByteSink() = default;
  ~ByteSink() = default;

  // Makes limit_ - cursor_ >= `size`. If hold_ is not null, the bytes [hold_, cursor_) are to be
  // found unbroken just before the new cursor_, and hold_ points to their new place. `size` may be
  // 0.
  virtual void grow(size_t size) = 0;

  char* cursor_ = nullptr;
  char* limit_ = nullptr;
  char* hold_ = nullptr;  // start of the oldest open hold; null: none is open

 private:
  // Uses up the window, so that a long text leaves no gap in a sink made of chunks.
  size_t fill(std::string_view bytes) {
    const auto room = static_cast<size_t>(limit_ - cursor_);
    if (room != 0) std::memcpy(cursor_, bytes.data(), room);
    cursor_ += room;
    return room;
  }

  size_t open_holds_ = 0;
};

// Into a string of its own; for tests and tools.
class StringSink final : public ByteSink {
 public:
  StringSink() { clear(); }

  // What was written so far. Good until the next write.
  std::string_view view() const {
    return {buffer_.data(), static_cast<size_t>(cursor_ - buffer_.data())};
  }

  // Hands out what was written and starts empty again. No hold may be open.
  std::string take() {
    AE_ASSERT(hold_ == nullptr);
    std::string taken(view());
    clear();
    return taken;
  }

  // Forgets what was written, keeps the memory. No hold may be open.
  void clear() {
    AE_ASSERT(hold_ == nullptr);
    cursor_ = buffer_.data();
    limit_ = buffer_.data() + buffer_.size();
  }

 private:
  static constexpr size_t kFirstBytes = 256;

  void grow(size_t size) override {
    const size_t used = view().size();
    const size_t hold_offset = hold_ == nullptr ? 0 : static_cast<size_t>(hold_ - buffer_.data());
    buffer_.resize(std::max(kFirstBytes, 2 * (used + size)));
    cursor_ = buffer_.data() + used;
    limit_ = buffer_.data() + buffer_.size();
    if (hold_ != nullptr) hold_ = buffer_.data() + hold_offset;
  }

  std::string buffer_;
};

}  // namespace proto
