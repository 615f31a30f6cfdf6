#include "proto/reply_writer.h"

#include <algorithm>

namespace proto {
namespace {

constexpr std::string_view kCrLf = "\r\n";
constexpr size_t kVerbatimFormatBytes = 3;

bool breaks_line(char c) {
  return c == '\r' || c == '\n';
}

}  // namespace

void ReplyWriter::status(std::string_view text) {
  line('+', text);
}

void ReplyWriter::error(std::string_view text) {
  while (!text.empty() && breaks_line(text.back())) text.remove_suffix(1);
  line('-', text);
}

void ReplyWriter::real(double number) {
  if (resp_ == Resp::k2) return bulk_double(number);
  char* const out = sink_->reserve(1 + ae::kMaxDoubleChars + kCrLf.size());
  *out = ',';
  const size_t length = 1 + ae::format_double(number, out + 1);
  reply_detail::put_line_end(out + length);
  sink_->commit(length + kCrLf.size());
  shape_.element();
}

void ReplyWriter::boolean(bool value) {
  if (resp_ == Resp::k2) return integer(value ? 1 : 0);
  element(value ? "#t\r\n" : "#f\r\n");
}

void ReplyWriter::big_number(std::string_view digits) {
  if (resp_ == Resp::k2) return bulk(digits);
  line('(', digits);
}

void ReplyWriter::verbatim(std::string_view format, std::string_view text) {
  if (resp_ == Resp::k2) return bulk(text);
  AE_ASSERT(format.size() == kVerbatimFormatBytes);
  header('=', static_cast<int64_t>(format.size() + 1 + text.size()));
  sink_->append(format);
  sink_->append(":");
  sink_->append(text);
  sink_->append(kCrLf);
  shape_.element();
}

void ReplyWriter::attribute(size_t pairs) {
  AE_ASSERT(resp_ == Resp::k3);
  header('|', static_cast<int64_t>(pairs));
  shape_.open_attribute(2 * pairs);
}

void ReplyWriter::finish(DeferredLength deferred, size_t count) {
  char header[reply_detail::kMaxHeaderBytes];
  const auto announced = static_cast<int64_t>(count * deferred.header_scale);
  const size_t length = reply_detail::put_header(header, deferred.sigil, announced);
  sink_->close_hold(deferred.hold, {header, length});
  shape_.close_deferred(count * deferred.per_element);
}

void ReplyWriter::raw(std::string_view encoded, size_t elements) {
  sink_->append(encoded);
  for (size_t i = 0; i < elements; ++i) shape_.element();
}

// One line: the text cannot be allowed to end it early, or a client could be shown a reply that the
// server never gave.
void ReplyWriter::line(char sigil, std::string_view text) {
  char* const out = sink_->reserve(1 + text.size() + kCrLf.size());
  *out = sigil;
  std::replace_copy_if(text.begin(), text.end(), out + 1, breaks_line, ' ');
  reply_detail::put_line_end(out + 1 + text.size());
  sink_->commit(1 + text.size() + kCrLf.size());
  shape_.element();
}

void ReplyWriter::long_bulk(char sigil, std::string_view text) {
  header(sigil, static_cast<int64_t>(text.size()));
  sink_->append(text);
  sink_->append(kCrLf);
  shape_.element();
}

}  // namespace proto
