#include "server/ds/crc64.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace::ds {
namespace {

// One bit after the other, as the polynomial says it.
uint64_t slow_crc64(std::string_view bytes) {
  uint64_t crc = 0;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x95ac9329ac4bc9b5 : 0);
  }
  return crc;
}

TEST(Crc64, IsJones) {
  EXPECT_EQ(crc64("123456789"), 0xe9c6d914c4b8d9caULL);
  EXPECT_EQ(crc64(""), 0u);
}

TEST(Crc64, SlicesGiveWhatBitsGive) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(crc64(bytes), slow_crc64(bytes)) << i;
    bytes += static_cast<char>(i * 37 + 11);
  }
}

TEST(Crc64, GoesOnWhereItStopped) {
  const std::string bytes = "the quick brown fox jumps over the lazy dog";
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    EXPECT_EQ(crc64(crc64(bytes.substr(0, cut)), bytes.substr(cut)), crc64(bytes));
  }
}

}  // namespace
}  // namespace millrace::ds
