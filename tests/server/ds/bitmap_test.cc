#include "server/ds/bitmap.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace millrace::ds {
namespace {

std::mt19937_64 seeded() {
  const uint64_t seed = std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  return std::mt19937_64(seed);
}

// Mostly of one byte over and over, so that there are long runs.
std::string random_bytes(std::mt19937_64& random, size_t most) {
  constexpr char kFills[] = {0, '\xff', '\x10', '\x7f'};
  std::string bytes(random() % (most + 1), kFills[random() % 4]);
  for (size_t i = random() % 3; i > 0 && !bytes.empty(); --i)
    bytes[random() % bytes.size()] = static_cast<char>(random());
  return bytes;
}

std::vector<bool> bits_of(std::string_view bytes) {
  std::vector<bool> bits;
  for (const char byte : bytes)
    for (int shift = 7; shift >= 0; --shift) bits.push_back(byte >> shift & 1);
  return bits;
}

TEST(Bitmap, HighestBitOfAByteIsTheFirst) {
  std::string bytes(2, '\0');
  set_bit({bytes.data(), bytes.size()}, 0, true);
  set_bit({bytes.data(), bytes.size()}, 9, true);
  EXPECT_EQ(bytes, "\x80\x40");
  EXPECT_TRUE(bit_at(bytes, 0) && bit_at(bytes, 9));
  EXPECT_FALSE(bit_at(bytes, 1) || bit_at(bytes, 16) || bit_at(bytes, UINT64_MAX));
  set_bit({bytes.data(), bytes.size()}, 0, false);
  EXPECT_EQ(bytes, std::string("\0\x40", 2));
}

TEST(Bitmap, EmptyRanges) {
  EXPECT_EQ(count_ones(""), 0u);
  EXPECT_EQ(count_ones("", {}), 0u);
  EXPECT_EQ(count_ones("\xff", {3, 3}), 0u);
  EXPECT_EQ(find_bit("", true, {}), std::nullopt);
  EXPECT_EQ(find_bit("\xff", true, {5, 5}), std::nullopt);
}

TEST(Bitmap, CountsAndFindsAsAModelDoes) {
  auto random = seeded();
  for (int round = 0; round < 20000; ++round) {
    const std::string bytes = random_bytes(random, 70);
    const std::vector<bool> bits = bits_of(bytes);
    uint64_t begin = random() % (bits.size() + 1), end = random() % (bits.size() + 1);
    if (begin > end) std::swap(begin, end);
    const bool wanted = random() % 2;

    uint64_t ones = 0;
    std::optional<uint64_t> first;
    for (uint64_t i = begin; i < end; ++i) {
      ones += bits[i];
      if (bits[i] == wanted && !first) first = i;
    }
    ASSERT_EQ(count_ones(bytes, {begin, end}), ones) << round;
    ASSERT_EQ(find_bit(bytes, wanted, {begin, end}), first) << round;
  }
}

char combined(BitOperation operation, char a, char b) {
  switch (operation) {
    case BitOperation::kAnd:
      return char(a & b);
    case BitOperation::kOr:
      return char(a | b);
    case BitOperation::kXor:
      return char(a ^ b);
    case BitOperation::kNot:
      break;
  }
  return char(~a);
}

TEST(Bitmap, CombinesAsAModelDoes) {
  auto random = seeded();
  for (int round = 0; round < 2000; ++round) {
    const auto operation = static_cast<BitOperation>(random() % 4);
    const size_t count = operation == BitOperation::kNot ? 1 : 1 + random() % 5;
    // More than a block of the implementation now and then.
    const size_t most = round % 50 == 0 ? 40000 : 100;
    std::vector<std::string> texts;
    size_t longest = 0;
    for (size_t i = 0; i < count; ++i) {
      texts.push_back(random_bytes(random, most));
      longest = std::max(longest, texts.back().size());
    }
    std::string expected = texts[0];
    expected.resize(longest);
    if (operation == BitOperation::kNot)
      for (char& byte : expected) byte = char(~byte);
    for (size_t i = 1; i < count; ++i) {
      std::string source = texts[i];
      source.resize(longest);
      for (size_t at = 0; at < longest; ++at)
        expected[at] = combined(operation, expected[at], source[at]);
    }
    std::string result(longest, '?');
    combine(operation, std::vector<std::string_view>(texts.begin(), texts.end()),
            {result.data(), result.size()});
    ASSERT_EQ(result, expected) << round;
  }
}

}  // namespace
}  // namespace millrace::ds
