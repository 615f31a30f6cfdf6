#include "proto/reply_parser.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ae/base/assert.h"
#include "ae/base/decimal.h"

namespace proto {
namespace {

constexpr std::string_view kCrLf = "\r\n";
constexpr std::string_view kTooBigReply = "reply too big";
constexpr std::string_view kTooManyValues = "reply has too many values";
constexpr std::string_view kTooLongLine = "line too long";
constexpr std::string_view kNoLineEnd = "line does not end in CR LF";
constexpr std::string_view kUnknownType = "unknown reply type";
constexpr std::string_view kInvalidInteger = "invalid integer";
constexpr std::string_view kInvalidDouble = "invalid double";
constexpr std::string_view kInvalidBigNumber = "invalid big number";
constexpr std::string_view kInvalidBoolean = "invalid boolean";
constexpr std::string_view kInvalidNull = "invalid null";
constexpr std::string_view kInvalidBulkLength = "invalid bulk length";
constexpr std::string_view kInvalidVerbatim = "invalid verbatim text";
constexpr std::string_view kInvalidCount = "invalid aggregate count";
constexpr std::string_view kTooDeep = "reply nested too deep";

// "txt:".
constexpr size_t kVerbatimPrefixBytes = 4;

// A bulk grows as its bytes come; this much is set aside at once, on the word of the other side.
constexpr size_t kTrustedBulkBytes = 64 * 1024;

// No aggregate has more; keeps twice a map's count in range.
constexpr int64_t kMaxCount = int64_t{1} << 40;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "nan" is a double in RESP3, though parse_double refuses it.
bool is_nan(std::string_view text) {
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  return text.size() == 3 && (text[0] | 0x20) == 'n' && (text[1] | 0x20) == 'a' &&
         (text[2] | 0x20) == 'n';
}

}  // namespace

ReplyResult ReplyParser::feed(ae::Bytes input) {
  AE_ASSERT(state_ != State::kComplete);
  size_t consumed = 0;
  while (consumed < input.size() && state_ < State::kComplete) {
    const size_t read = step(input.substr(consumed));
    consumed += read;
    reply_bytes_ += read;
    if (reply_bytes_ > limits_.max_reply_bytes) fail(kTooBigReply);
  }
  if (state_ == State::kFailed) return {ReplyStatus::kError, consumed, error_};
  return {
      state_ == State::kComplete ? ReplyStatus::kReply : ReplyStatus::kIncomplete, consumed, {}};
}

ReplyValue ReplyParser::take() {
  AE_ASSERT(state_ == State::kComplete);
  state_ = State::kLine;
  reply_bytes_ = 0;
  values_ = 0;
  return std::exchange(reply_, {});
}

void ReplyParser::reset() {
  *this = ReplyParser(limits_);
}

// Reads on in the present state; returns how many bytes of `input` that took, at least one.
size_t ReplyParser::step(ae::Bytes input) {
  if (state_ == State::kLine) return read_line(input);
  return state_ == State::kBulk ? read_bulk(input) : read_bulk_end(input);
}

size_t ReplyParser::read_line(ae::Bytes input) {
  const size_t newline = input.find('\n');
  const size_t read = newline == ae::Bytes::npos ? input.size() : newline + 1;
  if (line_.size() + read > limits_.max_line_bytes) {
    fail(kTooLongLine);
    return read;
  }
  line_.append(input.substr(0, read));
  if (newline != ae::Bytes::npos) line_complete();
  return read;
}

void ReplyParser::line_complete() {
  if (line_.size() < 1 + kCrLf.size() || line_[line_.size() - 2] != '\r') return fail(kNoLineEnd);
  std::string_view line = line_;
  line.remove_suffix(kCrLf.size());
  value_line(line[0], line.substr(1));
  line_.clear();
}

void ReplyParser::value_line(char sigil, std::string_view body) {
  switch (sigil) {
    case '+':
      return add_text(ReplyKind::kStatus, body);
    case '-':
      return add_text(ReplyKind::kError, body);
    case ':':
      return read_integer(body);
    case ',':
      return read_double(body);
    case '(':
      return read_big_number(body);
    case '#':
      return read_boolean(body);
    case '_':
      return body.empty() ? add_text(ReplyKind::kNull, body) : fail(kInvalidNull);
    case '$':
      return begin_bulk(ReplyKind::kBulk, body);
    case '=':
      return begin_bulk(ReplyKind::kVerbatim, body);
    case '!':
      return begin_bulk(ReplyKind::kError, body);
    case '*':
      return begin_aggregate(ReplyKind::kArray, Role::kValue, body);
    case '%':
      return begin_aggregate(ReplyKind::kMap, Role::kValue, body);
    case '~':
      return begin_aggregate(ReplyKind::kSet, Role::kValue, body);
    case '>':
      return begin_aggregate(ReplyKind::kPush, Role::kValue, body);
    case '|':
      return begin_aggregate(ReplyKind::kMap, Role::kAttribute, body);
    default:
      return fail(kUnknownType);
  }
}

void ReplyParser::read_integer(std::string_view body) {
  const auto number = ae::parse_int64(body);
  if (!number) return fail(kInvalidInteger);
  ReplyValue value;
  value.kind = ReplyKind::kInteger;
  value.integer = *number;
  add(std::move(value));
}

void ReplyParser::read_double(std::string_view body) {
  auto number = ae::parse_double(body);
  if (!number && is_nan(body)) number = std::nan("");
  if (!number) return fail(kInvalidDouble);
  ReplyValue value;
  value.kind = ReplyKind::kDouble;
  value.real = *number;
  value.text = body;
  add(std::move(value));
}

void ReplyParser::read_big_number(std::string_view body) {
  std::string_view digits = body;
  if (!digits.empty() && (digits[0] == '-' || digits[0] == '+')) digits.remove_prefix(1);
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) {
    return fail(kInvalidBigNumber);
  }
  add_text(ReplyKind::kBigNumber, body);
}

void ReplyParser::read_boolean(std::string_view body) {
  if (body != "t" && body != "f") return fail(kInvalidBoolean);
  ReplyValue value;
  value.kind = ReplyKind::kBoolean;
  value.integer = body == "t" ? 1 : 0;
  add(std::move(value));
}

void ReplyParser::begin_bulk(ReplyKind kind, std::string_view body) {
  if (kind == ReplyKind::kBulk && body == "-1") return add_text(ReplyKind::kNullBulk, {});
  const auto length = ae::parse_int64(body);
  const bool valid =
      length && *length >= 0 && static_cast<uint64_t>(*length) <= limits_.max_bulk_bytes;
  if (!valid) return fail(kInvalidBulkLength);
  bulk_bytes_ = static_cast<size_t>(*length);
  bulk_.kind = kind;
  bulk_.text.reserve(std::min(bulk_bytes_, kTrustedBulkBytes));
  end_bytes_ = 0;
  state_ = bulk_bytes_ == 0 ? State::kBulkEnd : State::kBulk;
}

size_t ReplyParser::read_bulk(ae::Bytes input) {
  const size_t read = std::min(input.size(), bulk_bytes_ - bulk_.text.size());
  bulk_.text.append(input.substr(0, read));
  if (bulk_.text.size() == bulk_bytes_) state_ = State::kBulkEnd;
  return read;
}

size_t ReplyParser::read_bulk_end(ae::Bytes input) {
  if (input[0] != kCrLf[end_bytes_]) {
    fail(kNoLineEnd);
    return 1;
  }
  if (++end_bytes_ < kCrLf.size()) return 1;
  state_ = State::kLine;
  ReplyValue bulk = std::exchange(bulk_, {});
  const bool prefixed =
      bulk.text.size() >= kVerbatimPrefixBytes && bulk.text[kVerbatimPrefixBytes - 1] == ':';
  if (bulk.kind == ReplyKind::kVerbatim && !prefixed) {
    fail(kInvalidVerbatim);
  } else {
    add(std::move(bulk));
  }
  return 1;
}

void ReplyParser::begin_aggregate(ReplyKind kind, Role role, std::string_view body) {
  if (kind == ReplyKind::kArray && body == "-1") return add_text(ReplyKind::kNullArray, {});
  const auto count = ae::parse_int64(body);
  if (!count || *count < 0 || *count > kMaxCount) return fail(kInvalidCount);
  if (open_.size() >= limits_.max_depth) return fail(kTooDeep);
  Open aggregate;
  aggregate.role = role;
  aggregate.value.kind = kind;
  aggregate.missing = static_cast<size_t>(*count) * (kind == ReplyKind::kMap ? 2 : 1);
  // The attributes of an attribute are joined with it; those of a value are the value's.
  auto& taken = role == Role::kAttribute ? aggregate.value.children : aggregate.value.attributes;
  taken = std::exchange(attributes_, {});
  if (role == Role::kValue && aggregate.missing == 0) return add(std::move(aggregate.value));
  if (aggregate.missing == 0) {
    attributes_ = std::move(aggregate.value.children);
    return;
  }
  open_.push_back(std::move(aggregate));
}

void ReplyParser::add_text(ReplyKind kind, std::string_view text) {
  ReplyValue value;
  value.kind = kind;
  value.text = text;
  add(std::move(value));
}

// A value is complete: it goes into the innermost open aggregate, which may complete that, and so
// on outwards; outside of all aggregates it is the reply.
void ReplyParser::add(ReplyValue value) {
  if (++values_ > limits_.max_values) return fail(kTooManyValues);
  if (!value.is_aggregate()) value.attributes = std::exchange(attributes_, {});
  while (!open_.empty()) {
    Open& parent = open_.back();
    parent.value.children.push_back(std::move(value));
    if (--parent.missing > 0) return;
    value = std::move(parent.value);
    const Role role = parent.role;
    open_.pop_back();
    if (role == Role::kAttribute) {
      attributes_ = std::move(value.children);
      return;
    }
  }
  reply_ = std::move(value);
  state_ = State::kComplete;
}

void ReplyParser::fail(std::string_view text) {
  state_ = State::kFailed;
  error_ = text;
}

}  // namespace proto
