// The primitives of an RDB file, in: lengths, texts, numbers, and the checksum over them.
//
//   RdbReader in(source);
//   const uint64_t count = in.length("the number of members");
//   for (uint64_t i = 0; i < count && !in.failed(); ++i) use(in.text("a member"));
//   if (in.failed()) log(in.problem());  // "at 0x1f3: expected a member, got the end"
//
// The first problem stays and the rest of the reading gives zeros and empty texts at once, so that
// callers need not look after every call. No length is believed before its bytes are there: memory
// grows with what was read, not with what was announced.
//
// Thread: one. A text is a view, good until the next call.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ae/base/callback.h"
#include "server/persist/byte_stream.h"

namespace millrace {

class RdbReader {
 public:
  enum class Checksum : uint8_t { kCompute, kIgnore };

  explicit RdbReader(ByteSource& source, Checksum checksum = Checksum::kCompute);

  // `what` names, for the problem's sentence, what is expected here.
  uint8_t byte(const char* what);
  uint64_t length(const char* what);
  std::string_view text(const char* what);
  // A text that is kept as a number is handed out as one.
  struct Text {
    std::string_view text;
    std::optional<int64_t> number;
  };
  Text text_or_number(const char* what);
  double float64(const char* what);
  double score_text(const char* what);  // how old sorted sets spell theirs
  uint64_t fixed64(const char* what);
  uint32_t fixed32(const char* what);
  std::string_view bytes(uint64_t count, const char* what);
  // Whether there is nothing more. Not a problem.
  bool at_end();

  // Called whenever more bytes have been taken from the source; may take its time.
  void on_refill(ae::Callback<void()> hook) { on_refill_ = std::move(hook); }

  bool failed() const { return !problem_.empty(); }
  const std::string& problem() const { return problem_; }
  // The caller has found what it read to be wrong.
  void fail(std::string_view expected, std::string_view got);

  uint64_t offset() const { return offset_; }
  // What was taken from the source and not yet read: where something follows what this reader is
  // for (a snapshot at the head of an append-only file), it begins with these bytes.
  std::string_view unread() const { return {buffer_.get() + begin_, buffered()}; }
  // Of all that was read.
  uint64_t checksum();

 private:
  static constexpr size_t kBufferBytes = 64 << 10;

  struct Length {
    uint64_t value;
    bool encoded;  // value: which encoding
  };
  Length length_or_encoding(const char* what);
  std::string_view number_text(int64_t number);
  std::string_view compressed_text(const char* what);
  int64_t encoded_number(uint64_t encoding, const char* what);
  std::string_view long_bytes(uint64_t count, const char* what);
  bool refill();
  uint64_t little_endian(size_t count, const char* what);
  uint64_t big_endian(size_t count, const char* what);
  void fail_at(uint64_t offset, std::string_view expected, std::string_view got);
  size_t buffered() const { return end_ - begin_; }

  ByteSource& source_;
  bool wants_checksum_;
  std::unique_ptr<char[]> buffer_;
  size_t begin_ = 0;  // of what is not yet read
  size_t end_ = 0;
  size_t summed_ = 0;  // up to where the buffer is in the checksum
  uint64_t offset_ = 0;
  uint64_t crc_ = 0;
  std::string scratch_;
  std::string unpacked_;
  std::string problem_;
  ae::Callback<void()> on_refill_;
};

}  // namespace millrace
