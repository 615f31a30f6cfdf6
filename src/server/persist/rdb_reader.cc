#include "server/persist/rdb_reader.h"

#include <fmt/format.h>
#include <lzf.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "ae/base/assert.h"
#include "ae/base/decimal.h"
#include "server/ds/crc64.h"
#include "server/persist/rdb_format.h"

namespace millrace {
namespace {

// A long text's memory at first; it doubles as bytes arrive.
constexpr size_t kFirstRoomBytes = 256 << 10;
// Scratch beyond this is given back after use.
constexpr size_t kMaxKeptScratchBytes = 1 << 20;

std::string& emptied(std::string& scratch) {
  if (scratch.capacity() > kMaxKeptScratchBytes) scratch = std::string();
  scratch.clear();
  return scratch;
}

}  // namespace

RdbReader::RdbReader(ByteSource& source, Checksum checksum)
    : source_(source),
      wants_checksum_(checksum == Checksum::kCompute),
      buffer_(std::make_unique_for_overwrite<char[]>(kBufferBytes)) {}

void RdbReader::fail_at(uint64_t offset, std::string_view expected, std::string_view got) {
  if (failed()) return;
  problem_ = fmt::format("at {:#x}: expected {}, got {}", offset, expected, got);
}

void RdbReader::fail(std::string_view expected, std::string_view got) {
  fail_at(offset_, expected, got);
}

// Moves what is left to the front and reads behind it; false: there is no more.
bool RdbReader::refill() {
  (void)checksum();
  std::memmove(buffer_.get(), buffer_.get() + begin_, buffered());
  end_ -= begin_;
  begin_ = summed_ = 0;
  const auto got = source_.read({buffer_.get() + end_, kBufferBytes - end_});
  if (!got) {
    fail("more bytes", got.error().message());
    return false;
  }
  end_ += *got;
  if (on_refill_) on_refill_();
  return *got != 0 && !failed();
}

uint64_t RdbReader::checksum() {
  if (wants_checksum_) crc_ = ds::crc64(crc_, {buffer_.get() + summed_, begin_ - summed_});
  summed_ = begin_;
  return crc_;
}

bool RdbReader::at_end() {
  return failed() || (buffered() == 0 && !refill());
}

std::string_view RdbReader::bytes(uint64_t count, const char* what) {
  if (failed()) return {};
  if (count > kBufferBytes / 2) return long_bytes(count, what);
  const uint64_t start = offset_;
  while (buffered() < count) {
    if (refill()) continue;
    fail_at(start, what, fmt::format("the end after {} of {} bytes", buffered(), count));
    return {};
  }
  const std::string_view taken(buffer_.get() + begin_, count);
  begin_ += count;
  offset_ += count;
  return taken;
}

std::string_view RdbReader::long_bytes(uint64_t count, const char* what) {
  const uint64_t start = offset_;
  if (count > rdb::kMaxTextBytes) {
    fail_at(start, what, fmt::format("a length of {}", count));
    return {};
  }
  std::string& all = emptied(scratch_);
  while (all.size() < count) {
    if (buffered() == 0 && !refill()) {
      fail_at(start, what, fmt::format("the end after {} of {} bytes", all.size(), count));
      return {};
    }
    const size_t more = std::min<uint64_t>(buffered(), count - all.size());
    const size_t wanted = std::max(kFirstRoomBytes, all.size() * 2);
    if (all.capacity() < all.size() + more) all.reserve(std::min<uint64_t>(wanted, count));
    all.append(buffer_.get() + begin_, more);
    begin_ += more;
    offset_ += more;
  }
  return all;
}

uint8_t RdbReader::byte(const char* what) {
  const std::string_view one = bytes(1, what);
  return one.empty() ? 0 : static_cast<uint8_t>(one[0]);
}

uint64_t RdbReader::little_endian(size_t count, const char* what) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t value = 0;
  const std::string_view raw = bytes(count, what);
  if (!raw.empty()) std::memcpy(&value, raw.data(), count);
  return value;
}

uint64_t RdbReader::big_endian(size_t count, const char* what) {
  uint64_t value = 0;
  for (const char c : bytes(count, what)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

uint64_t RdbReader::fixed64(const char* what) {
  return little_endian(8, what);
}
uint32_t RdbReader::fixed32(const char* what) {
  return static_cast<uint32_t>(little_endian(4, what));
}
double RdbReader::float64(const char* what) {
  return std::bit_cast<double>(little_endian(8, what));
}

RdbReader::Length RdbReader::length_or_encoding(const char* what) {
  const uint64_t start = offset_;
  const uint8_t first = byte(what);
  if (first >> 6 == rdb::kEncoded) return {static_cast<uint64_t>(first & 0x3f), true};
  if (first >> 6 == rdb::kLength6) return {first, false};
  if (first >> 6 == rdb::kLength14) {
    return {static_cast<uint64_t>(first & 0x3f) << 8 | byte(what), false};
  }
  if (first == rdb::kLength32) return {big_endian(4, what), false};
  if (first == rdb::kLength64) return {big_endian(8, what), false};
  fail_at(start, what, fmt::format("{:#04x}, which begins no length", first));
  return {0, false};
}

uint64_t RdbReader::length(const char* what) {
  const uint64_t start = offset_;
  const Length length = length_or_encoding(what);
  if (!length.encoded) return length.value;
  fail_at(start, what, fmt::format("encoding {} where a length belongs", length.value));
  return 0;
}

int64_t RdbReader::encoded_number(uint64_t encoding, const char* what) {
  switch (encoding) {
    case rdb::kTextInt8:
      return static_cast<int8_t>(little_endian(1, what));
    case rdb::kTextInt16:
      return static_cast<int16_t>(little_endian(2, what));
    case rdb::kTextInt32:
      return static_cast<int32_t>(little_endian(4, what));
    default:
      fail(what, fmt::format("a text of unknown encoding {}", encoding));
      return 0;
  }
}

std::string_view RdbReader::compressed_text(const char* what) {
  const uint64_t start = offset_;
  const uint64_t packed_bytes = length(what);
  const uint64_t text_bytes = length(what);
  const std::string_view packed = bytes(packed_bytes, what);
  if (failed()) return {};
  if (text_bytes > rdb::kMaxTextBytes || text_bytes > packed_bytes * rdb::kMaxLzfExpansion ||
      packed.empty() || text_bytes == 0) {
    fail_at(start, what,
            fmt::format("{} bytes that should unpack to {}", packed_bytes, text_bytes));
    return {};
  }
  emptied(unpacked_).resize(text_bytes);
  const unsigned got = lzf_decompress(packed.data(), static_cast<unsigned>(packed.size()),
                                      unpacked_.data(), static_cast<unsigned>(text_bytes));
  if (got == text_bytes) return unpacked_;
  fail_at(start, what, "compressed bytes that do not unpack");
  return {};
}

std::string_view RdbReader::number_text(int64_t number) {
  char digits[ae::kMaxInt64Chars];
  return emptied(scratch_).assign(digits, ae::format_int64(number, digits));
}

RdbReader::Text RdbReader::text_or_number(const char* what) {
  const Length length = length_or_encoding(what);
  if (failed()) return {};
  if (!length.encoded) return {bytes(length.value, what), {}};
  if (length.value == rdb::kTextLzf) return {compressed_text(what), {}};
  const int64_t number = encoded_number(length.value, what);
  return {{}, number};
}

std::string_view RdbReader::text(const char* what) {
  const Text read = text_or_number(what);
  return read.number && !failed() ? number_text(*read.number) : read.text;
}

// A byte of length and the number's text; 253, 254 and 255 are NaN and the infinities.
double RdbReader::score_text(const char* what) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const uint64_t start = offset_;
  const uint8_t length = byte(what);
  if (length == 255) return -kInfinity;
  if (length == 254) return kInfinity;
  if (length == 253) return std::numeric_limits<double>::quiet_NaN();
  const std::string_view text = bytes(length, what);
  const auto score = ae::parse_double(text);
  if (!score) fail_at(start, what, "a text that is no number");
  return score.value_or(0);
}

}  // namespace millrace
