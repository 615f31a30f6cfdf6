#include "server/persist/rdb_writer.h"

#include <lzf.h>

#include <bit>
#include <cstring>

#include "ae/base/decimal.h"
#include "server/ds/crc64.h"
#include "server/persist/rdb_format.h"

namespace millrace {
namespace {

// Shorter texts gain nothing by it.
constexpr size_t kMinCompressedBytes = 21;
// The longest text of 32 bits is "-2147483648".
constexpr size_t kMaxNumberChars = 11;
// A scratch beyond this is not kept from one text to the next.
constexpr size_t kMaxKeptScratchBytes = 1 << 20;

constexpr uint8_t encoded(uint8_t kind) {
  return static_cast<uint8_t>(rdb::kEncoded << 6 | kind);
}

}  // namespace

RdbWriter::RdbWriter(ByteSink& sink, RdbOptions options) : sink_(sink), options_(options) {
  buffer_.reserve(kBufferBytes);
}

void RdbWriter::byte(uint8_t value) {
  const char raw = static_cast<char>(value);
  bytes({&raw, 1});
}

void RdbWriter::bytes(ae::Bytes raw) {
  if (buffer_.size() + raw.size() > kBufferBytes) (void)flush();
  if (raw.size() >= kBufferBytes) return send(raw);
  buffer_.append(raw);
}

void RdbWriter::length(uint64_t value) {
  if (value < 1 << 6) {
    byte(static_cast<uint8_t>(value));
  } else if (value < 1 << 14) {
    byte(static_cast<uint8_t>(rdb::kLength14 << 6 | value >> 8));
    byte(static_cast<uint8_t>(value));
  } else if (value <= UINT32_MAX) {
    byte(rdb::kLength32);
    big_endian(value, 4);
  } else {
    byte(rdb::kLength64);
    big_endian(value, 8);
  }
}

void RdbWriter::text(std::string_view text) {
  if (text.size() <= kMaxNumberChars && try_number(text)) return;
  if (options_.compress && text.size() >= kMinCompressedBytes && try_compressed(text)) return;
  length(text.size());
  bytes(text);
}

bool RdbWriter::try_number(std::string_view text) {
  const auto number = ae::parse_int64(text);  // canonical spellings only
  if (!number || *number < INT32_MIN || *number > INT32_MAX) return false;
  integer(*number);
  return true;
}

void RdbWriter::integer(int64_t value) {
  if (value >= INT8_MIN && value <= INT8_MAX) {
    byte(encoded(rdb::kTextInt8));
    return little_endian(static_cast<uint64_t>(value), 1);
  }
  if (value >= INT16_MIN && value <= INT16_MAX) {
    byte(encoded(rdb::kTextInt16));
    return little_endian(static_cast<uint64_t>(value), 2);
  }
  if (value >= INT32_MIN && value <= INT32_MAX) {
    byte(encoded(rdb::kTextInt32));
    return little_endian(static_cast<uint64_t>(value), 4);
  }
  char digits[ae::kMaxInt64Chars];
  const size_t count = ae::format_int64(value, digits);
  length(count);
  bytes({digits, count});
}

bool RdbWriter::try_compressed(std::string_view text) {
  if (text.size() > UINT32_MAX) return false;
  // Room for less than the text: what does not become shorter is not worth it.
  const size_t room = text.size() - 4;
  compressed_.resize(room);
  const unsigned packed = lzf_compress(text.data(), static_cast<unsigned>(text.size()),
                                       compressed_.data(), static_cast<unsigned>(room));
  if (packed != 0) {
    byte(encoded(rdb::kTextLzf));
    length(packed);
    length(text.size());
    bytes({compressed_.data(), packed});
  }
  if (compressed_.capacity() > kMaxKeptScratchBytes) compressed_ = std::string();
  return packed != 0;
}

void RdbWriter::float64(double value) {
  fixed64(std::bit_cast<uint64_t>(value));
}
void RdbWriter::fixed64(uint64_t value) {
  little_endian(value, 8);
}
void RdbWriter::fixed16(uint16_t value) {
  little_endian(value, 2);
}

void RdbWriter::little_endian(uint64_t value, int count) {
  static_assert(std::endian::native == std::endian::little);
  bytes({reinterpret_cast<const char*>(&value), static_cast<size_t>(count)});
}

void RdbWriter::big_endian(uint64_t value, int count) {
  for (int shift = 8 * (count - 1); shift >= 0; shift -= 8) {
    byte(static_cast<uint8_t>(value >> shift));
  }
}

uint64_t RdbWriter::checksum() {
  return options_.checksum ? ds::crc64(crc_, buffer_) : 0;
}

ae::Status RdbWriter::flush() {
  send(buffer_);
  buffer_.clear();
  return status_;
}

void RdbWriter::send(ae::Bytes raw) {
  if (!status_ || raw.empty()) return;
  if (options_.checksum) crc_ = ds::crc64(crc_, raw);
  flushed_ += raw.size();
  status_ = sink_.write(raw);
}

}  // namespace millrace
