// A decoded reply, as a tree that owns its bytes. For those who look at replies rather than pass
// them on: upstreams, scripts, tests, the load tester. The server's own replies are never built as
// trees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace proto {

// The first byte on the wire is given for each.
enum class ReplyKind : uint8_t {
  kStatus,     // '+': text
  kError,      // '-', and RESP3's '!': text
  kInteger,    // ':': integer
  kBulk,       // '$': text
  kVerbatim,   // '=': text; the first four bytes are the format and a colon, "txt:"
  kDouble,     // ',': real, and in text as it was sent
  kBigNumber,  // '(': text, the digits
  kBoolean,    // '#': integer, 1 or 0
  kNull,       // '_'
  kNullBulk,   // "$-1", RESP2
  kNullArray,  // "*-1", RESP2
  kArray,      // '*': children
  kMap,        // '%': children, key and value in turn
  kSet,        // '~': children
  kPush,       // '>': children; comes between replies, not as one
};

struct ReplyValue {
  ReplyKind kind = ReplyKind::kNull;
  int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<ReplyValue> children;
  std::vector<ReplyValue>
      attributes;  // RESP3 '|', key and value in turn; before the value on the wire

  bool is_null() const {
    return kind == ReplyKind::kNull || kind == ReplyKind::kNullBulk ||
           kind == ReplyKind::kNullArray;
  }
  bool is_error() const { return kind == ReplyKind::kError; }
  bool is_aggregate() const { return kind >= ReplyKind::kArray; }

  // Kind and content; doubles by their text, so that a NaN equals itself.
  bool operator==(const ReplyValue& other) const {
    return kind == other.kind && integer == other.integer && text == other.text &&
           children == other.children && attributes == other.attributes;
  }
};

// Many lines, with the types shown as redis-cli shows them on a terminal; no newline at the end:
//   1) "a"
//   2) 1) (integer) 7
//      2) (nil)
std::string to_text(const ReplyValue& value);

// The same on one line: ["a", [(integer) 7, (nil)]]; maps {"k" => "v"}, sets ~["a"], pushes >["a"].
std::string to_line(const ReplyValue& value);

// Bytes as a C string literal in double quotes: "a\r\n\x00\"".
std::string quoted(std::string_view bytes);

}  // namespace proto
