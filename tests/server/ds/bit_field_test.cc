#include "server/ds/bit_field.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "server/ds/bitmap.h"

namespace millrace::ds {
namespace {

BitFieldType type(std::string_view name) {
  return *BitFieldType::parse(name);
}

// A bit at a time.
int64_t slow_get(BitFieldType type, std::string_view bytes, uint64_t offset) {
  uint64_t value = type.is_signed && bit_at(bytes, offset) ? UINT64_MAX : 0;
  for (unsigned i = 0; i < type.bits; ++i) value = value << 1 | bit_at(bytes, offset + i);
  return static_cast<int64_t>(value);
}

void slow_set(BitFieldType type, ae::MutableBytes bytes, uint64_t offset, int64_t value) {
  for (unsigned i = 0; i < type.bits; ++i)
    set_bit(bytes, offset + i, value >> (type.bits - 1 - i) & 1);
}

TEST(BitField, ReadsTypes) {
  EXPECT_EQ(type("i64").bits, 64u);
  EXPECT_TRUE(type("i64").is_signed);
  EXPECT_EQ(type("u63").bits, 63u);
  EXPECT_FALSE(type("u1").is_signed);
  for (const char* wrong : {"", "i", "u", "i0", "i65", "u64", "u0", "i-1", "i08", "I8", "8", "x8"})
    EXPECT_FALSE(BitFieldType::parse(wrong)) << wrong;
}

TEST(BitField, Limits) {
  EXPECT_EQ(type("i1").min(), -1);
  EXPECT_EQ(type("i1").max(), 0);
  EXPECT_EQ(type("u1").max(), 1);
  EXPECT_EQ(type("u63").max(), INT64_MAX);
  EXPECT_EQ(type("i64").max(), INT64_MAX);
  EXPECT_EQ(type("i64").min(), INT64_MIN);
  EXPECT_EQ(type("u63").min(), 0);
}

TEST(BitField, Fits) {
  EXPECT_EQ(type("u8").fit(255, Overflow::kFail), 255);
  EXPECT_EQ(type("u8").fit(256, Overflow::kFail), std::nullopt);
  EXPECT_EQ(type("u8").fit(256, Overflow::kWrap), 0);
  EXPECT_EQ(type("u8").fit(-1, Overflow::kWrap), 255);
  EXPECT_EQ(type("u8").fit(300, Overflow::kSaturate), 255);
  EXPECT_EQ(type("u8").fit(-300, Overflow::kSaturate), 0);
  EXPECT_EQ(type("i8").fit(128, Overflow::kWrap), -128);
  EXPECT_EQ(type("i8").fit(INT64_MIN, Overflow::kSaturate), -128);
  EXPECT_EQ(type("i64").fit(BitFieldType::Wide{INT64_MAX} + 1, Overflow::kWrap), INT64_MIN);
  EXPECT_EQ(type("i64").fit(BitFieldType::Wide{INT64_MIN} - 1, Overflow::kSaturate), INT64_MIN);
}

TEST(BitField, EveryTypeAtEveryOffset) {
  const uint64_t seed = std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  for (const bool is_signed : {false, true})
    for (unsigned bits = 1; bits <= 63 + unsigned(is_signed); ++bits)
      for (uint64_t offset = 0; offset < 24; ++offset) {
        const BitFieldType type{is_signed, bits};
        std::string bytes((offset + bits + 7) / 8, '\0');
        for (char& byte : bytes) byte = static_cast<char>(random());
        ASSERT_EQ(type.get(bytes, offset), slow_get(type, bytes, offset)) << bits << " " << offset;

        std::string expected = bytes;
        const auto value = static_cast<int64_t>(random());
        type.set({bytes.data(), bytes.size()}, offset, value);
        slow_set(type, {expected.data(), expected.size()}, offset, value);
        ASSERT_EQ(bytes, expected) << bits << " " << offset;
      }
}

TEST(BitField, ZerosBehindTheEnd) {
  EXPECT_EQ(type("u8").get("", 0), 0);
  EXPECT_EQ(type("u16").get("\xff", 0), 0xff00);
  EXPECT_EQ(type("i16").get("\xff", 4), -4096);
  EXPECT_EQ(type("i64").get("\xff", UINT64_C(1) << 40), 0);
}

}  // namespace
}  // namespace millrace::ds
