// Replies: values in, RESP2 or RESP3 bytes out. The one encoder of the server.
//
//   ReplyWriter reply(sink, Resp::k3);
//   reply.map(2);
//   reply.bulk("hits"); reply.integer(7);
//   reply.bulk("rate"); reply.real(0.5);
//
// A handler says what a value is and does not ask which protocol the client speaks. Where RESP2 has
// no such type the writer falls back as Redis does: a map of n pairs becomes an array of 2n
// elements, a set or a push an array, null "$-1", a boolean ":1" or ":0", a double, a big number or
// a verbatim text a bulk. Attributes have no fall-back: a handler leaves them out for a RESP2
// client.
//
// The format: https://redis.io/docs/latest/develop/reference/protocol-spec/ and, for RESP3,
// A. Sanfilippo's https://github.com/redis/redis-specifications/blob/master/protocol/RESP3.md.
//
// Costs: no allocation, no virtual call while the sink's window lasts. Headers of up to three
// digits come from a table as one 8-byte store. The window is asked for once per element.
//
// Debug builds check that aggregates get as many elements as they announce (reply_shape.h).
//
// Thread and lifetime: a writer borrows its sink and is cheap to make, one per request or one per
// batch.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "ae/base/assert.h"
#include "ae/base/decimal.h"
#include "proto/byte_sink.h"
#include "proto/reply_shape.h"

namespace proto {

enum class Resp : uint8_t { k2 = 2, k3 = 3 };

// An aggregate whose count comes later; give it back to ReplyWriter::finish(), innermost first.
struct [[nodiscard]] DeferredLength {
  ByteSink::Hold hold;
  char sigil;            // '*', '%', '~'
  uint8_t per_element;   // elements written for each one counted: 2 for a map
  uint8_t header_scale;  // what the count is multiplied with in the header: 2 for a map in RESP2
};

namespace reply_detail {

// "?0\r\n" to "?999\r\n", the type byte to be written over the '?'.
struct Header {
  char text[7];
  uint8_t length;
};
constexpr size_t kTabledHeaders = 1000;
constexpr size_t kHeaderStoreBytes = sizeof(Header);

constexpr std::array<Header, kTabledHeaders> make_headers() {
  std::array<Header, kTabledHeaders> headers{};
  for (size_t n = 0; n < kTabledHeaders; ++n) {
    Header& header = headers[n];
    uint8_t at = 0;
    header.text[at++] = '?';
    if (n >= 100) header.text[at++] = static_cast<char>('0' + n / 100);
    if (n >= 10) header.text[at++] = static_cast<char>('0' + n / 10 % 10);
    header.text[at++] = static_cast<char>('0' + n % 10);
    header.text[at++] = '\r';
    header.text[at++] = '\n';
    header.length = at;
  }
  return headers;
}
inline constexpr std::array<Header, kTabledHeaders> kHeaders = make_headers();

// A type byte, 20 digits, CR LF; no less than the table's store.
constexpr size_t kMaxHeaderBytes = 1 + ae::kMaxInt64Chars + 2;

static_assert(sizeof(Header) == 8);

inline void put_line_end(char* out) {
  out[0] = '\r';
  out[1] = '\n';
}

// Writes "<sigil><number>\r\n"; the caller has reserved kMaxHeaderBytes.
inline size_t put_header(char* out, char sigil, int64_t number) {
  if (static_cast<uint64_t>(number) < kTabledHeaders) [[likely]] {
    const Header& header = kHeaders[static_cast<size_t>(number)];
    std::memcpy(out, &header, kHeaderStoreBytes);
    *out = sigil;
    return header.length;
  }
  *out = sigil;
  const size_t digits = ae::format_int64(number, out + 1);
  put_line_end(out + 1 + digits);
  return digits + 3;
}

// Bulks up to this length are written in one go; longer ones may span two windows of the sink.
constexpr size_t kShortBulkBytes = 1024;

// memcpy for lengths that are mostly short: two stores that may overlap, and no call.
inline void copy_short(char* out, const char* from, size_t size) {
  if (size >= 8 && size <= 16) {
    uint64_t head;
    uint64_t tail;
    std::memcpy(&head, from, 8);
    std::memcpy(&tail, from + size - 8, 8);
    std::memcpy(out, &head, 8);
    std::memcpy(out + size - 8, &tail, 8);
    return;
  }
  if (size != 0) std::memcpy(out, from, size);
}

}  // namespace reply_detail

class ReplyWriter {
 public:
  ReplyWriter(ByteSink& sink, Resp resp) : sink_(&sink), resp_(resp) {}

  Resp resp() const { return resp_; }
  void set_resp(Resp resp) { resp_ = resp; }

  // "+OK".
  void ok() { element("+OK\r\n"); }
  void pong() { element("+PONG\r\n"); }

  // "+string": a short text. CR and LF in it become spaces.
  void status(std::string_view text);

  // "-ERR no such key": `text` whole, with its code, without the '-'. CR and LF become spaces.
  void error(std::string_view text);

  void integer(int64_t number) {
    header(':', number);
    shape_.element();
  }

  void bulk(std::string_view text) {
    if (text.size() > reply_detail::kShortBulkBytes) [[unlikely]]
      return long_bulk('$', text);
    char* const out = sink_->reserve(text.size() + reply_detail::kMaxHeaderBytes + 2);
    char* at = out + reply_detail::put_header(out, '$', static_cast<int64_t>(text.size()));
    reply_detail::copy_short(at, text.data(), text.size());
    reply_detail::put_line_end(at + text.size());
    sink_->commit(static_cast<size_t>(at - out) + text.size() + 2);
    shape_.element();
  }

  // The decimal text of a number, as a bulk in both protocols: a value that is stored as an
  // integer, a score where Redis sends text to RESP3 clients too.
  void bulk_integer(int64_t number) {
    char text[ae::kMaxInt64Chars];
    bulk({text, ae::format_int64(number, text)});
  }
  void bulk_double(double number) {
    char text[ae::kMaxDoubleChars];
    bulk({text, ae::format_double(number, text)});
  }

  // RESP3 ",0.5"; RESP2 a bulk.
  void real(double number);

  // RESP3 "_"; RESP2 "$-1", the null of a value, or "*-1", the null of a list of values.
  void null() { element(resp_ == Resp::k3 ? kNull3 : kNullBulk2); }
  void null_array() { element(resp_ == Resp::k3 ? kNull3 : kNullArray2); }

  // RESP3 "#t", "#f"; RESP2 ":1", ":0".
  void boolean(bool value);

  // RESP3 "(123"; RESP2 a bulk. `digits` is a decimal integer of any length.
  void big_number(std::string_view digits);

  // RESP3 "=15\r\ntxt:Some string"; RESP2 a bulk of `text`. `format` is three bytes: "txt", "mkd".
  void verbatim(std::string_view format, std::string_view text);

  // Aggregates: the header; the elements follow. map() and attribute() count pairs.
  void array(size_t elements) { open('*', elements, elements); }
  void map(size_t pairs) {
    if (resp_ == Resp::k3) return open('%', pairs, 2 * pairs);
    open('*', 2 * pairs, 2 * pairs);
  }
  void set(size_t elements) { open(resp_ == Resp::k3 ? '~' : '*', elements, elements); }
  void push(size_t elements) { open(resp_ == Resp::k3 ? '>' : '*', elements, elements); }
  void attribute(size_t pairs);
  void empty_array() { element("*0\r\n"); }

  // Aggregates whose count is known at their end.
  DeferredLength defer_array() { return defer('*', 1, 1); }
  DeferredLength defer_map() { return resp_ == Resp::k3 ? defer('%', 2, 1) : defer('*', 2, 2); }
  DeferredLength defer_set() { return defer(resp_ == Resp::k3 ? '~' : '*', 1, 1); }
  // `count` elements, or pairs of a map, have been written since.
  void finish(DeferredLength deferred, size_t count);

  // `elements` whole elements that are encoded already.
  void raw(std::string_view encoded, size_t elements = 1);

  // Between two requests nothing may be half written. Checks in debug builds.
  void assert_complete() const { AE_DCHECK(shape_.complete()); }

 private:
  static constexpr std::string_view kNull3 = "_\r\n";
  static constexpr std::string_view kNullBulk2 = "$-1\r\n";
  static constexpr std::string_view kNullArray2 = "*-1\r\n";

  void element(std::string_view encoded) {
    sink_->append(encoded);
    shape_.element();
  }

  void header(char sigil, int64_t number) {
    char* const out = sink_->reserve(reply_detail::kMaxHeaderBytes);
    sink_->commit(reply_detail::put_header(out, sigil, number));
  }

  void open(char sigil, size_t count, size_t elements) {
    header(sigil, static_cast<int64_t>(count));
    shape_.open(elements);
  }

  DeferredLength defer(char sigil, uint8_t per_element, uint8_t header_scale) {
    shape_.open_deferred();
    return {sink_->open_hold(), sigil, per_element, header_scale};
  }

  void line(char sigil, std::string_view text);
  void long_bulk(char sigil, std::string_view text);

  ByteSink* sink_;
  Resp resp_;
  [[no_unique_address]] ReplyShape shape_;
};

}  // namespace proto
