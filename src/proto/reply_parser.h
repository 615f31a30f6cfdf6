// Replies, the receiving side: RESP2 and RESP3 bytes into ReplyValue trees. For upstreams, scripts,
// tests and the load tester.
//
//   proto::ReplyParser parser;
//   while (!input.empty()) {
//     const auto result = parser.feed(input);
//     if (result.status == proto::ReplyStatus::kError) return close(result.error);
//     input.remove_prefix(result.consumed);
//     if (result.status == proto::ReplyStatus::kReply) handle(parser.take());
//   }
//
// The parser keeps what it has been fed, so bytes are given once, in pieces of any size; nothing is
// looked at twice. Aggregates are kept on a stack of their own, not on the C++ stack, while they
// lack elements.
//
// The other side is not trusted: depth, length of a bulk and size of a whole reply are bounded, and
// nothing is allocated for elements that are merely announced.
//
// Not supported, as no Redis sends them: RESP3's streamed strings and aggregates ("$?", "*?").
// Thread: none of its own. After kError the parser stays in error until reset().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ae/base/bytes.h"
#include "proto/reply_value.h"

namespace proto {

// A ReplyValue is destroyed recursively, some 100 bytes of stack per level; Redis' deepest reply of
// its own (COMMAND DOCS) has about ten, a script may build more.
constexpr size_t kMaxReplyDepth = 256;

// Redis' limit of a string, and so of a bulk.
constexpr size_t kMaxReplyBulkBytes = 512 * 1024 * 1024;

// Everything of one reply together, as counted on the wire.
constexpr size_t kMaxReplyBytes = size_t{1024} * 1024 * 1024;

// "_\r\n" is 3 bytes on the wire and some 100 as a ReplyValue; this keeps the ratio in bounds.
constexpr size_t kMaxReplyValues = 16 * 1024 * 1024;

// A number has at most 20 digits, but statuses, errors and big numbers are lines too.
constexpr size_t kMaxReplyLineBytes = 64 * 1024;

struct ReplyLimits {
  size_t max_depth = kMaxReplyDepth;
  size_t max_bulk_bytes = kMaxReplyBulkBytes;
  size_t max_reply_bytes = kMaxReplyBytes;
  size_t max_values = kMaxReplyValues;
  size_t max_line_bytes = kMaxReplyLineBytes;
};

enum class ReplyStatus : uint8_t { kReply, kIncomplete, kError };

struct ReplyResult {
  ReplyStatus status;
  size_t consumed;         // kReply: up to the end of the reply; kIncomplete: everything
  std::string_view error;  // kError: what is wrong, static text
};

class ReplyParser {
 public:
  explicit ReplyParser(const ReplyLimits& limits = {}) : limits_(limits) {}

  // Goes on reading. kReply: a reply is complete; take() it before the next feed().
  ReplyResult feed(ae::Bytes input);

  // The reply that feed() completed.
  ReplyValue take();

  // True between two replies.
  bool idle() const { return state_ == State::kLine && reply_bytes_ == 0; }

  // Forgets a half-read reply or an error, as for a new connection.
  void reset();

 private:
  enum class State : uint8_t { kLine, kBulk, kBulkEnd, kComplete, kFailed };
  enum class Role : uint8_t { kValue, kAttribute };

  // An aggregate that lacks elements.
  struct Open {
    ReplyValue value;
    size_t missing;
    Role role;
  };

  size_t step(ae::Bytes input);
  size_t read_line(ae::Bytes input);
  size_t read_bulk(ae::Bytes input);
  size_t read_bulk_end(ae::Bytes input);
  void line_complete();
  void value_line(char sigil, std::string_view body);
  void read_integer(std::string_view body);
  void read_double(std::string_view body);
  void read_big_number(std::string_view body);
  void read_boolean(std::string_view body);
  void begin_bulk(ReplyKind kind, std::string_view body);
  void begin_aggregate(ReplyKind kind, Role role, std::string_view body);
  void add_text(ReplyKind kind, std::string_view text);
  void add(ReplyValue value);
  void fail(std::string_view text);

  ReplyLimits limits_;
  State state_ = State::kLine;
  std::string line_;                    // the piece of a line that has come
  ReplyValue bulk_;                     // the bulk that is being read
  size_t bulk_bytes_ = 0;               // how long it will be
  size_t end_bytes_ = 0;                // of the CR LF behind it
  size_t reply_bytes_ = 0;              // of the present reply so far
  size_t values_ = 0;                   // of the present reply so far
  std::vector<Open> open_;              // from the outermost to the innermost
  std::vector<ReplyValue> attributes_;  // of the value that comes next
  ReplyValue reply_;
  std::string_view error_;
};

}  // namespace proto
