// Integers of 1 to 64 bits at any offset of a string's bits (BITFIELD).
//
//     u5 at offset 6, the value 0b10110:
//
//     byte          0                 1
//     bits   . . . . . . 1 0 | 1 1 0 . . . . .
//
// The highest bit comes first. A field that ends behind the last byte reads as if zeros followed.
//
//   const BitFieldType u8{.bits = 8};
//   if (auto sum = u8.fit(u8.get(bytes, 3) + 200, Overflow::kSaturate)) u8.set(bytes, 3, *sum);
//
// A field touches nine bytes at most: eight and a ninth whose bits the offset has pushed out of the
// first eight. Both are loaded at once, shifted and masked; nothing is done bit by bit.
//
// Sums are exact here, in 128 bits, so what overflows is decided by a comparison.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "ae/base/bytes.h"

namespace millrace::ds {

enum class Overflow : uint8_t {
  kWrap,      // the lowest bits stay
  kSaturate,  // the nearest number that fits
  kFail,      // no number
};

struct BitFieldType {
  // Unsigned fields have 63 bits at most, so that each value is an int64_t.
  static constexpr unsigned kMaxSignedBits = 64;
  static constexpr unsigned kMaxUnsignedBits = 63;
  // Wide enough for a sum of any value and any increment.
  __extension__ using Wide = __int128;

  bool is_signed = false;
  unsigned bits = 1;

  // "i16", "u8"; nothing: it names no type.
  static std::optional<BitFieldType> parse(std::string_view text);

  int64_t min() const { return is_signed ? -max() - 1 : 0; }
  int64_t max() const { return static_cast<int64_t>(UINT64_MAX >> (64 - bits) >> is_signed); }

  // A value of this type for any number; nothing: it does not fit and may not be made to.
  std::optional<int64_t> fit(Wide number, Overflow overflow) const;

  int64_t get(std::string_view bytes, uint64_t offset) const;
  // The value's lowest bits; all of the field's bytes must be there.
  void set(ae::MutableBytes bytes, uint64_t offset, int64_t value) const;

 private:
  // Lowest bits of a number, as a value of this type.
  int64_t extended(uint64_t low_bits) const;
};

}  // namespace millrace::ds
