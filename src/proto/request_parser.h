// Requests: bytes in, arguments out.
//
// A client sends a multibulk, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", or an inline request, "GET k\r\n"
// (inline_request.h). The parser takes ONE request from the front of the bytes at hand and appends
// its arguments as views into those bytes. It owns nothing and copies nothing.
//
//   proto::PartialRequest partial;             // one per connection, usually empty
//   proto::ArgVector args;                     // one per batch
//   for (;;) {
//     const size_t first = args.size();
//     auto result = proto::parse_request(input, partial, limits, args);
//     if (result.status != proto::ParseStatus::kRequest) break;     // keep input, read more, or
//     close if (args.size() > first) run(std::span(args).subspan(first)); input =
//     input.subspan(result.consumed);
//   }
//
// Two paths. A request that lies complete in the buffer, as nearly all do, goes through one tight
// loop in parse_request. At the first byte out of the ordinary (the end of the input, most often)
// the loop hands what it has to the slow path, which understands everything and remembers where it
// stopped.
//
// Half packets. PartialRequest holds the offsets of the arguments found so far and of the byte to
// go on from, so the bytes may have moved when the caller presents them again with more behind;
// what was read is not read again, however finely a request is cut. Nothing is allocated for what a
// client merely announces: memory grows with the bytes that came.
//
// Rules and error texts are Redis 7.2's, including the lenient ones: the byte after '\r' and the
// two bytes after a bulk are skipped, not compared; "*0" and "*-1" are requests of no arguments; a
// NUL byte hides the line end behind it, so that the line is refused once it is too long. One rule
// is stricter: a line longer than max_inline_bytes is refused even if its end came in the same
// read, so the answer does not depend on how the network cut the bytes.
//
// Thread: none of its own; one caller at a time per PartialRequest. Errors are values and final:
// after kError the connection is answered "-ERR Protocol error: <text>" and closed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "ae/base/bytes.h"
#include "proto/inline_request.h"
#include "proto/request_limits.h"

namespace proto {

enum class ParseStatus : uint8_t { kRequest, kIncomplete, kError };

struct ParseResult {
  ParseStatus status;
  size_t consumed;         // kRequest: bytes of `input` that were the request; else 0
  std::string_view error;  // kError: static text, what Redis sends after "-ERR Protocol error: "
  // kIncomplete: with fewer further bytes than this (at least 1) the line or the bulk that is being
  // read can neither end nor prove too long, so it is pointless to call before they are here.
  size_t wanted;
};

// What is remembered of a half packet. One pointer; no heap until a request comes in pieces.
class PartialRequest {
 public:
  bool empty() const { return state_ == nullptr; }
  void reset() { state_.reset(); }

 private:
  friend class SlowRequestParser;

  struct Argument {
    size_t offset;
    size_t length;
  };
  // Offsets count from the first byte of the request.
  struct State {
    size_t position = 0;      // first byte not yet understood
    size_t searched = 0;      // from position up to here there is no line end
    int64_t args_left = 0;    // 0: the count line has not been read
    int64_t bulk_bytes = -1;  // -1: the length line of the next argument has not been read
    std::vector<Argument> args;
  };
  std::unique_ptr<State> state_;
};

// kRequest: the arguments were appended to `args` as views into `input`. None appended: an empty
// line,
// "*0" or "*-1"; skip it. An inline request is unescaped in place, hence MutableBytes.
// kIncomplete, kError: `args` is as it was. After kIncomplete present the same bytes, and more
// behind them, with the same `partial`; `limits` may have changed in between.
ParseResult parse_request(ae::MutableBytes input, PartialRequest& partial,
                          const RequestLimits& limits, ArgVector& args);

}  // namespace proto
