#include "server/persist/aof_parser.h"

#include <charconv>
#include <cstdio>

#include "ae/base/assert.h"

namespace millrace {
namespace {

std::string position(uint64_t offset) {
  char text[32];
  std::snprintf(text, sizeof text, "at 0x%llx", static_cast<unsigned long long>(offset));
  return text;
}

std::string shown(char byte) {
  char text[8];
  const bool printable = byte >= ' ' && byte <= '~';
  std::snprintf(text, sizeof text, printable ? "'%c'" : "\\x%02x",
                printable ? byte : static_cast<unsigned char>(byte));
  return text;
}

}  // namespace

void AofParser::add(std::string_view bytes) {
  buffer_.erase(0, start_);
  consumed_ += start_;
  at_ -= start_;
  for (Piece& piece : pieces_) piece.at -= start_;
  start_ = 0;
  args_.clear();
  annotation_ = {};
  buffer_.append(bytes);
}

AofParser::Kind AofParser::next() {
  args_.clear();
  if (start_ == buffer_.size()) return incomplete(1);
  return buffer_[start_] == '#' ? read_annotation() : read_command();
}

void AofParser::finish_item() {
  start_ = at_;
  args_left_ = -1;
  pieces_.clear();
}

AofParser::Kind AofParser::read_annotation() {
  const size_t end = buffer_.find('\n', at_);
  if (end == std::string::npos || end - start_ > kMaxAnnotationBytes) {
    const bool may_grow =
        end == std::string::npos && buffer_.size() - start_ <= kMaxAnnotationBytes;
    return may_grow ? incomplete(1) : wrong("the end of the annotation");
  }
  annotation_ = std::string_view(buffer_).substr(start_ + 1, end - start_ - 1);
  if (annotation_.ends_with('\r')) annotation_.remove_suffix(1);
  at_ = end + 1;
  finish_item();
  return Kind::kAnnotation;
}

AofParser::Kind AofParser::read_command() {
  if (args_left_ < 0) {
    int64_t count = 0;
    if (const Kind kind = read_number('*', kMaxArguments, count); kind != Kind::kCommand)
      return kind;
    if (count == 0) return wrong("an array of at least one argument");
    args_left_ = count;
  }
  while (args_left_ > 0)
    if (const Kind kind = read_argument(); kind != Kind::kCommand) return kind;
  for (const Piece& piece : pieces_) args_.emplace_back(buffer_.data() + piece.at, piece.size);
  finish_item();
  return Kind::kCommand;
}

AofParser::Kind AofParser::read_argument() {
  if (bulk_bytes_ < 0) {
    int64_t bytes = 0;
    if (const Kind kind = read_number('$', kMaxArgumentBytes, bytes); kind != Kind::kCommand)
      return kind;
    bulk_bytes_ = bytes;
  }
  const auto size = size_t(bulk_bytes_);
  const size_t there = buffer_.size() - at_;
  if (there < size + 2) return incomplete(size + 2 - there);
  const size_t start = at_;
  at_ += size;
  if (expect_line_end() == Kind::kError) return Kind::kError;
  pieces_.push_back({start, size});
  bulk_bytes_ = -1;
  --args_left_;
  return Kind::kCommand;
}

// A line of the mark, a number from 0 to `max` and "\r\n". kCommand: it is there, and read.
AofParser::Kind AofParser::read_number(char mark, int64_t max, int64_t& number) {
  if (at_ == buffer_.size()) return incomplete(1);
  if (buffer_[at_] != mark) return wrong(std::string("'").append(1, mark).append("'"));
  const size_t end = buffer_.find('\r', at_);
  const size_t length = (end == std::string::npos ? buffer_.size() : end) - at_ - 1;
  if (length > kMaxNumberBytes) return ++at_, wrong("a number");
  if (end == std::string::npos || end + 1 == buffer_.size()) return incomplete(1);
  const char* const last = buffer_.data() + end;
  const auto [stop, error] = std::from_chars(buffer_.data() + at_ + 1, last, number);
  if (error != std::errc() || stop != last) return ++at_, wrong("a number");
  if (number < 0 || number > max) return ++at_, wrong("a number up to " + std::to_string(max));
  at_ = end;
  return expect_line_end();
}

// The two bytes are there.
AofParser::Kind AofParser::expect_line_end() {
  for (const char byte : {'\r', '\n'}) {
    if (buffer_[at_] != byte) return wrong("the end of the line");
    ++at_;
  }
  return Kind::kCommand;
}

AofParser::Kind AofParser::wrong(std::string expected) {
  expected_ = std::move(expected);
  return Kind::kError;
}

std::string AofParser::error() const {
  AE_ASSERT(!expected_.empty());
  std::string text = position(consumed_ + at_) + ": expected " + expected_;
  return at_ < buffer_.size() ? text + ", got " + shown(buffer_[at_]) : text;
}

std::string AofParser::missing() const {
  return missing("at least " + std::to_string(missing_bytes_) + " more " +
                 (missing_bytes_ == 1 ? "byte" : "bytes"));
}

std::string AofParser::missing(std::string_view expected) const {
  return position(consumed_ + buffer_.size())
      .append(": expected ")
      .append(expected)
      .append(", got the end of the file");
}

}  // namespace millrace
