#include "server/scripting/function_payload.h"

#include "server/ds/crc64.h"

namespace millrace::scripting {
namespace {

constexpr char kFunctionMark = '\xf5';
constexpr uint16_t kVersion = 11;  // the RDB version of Redis 7.2
constexpr size_t kFooterBytes = 10;

// How lengths begin: 6 bits, 14 bits, or a byte that says what follows.
constexpr uint8_t kLength32 = 0x80;
constexpr uint8_t kLength64 = 0x81;
constexpr uint8_t kCompressed = 0xc3;
// A back reference of three bytes stands for at most 264; so many bytes from one are impossible.
constexpr size_t kMostExpansion = 264;

void append_number(std::string& out, uint64_t number, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) out += char(number >> (8 * i));
}

uint64_t number_at_end(std::string_view bytes, size_t count) {
  uint64_t number = 0;
  for (size_t i = 0; i < count; ++i)
    number |= uint64_t(uint8_t(bytes[bytes.size() - count + i])) << (8 * i);
  return number;
}

void append_text(std::string& out, std::string_view text) {
  if (text.size() < 64) {
    out += char(text.size());
  } else if (text.size() < 16384) {
    out += char(0x40 | (text.size() >> 8));
    out += char(text.size());
  } else {
    out += char(kLength64);
    for (size_t i = 8; i-- > 0;) out += char(uint64_t(text.size()) >> (8 * i));
  }
  out.append(text);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool more() const { return !bytes_.empty(); }

  std::optional<uint8_t> byte() {
    if (bytes_.empty()) return std::nullopt;
    const auto value = uint8_t(bytes_[0]);
    bytes_.remove_prefix(1);
    return value;
  }

  std::optional<std::string> text() {
    if (!bytes_.empty() && uint8_t(bytes_[0]) == kCompressed) return compressed_text();
    const auto size = length();
    if (!size || *size > bytes_.size()) return std::nullopt;
    return std::string(take(*size));
  }

 private:
  std::string_view take(size_t size) {
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  std::optional<uint64_t> big_endian(size_t count) {
    if (count > bytes_.size()) return std::nullopt;
    uint64_t number = 0;
    for (const char c : take(count)) number = number << 8 | uint8_t(c);
    return number;
  }

  std::optional<uint64_t> length() {
    const auto first = byte();
    if (!first) return std::nullopt;
    if (*first < 0x40) return *first;
    if (*first == kLength32) return big_endian(4);
    if (*first == kLength64) return big_endian(8);
    if (*first >= 0x80) return std::nullopt;
    const auto second = byte();
    if (!second) return std::nullopt;
    return uint64_t(*first & 0x3f) << 8 | *second;
  }

  std::optional<std::string> compressed_text() {
    byte();
    const auto packed = length();
    const auto size = length();
    if (!packed || !size || *packed > bytes_.size()) return std::nullopt;
    if (*size > *packed * kMostExpansion) return std::nullopt;
    return unpack_lzf(take(*packed), *size);
  }

  std::string_view bytes_;
};

bool is_footer_good(std::string_view bytes) {
  if (bytes.size() < kFooterBytes) return false;
  if (number_at_end(bytes.substr(0, bytes.size() - 8), 2) > kVersion) return false;
  return number_at_end(bytes, 8) == ds::crc64(bytes.substr(0, bytes.size() - 8));
}

}  // namespace

std::optional<std::string> unpack_lzf(std::string_view packed, size_t size) {
  std::string out;
  out.reserve(size);
  for (size_t at = 0; at < packed.size();) {
    const auto control = uint8_t(packed[at++]);
    if (control < 32) {  // a run of bytes as they are
      const size_t run = size_t(control) + 1;
      if (run > packed.size() - at || run > size - out.size()) return std::nullopt;
      out.append(packed.substr(at, run));
      at += run;
      continue;
    }
    size_t count = control >> 5;
    if (count == 7) {
      if (at == packed.size()) return std::nullopt;
      count += uint8_t(packed[at++]);
    }
    if (at == packed.size()) return std::nullopt;
    const size_t distance = (size_t(control & 0x1f) << 8 | uint8_t(packed[at++])) + 1;
    count += 2;
    if (distance > out.size() || count > size - out.size()) return std::nullopt;
    for (; count > 0; --count) out += out[out.size() - distance];  // may overlap itself
  }
  if (out.size() != size) return std::nullopt;
  return out;
}

std::string make_payload(std::span<const std::string_view> codes) {
  std::string out;
  for (const std::string_view code : codes) {
    out += kFunctionMark;
    append_text(out, code);
  }
  append_number(out, kVersion, 2);
  append_number(out, ds::crc64(out), 8);
  return out;
}

Payload parse_payload(std::string_view bytes) {
  if (!is_footer_good(bytes)) return {{}, "ERR DUMP payload version or checksum are wrong"};
  Payload payload;
  Reader reader(bytes.substr(0, bytes.size() - kFooterBytes));
  while (reader.more()) {
    if (reader.byte() != uint8_t(kFunctionMark)) return {{}, "ERR given type is not a function"};
    auto code = reader.text();
    if (!code) return {{}, "ERR Failed loading library payload"};
    payload.codes.push_back(std::move(*code));
  }
  return payload;
}

}  // namespace millrace::scripting
