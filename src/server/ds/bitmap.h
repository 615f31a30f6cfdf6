// A string of bytes as a row of bits: SETBIT, BITCOUNT, BITPOS, BITOP.
//
// Bit 0 is the highest of the first byte, as a ruler laid over the bytes would number them:
//
//     byte        0                 1
//     bits   7 6 5 4 3 2 1 0 | 7 6 5 4 3 2 1 0
//     offset 0 1 2 3 4 5 6 7   8 9 …
//
// so a run of bits is a run of bytes with a ragged edge at either end. All functions take the
// ragged edges by a mask and what is between them by words of eight bytes. A word is loaded as it
// lies where only its bits are counted or combined, and with its first byte on top where their
// order matters.
//
// Costs. count_ones: one instruction for each eight bytes, where the processor has it (all x86
// since 2008; asked once, at start), else the bit-slicing sum of D. Knuth's TAOCP 7.1.3 and of
// Warren's "Hacker's Delight". find_bit: a comparison for each eight bytes. combine: each byte of
// the sources is loaded once and the result stays in the first-level cache while it is worked on,
// however many sources there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "ae/base/bytes.h"

namespace millrace::ds {

// Offsets begin, begin + 1, … end - 1.
struct BitRange {
  uint64_t begin = 0;
  uint64_t end = 0;
};

constexpr uint64_t bit_length(std::string_view bytes) {
  return uint64_t{8} * bytes.size();
}

// Behind the last byte all bits are 0.
inline bool bit_at(std::string_view bytes, uint64_t offset) {
  const uint64_t byte = offset / 8;
  return byte < bytes.size() && (static_cast<unsigned char>(bytes[byte]) >> (7 - offset % 8) & 1);
}

// The byte must be there.
inline void set_bit(ae::MutableBytes bytes, uint64_t offset, bool bit) {
  char& byte = bytes[offset / 8];
  const auto mask = static_cast<unsigned char>(0x80 >> offset % 8);
  byte = static_cast<char>(bit ? byte | mask : byte & ~mask);
}

uint64_t count_ones(std::string_view bytes);

// The range must be inside.
uint64_t count_ones(std::string_view bytes, BitRange range);
// The first bit of the range that is `bit`; nothing: there is none.
std::optional<uint64_t> find_bit(std::string_view bytes, bool bit, BitRange range);

enum class BitOperation : uint8_t { kAnd, kOr, kXor, kNot };

// Writes the combination of the sources, of which there is one at least, and exactly one for kNot.
// `out` is as long as the longest of them; the shorter ones go on with zeros.
void combine(BitOperation operation, std::span<const std::string_view> sources,
             ae::MutableBytes out);

}  // namespace millrace::ds
