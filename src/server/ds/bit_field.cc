#include "server/ds/bit_field.h"

#include <algorithm>
#include <cstring>

#include "ae/base/assert.h"
#include "ae/base/decimal.h"

namespace millrace::ds {
namespace {

constexpr size_t kWordBytes = sizeof(uint64_t);
constexpr size_t kWindowBytes = kWordBytes + 1;

// The nine bytes from the field's first one on, the first byte on top; zeros behind the end.
struct Window {
  unsigned char bytes[kWindowBytes] = {};
  size_t present = 0;

  Window(std::string_view text, uint64_t offset) {
    const uint64_t first = offset / 8;
    if (first >= text.size()) return;
    present = std::min<size_t>(kWindowBytes, text.size() - first);
    std::memcpy(bytes, text.data() + first, present);
  }

  uint64_t word() const {
    uint64_t loaded;
    std::memcpy(&loaded, bytes, kWordBytes);
    return __builtin_bswap64(loaded);
  }
  void set_word(uint64_t word) {
    word = __builtin_bswap64(word);
    std::memcpy(bytes, &word, kWordBytes);
  }
};

}  // namespace

std::optional<BitFieldType> BitFieldType::parse(std::string_view text) {
  if (text.empty() || (text[0] != 'i' && text[0] != 'u')) return std::nullopt;
  const bool is_signed = text[0] == 'i';
  const auto bits = ae::parse_int64(text.substr(1));
  const unsigned most = is_signed ? kMaxSignedBits : kMaxUnsignedBits;
  if (!bits || *bits < 1 || *bits > most) return std::nullopt;
  return BitFieldType{is_signed, static_cast<unsigned>(*bits)};
}

int64_t BitFieldType::extended(uint64_t low_bits) const {
  const unsigned unused = 64 - bits;
  const uint64_t top = low_bits << unused;
  if (is_signed) return static_cast<int64_t>(top) >> unused;
  return static_cast<int64_t>(top >> unused);
}

std::optional<int64_t> BitFieldType::fit(Wide number, Overflow overflow) const {
  if (number >= min() && number <= max()) return static_cast<int64_t>(number);
  switch (overflow) {
    case Overflow::kSaturate:
      return number > max() ? max() : min();
    case Overflow::kWrap:
      return extended(static_cast<uint64_t>(number));
    case Overflow::kFail:
      break;
  }
  return std::nullopt;
}

int64_t BitFieldType::get(std::string_view bytes, uint64_t offset) const {
  const Window window(bytes, offset);
  const unsigned shift = offset % 8;
  // The field's first bit to the top; the ninth byte gives what that leaves open below.
  uint64_t word = window.word() << shift;
  word |= static_cast<uint64_t>(window.bytes[kWordBytes]) >> (8 - shift);
  return extended(word >> (64 - bits));
}

void BitFieldType::set(ae::MutableBytes bytes, uint64_t offset, int64_t value) const {
  AE_DCHECK((offset + bits + 7) / 8 <= bytes.size());
  Window window({bytes.data(), bytes.size()}, offset);
  const unsigned shift = offset % 8, unused = 64 - bits;
  const uint64_t mask = UINT64_MAX << unused;
  const uint64_t top = static_cast<uint64_t>(value) << unused;
  window.set_word((window.word() & ~(mask >> shift)) | top >> shift);
  // What has been shifted out of the eight bytes belongs to the ninth.
  if (shift + bits > 64) {
    const unsigned spilled = 8 - shift;  // places from the word's low end to the ninth byte's
    auto& ninth = window.bytes[kWordBytes];
    ninth = static_cast<unsigned char>((ninth & ~(mask << spilled)) | (top << spilled & 0xff));
  }
  std::memcpy(bytes.data() + offset / 8, window.bytes, window.present);
}

}  // namespace millrace::ds
