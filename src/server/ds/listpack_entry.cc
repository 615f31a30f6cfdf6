#include "server/ds/listpack_entry.h"

#include <optional>

#include "ae/base/assert.h"

namespace millrace::ds {
namespace listpack_entry {
namespace {

constexpr unsigned char kString12 = 0xe0;
constexpr unsigned char kString32 = 0xf0;
constexpr unsigned char kInteger13 = 0xc0;
constexpr unsigned char kInteger16 = 0xf1;
constexpr unsigned char kInteger24 = 0xf2;
constexpr unsigned char kInteger32 = 0xf3;
constexpr unsigned char kInteger64 = 0xf4;

unsigned char byte_at(const char* at, std::size_t index) {
  return static_cast<unsigned char>(at[index]);
}

std::uint32_t string12_size(const char* entry) {
  return (byte_at(entry, 0) & 15U) << 8 | byte_at(entry, 1);
}

std::uint32_t string32_size(const char* entry) {
  std::uint32_t size;
  std::memcpy(&size, entry + 1, sizeof size);
  return size;
}

// A little-endian two's complement number of `bytes` bytes.
std::int64_t read_integer(const char* from, unsigned bytes) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, from, bytes);
  const unsigned unused = 64 - 8 * bytes;
  return static_cast<std::int64_t>(bits << unused) >> unused;
}

std::int64_t read_integer13(const char* entry) {
  const std::uint64_t bits = (byte_at(entry, 0) & 31ULL) << 8 | byte_at(entry, 1);
  return static_cast<std::int64_t>(bits << 51) >> 51;
}

// Bytes that must be readable before the size of the entry can be told; 0: no such encoding.
std::uint32_t header_size(unsigned char first) {
  if (first < kInteger13) return 1;
  if (first < kString32) return 2;
  if (first == kString32) return 5;
  return first <= kInteger64 ? 1 : 0;
}

}  // namespace

void write_backlen_wide(char* to, std::uint32_t encoded_bytes) {
  const std::uint32_t size = backlen_size(encoded_bytes);
  for (std::uint32_t i = 0; i < size; ++i) {
    const std::uint32_t group = encoded_bytes >> (7 * (size - 1 - i)) & 127;
    to[i] = static_cast<char>(i == 0 ? group : group | 128);
  }
}

std::uint32_t encoded_size_wide(const char* entry) {
  const unsigned char first = byte_at(entry, 0);
  if (first < kString12) return 2;
  if (first < kString32) return 2 + string12_size(entry);
  switch (first) {
    case kString32:
      return 5 + string32_size(entry);
    case kInteger16:
      return 3;
    case kInteger24:
      return 4;
    case kInteger32:
      return 5;
    default:
      return 9;
  }
}

Element decode_wide(const char* entry) {
  const unsigned char first = byte_at(entry, 0);
  if (first < kString12) return Element::of_integer(read_integer13(entry));
  if (first < kString32) return Element::of_string({entry + 2, string12_size(entry)});
  switch (first) {
    case kString32:
      return Element::of_string({entry + 5, string32_size(entry)});
    case kInteger16:
      return Element::of_integer(read_integer(entry + 1, 2));
    case kInteger24:
      return Element::of_integer(read_integer(entry + 1, 3));
    case kInteger32:
      return Element::of_integer(read_integer(entry + 1, 4));
    default:
      return Element::of_integer(read_integer(entry + 1, 8));
  }
}

bool is_well_formed(const char* entry, const char* end) {
  const auto room = static_cast<std::size_t>(end - entry);
  if (room == 0) return false;
  const std::uint32_t header = header_size(byte_at(entry, 0));
  if (header == 0 || header > room) return false;
  if (byte_at(entry, 0) == kString32 && string32_size(entry) > kMaxListpackBytes) return false;
  const std::uint32_t encoded = encoded_size(entry);
  const std::uint32_t backlen = backlen_size(encoded);
  if (std::size_t{encoded} + backlen > room) return false;
  char expected[5];
  write_backlen(expected, encoded);
  return std::memcmp(entry + encoded, expected, backlen) == 0;
}

}  // namespace listpack_entry

EncodedEntry::EncodedEntry(const Element& element) {
  if (element.is_integer()) {
    encode_integer(element.integer());
  } else {
    encode(element.string());
  }
}

EncodedEntry EncodedEntry::of_integer(std::int64_t value) {
  EncodedEntry entry;
  entry.encode_integer(value);
  return entry;
}

void EncodedEntry::encode(std::string_view text) {
  if (const std::optional<std::int64_t> integer = ae::parse_int64(text)) {
    return encode_integer(*integer);
  }
  encode_string(text);
}

void EncodedEntry::encode_string(std::string_view text) {
  AE_ASSERT(text.size() < kMaxListpackBytes);
  const auto size = static_cast<std::uint32_t>(text.size());
  payload_ = text;
  if (size <= kMaxShortString) {
    head_[0] = static_cast<char>(0x80 | size);
    head_size_ = 1;
    return;
  }
  if (size <= 4095) {
    head_[0] = static_cast<char>(listpack_entry::kString12 | size >> 8);
    head_[1] = static_cast<char>(size);
    head_size_ = 2;
    return;
  }
  head_[0] = static_cast<char>(listpack_entry::kString32);
  std::memcpy(head_ + 1, &size, sizeof size);
  head_size_ = 5;
}

void EncodedEntry::encode_integer(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  const auto fits_in = [value](unsigned width) {
    const std::int64_t limit = std::int64_t{1} << (width - 1);
    return value >= -limit && value < limit;
  };
  if (value >= 0 && value <= 127) {
    head_[0] = static_cast<char>(value);
    head_size_ = 1;
    return;
  }
  if (fits_in(13)) {
    head_[0] = static_cast<char>(listpack_entry::kInteger13 | (bits >> 8 & 31));
    head_[1] = static_cast<char>(bits);
    head_size_ = 2;
    return;
  }
  if (fits_in(16)) return put_integer(listpack_entry::kInteger16, bits, 2);
  if (fits_in(24)) return put_integer(listpack_entry::kInteger24, bits, 3);
  if (fits_in(32)) return put_integer(listpack_entry::kInteger32, bits, 4);
  put_integer(listpack_entry::kInteger64, bits, 8);
}

void EncodedEntry::put_integer(unsigned char encoding, std::uint64_t bits, std::uint8_t bytes) {
  head_[0] = static_cast<char>(encoding);
  std::memcpy(head_ + 1, &bits, bytes);
  head_size_ = static_cast<std::uint8_t>(1 + bytes);
}

}  // namespace millrace::ds
