// Where does the next message end? Three answers, as small pure functions over the bytes at hand.
//
//   LineFramer            text up to "\n" or "\r\n"
//   LengthPrefixedFramer  1, 2, 4 or 8 bytes of length, big or little endian, then that many bytes
//   FixedFramer           always the same number of bytes
//
// A framer has no state and consumes nothing: next(bytes) says what stands at the front. It fits
// ConnectionHandler::on_data, which is given the unread rest again, with more behind it:
//
//   size_t on_data(ae::Connection c, ae::MutableBytes data) override {
//     return ae::for_each_frame(framer_, data, [&](ae::Bytes line) { c.send(line); }).consumed;
//   }
//
// Every framer has a limit and checks it on the length as announced, before the bytes are there.
// Thread: any; they are values.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "ae/base/assert.h"
#include "ae/base/bytes.h"

namespace ae {

enum class FrameStatus : uint8_t {
  kFrame,     // `payload` is a whole message; it and its framing are `consumed` bytes
  kNeedMore,  // at least `wanted` bytes in all are needed: for ConnectionTable::keep_at_least
  kTooLong,   // beyond the framer's limit: close with kInputLimit
};

struct Frame {
  FrameStatus status = FrameStatus::kNeedMore;
  Bytes payload;
  size_t consumed = 0;
  size_t wanted = 0;

  static Frame whole(Bytes payload, size_t consumed) {
    return {FrameStatus::kFrame, payload, consumed, 0};
  }
  static Frame need(size_t wanted) { return {FrameStatus::kNeedMore, {}, 0, wanted}; }
  static Frame too_long() { return {FrameStatus::kTooLong, {}, 0, 0}; }
};

template <typename T>
concept Framer = requires(const T framer, Bytes bytes) {
  { framer.next(bytes) } -> std::same_as<Frame>;
};

// The payload has neither "\n" nor the "\r" before it. `max_bytes` counts the payload.
class LineFramer {
 public:
  explicit LineFramer(size_t max_bytes) : max_bytes_(max_bytes) {}

  Frame next(Bytes bytes) const {
    const size_t end = bytes.find('\n');
    if (end == Bytes::npos) {
      // A "\r" at the end may be half of a line end and does not count.
      const size_t sure = bytes.size() - (bytes.ends_with('\r') ? 1 : 0);
      return sure > max_bytes_ ? Frame::too_long() : Frame::need(bytes.size() + 1);
    }
    Bytes line = bytes.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line.size() > max_bytes_ ? Frame::too_long() : Frame::whole(line, end + 1);
  }

 private:
  size_t max_bytes_;
};

enum class ByteOrder : uint8_t { kBigEndian, kLittleEndian };

class LengthPrefixedFramer {
 public:
  // `prefix_bytes` of length (1 to 8), which counts the payload alone.
  LengthPrefixedFramer(size_t prefix_bytes, size_t max_payload,
                       ByteOrder order = ByteOrder::kBigEndian)
      : prefix_bytes_(prefix_bytes), max_payload_(max_payload), order_(order) {
    AE_ASSERT(prefix_bytes >= 1 && prefix_bytes <= 8);
    AE_ASSERT(max_payload <= SIZE_MAX - prefix_bytes);
  }

  Frame next(Bytes bytes) const {
    if (bytes.size() < prefix_bytes_) return Frame::need(prefix_bytes_);
    const uint64_t length = length_of(bytes);
    if (length > max_payload_) return Frame::too_long();
    const size_t whole = prefix_bytes_ + size_t(length);
    if (bytes.size() < whole) return Frame::need(whole);
    return Frame::whole(bytes.substr(prefix_bytes_, size_t(length)), whole);
  }

 private:
  uint64_t length_of(Bytes bytes) const {
    uint64_t length = 0;
    for (size_t i = 0; i < prefix_bytes_; ++i) {
      const size_t at = order_ == ByteOrder::kBigEndian ? i : prefix_bytes_ - 1 - i;
      length = length << 8 | uint8_t(bytes[at]);
    }
    return length;
  }

  size_t prefix_bytes_;
  size_t max_payload_;
  ByteOrder order_;
};

class FixedFramer {
 public:
  explicit FixedFramer(size_t bytes) : bytes_(bytes) { AE_ASSERT(bytes > 0); }

  Frame next(Bytes bytes) const {
    if (bytes.size() < bytes_) return Frame::need(bytes_);
    return Frame::whole(bytes.substr(0, bytes_), bytes_);
  }

 private:
  size_t bytes_;
};

struct FramesEnd {
  size_t consumed = 0;  // by whole frames
  Frame last;           // kNeedMore or kTooLong: what stands behind them
};

// Calls visitor(payload) for every whole frame.
template <Framer F, typename Visitor>
FramesEnd for_each_frame(const F& framer, MutableBytes data, Visitor&& visitor) {
  const Bytes bytes(data.data(), data.size());
  size_t consumed = 0;
  for (;;) {
    const Frame frame = framer.next(bytes.substr(consumed));
    if (frame.status != FrameStatus::kFrame) return {consumed, frame};
    consumed += frame.consumed;
    visitor(frame.payload);
  }
}

}  // namespace ae
