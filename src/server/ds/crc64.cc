#include "server/ds/crc64.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace millrace::ds {
namespace {

static_assert(std::endian::native == std::endian::little, "words are loaded as they lie");

constexpr uint64_t kPolynomial = 0x95ac9329ac4bc9b5;  // reflected
constexpr size_t kSlices = 8;

using Table = std::array<uint64_t, 256>;

// tables[n][byte]: what the byte does to the remainder from n bytes before the end of a word.
constexpr std::array<Table, kSlices> make_tables() {
  std::array<Table, kSlices> tables{};
  for (uint64_t byte = 0; byte < 256; ++byte) {
    uint64_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? kPolynomial : 0);
    }
    tables[0][byte] = remainder;
  }
  for (size_t slice = 1; slice < kSlices; ++slice) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint64_t before = tables[slice - 1][byte];
      tables[slice][byte] = tables[0][before & 0xff] ^ (before >> 8);
    }
  }
  return tables;
}
constexpr std::array<Table, kSlices> kTables = make_tables();

uint64_t step_word(uint64_t crc, const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  word ^= crc;
  uint64_t next = 0;
  for (size_t i = 0; i < kSlices; ++i) next ^= kTables[kSlices - 1 - i][word >> (8 * i) & 0xff];
  return next;
}

}  // namespace

uint64_t crc64(uint64_t crc, std::string_view bytes) {
  while (bytes.size() >= kSlices) {
    crc = step_word(crc, bytes.data());
    bytes.remove_prefix(kSlices);
  }
  for (const char c : bytes) {
    crc = kTables[0][(crc ^ static_cast<unsigned char>(c)) & 0xff] ^ (crc >> 8);
  }
  return crc;
}

}  // namespace millrace::ds
