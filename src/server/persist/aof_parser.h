// Reads the text of an append-only file: commands as RESP arrays, one after the other,
//
//   *2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n
//   *3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n
//
// and annotations between them, lines that begin with '#' and change nothing ("#TS:1700000000": the
// commands behind it ran in that second or later).
//
// The format is stricter than what a client may send: no inline commands, no empty arrays, every
// "\r\n" in its place, so that a byte out of place is found where it is. Bytes come in pieces of
// any size; an array announced is paid for by bytes that came, not by what it announces.
//
//   AofParser parser;
//   parser.add(bytes);
//   for (;;) switch (parser.next().kind) { case kCommand: run(parser.args()); ... }
//
// Thread: none of its own. After kError, and at the end of the bytes, nothing further is read.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

class AofParser {
 public:
  // As Redis' limits for a request of a client without limits: more than these no command could
  // have had when it was written.
  static constexpr int64_t kMaxArguments = INT32_MAX;
  static constexpr int64_t kMaxArgumentBytes = int64_t(1) << 40;
  // An annotation is a line of this many bytes at most.
  static constexpr size_t kMaxAnnotationBytes = 1024;
  // A length is a number of at most 19 digits and a sign.
  static constexpr size_t kMaxNumberBytes = 20;

  enum class Kind : uint8_t { kCommand, kAnnotation, kIncomplete, kError };

  // The bytes to come stand in the file from `offset` on.
  explicit AofParser(uint64_t offset = 0) : consumed_(offset) {}

  // Bytes to go on with. What args() showed before is gone.
  void add(std::string_view bytes);
  // The next item. After kIncomplete add() what comes next in the file, if there is more.
  Kind next();

  std::span<const std::string_view> args() const { return args_; }  // kCommand
  std::string_view annotation() const { return annotation_; }       // kAnnotation, without '#'
  // kError: "at 0x2a: expected '$', got 'x'".
  std::string error() const;

  // Behind the last whole item: where a file that ends too early may be cut.
  uint64_t offset() const { return consumed_ + start_; }
  // Bytes of an item that is not whole yet.
  bool in_item() const { return start_ < buffer_.size(); }
  // Nothing more comes. in_item(): "at 0x2a: expected at least 5 more bytes, got the end of the
  // file"; else that `expected` was, which the reader of the items knows.
  std::string missing() const;
  std::string missing(std::string_view expected) const;

 private:
  struct Piece {
    size_t at, size;
  };

  Kind read_annotation();
  Kind read_command();
  Kind read_argument();
  Kind read_number(char mark, int64_t max, int64_t& number);
  Kind expect_line_end();
  Kind wrong(std::string expected);
  Kind incomplete(size_t bytes) { return missing_bytes_ = bytes, Kind::kIncomplete; }
  void finish_item();

  std::string buffer_;
  uint64_t consumed_;        // bytes of the file before the buffer
  size_t start_ = 0;         // of the item being read
  size_t at_ = 0;            // the first byte not yet understood
  int64_t args_left_ = -1;   // -1: the array's head has not been read
  int64_t bulk_bytes_ = -1;  // -1: the argument's head has not been read
  size_t missing_bytes_ = 1;
  std::vector<Piece> pieces_;
  std::vector<std::string_view> args_;
  std::string_view annotation_;
  std::string expected_;
};

}  // namespace millrace
