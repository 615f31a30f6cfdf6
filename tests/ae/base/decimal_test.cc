#include "ae/base/decimal.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <random>
#include <string>

namespace ae {
namespace {

std::string int64_text(int64_t value) {
  char text[kMaxInt64Chars];
  return {text, format_int64(value, text)};
}

std::string uint64_text(uint64_t value) {
  char text[kMaxInt64Chars];
  return {text, format_uint64(value, text)};
}

std::string double_text(double value) {
  char text[kMaxDoubleChars];
  return {text, format_double(value, text)};
}

std::string human_text(long double value) {
  std::string text(kMaxLongDoubleChars, '\0');
  text.resize(format_long_double_human(value, text.data()));
  return text;
}

// Random numbers of every magnitude, not only great ones.
uint64_t random_magnitude(std::mt19937_64& random) {
  return random() >> (random() % 64);
}

TEST(Decimal, IntegersPrintAsTheStandardLibraryPrintsThem) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    for (const uint64_t near : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
      const uint64_t value = (uint64_t{1} << bit) + near;
      EXPECT_EQ(uint64_text(value), std::to_string(value));
      EXPECT_EQ(decimal_length(value), std::to_string(value).size());
      const auto as_signed = static_cast<int64_t>(value);
      EXPECT_EQ(int64_text(as_signed), std::to_string(as_signed));
    }
  }
  uint64_t power = 1;
  for (int digits = 1; digits <= 20; ++digits, power *= 10) {
    EXPECT_EQ(uint64_text(power), std::to_string(power));
    EXPECT_EQ(uint64_text(power - 1), std::to_string(power - 1));
  }
}

TEST(Decimal, IntegersComeBack) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20000; ++i) {
    const auto value = static_cast<int64_t>(random_magnitude(random)) * (random() % 2 ? 1 : -1);
    ASSERT_EQ(parse_int64(int64_text(value)), value);
  }
  EXPECT_EQ(parse_int64("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(parse_int64("-9223372036854775808"), std::numeric_limits<int64_t>::min());
}

TEST(Decimal, OnlyTheOneSpellingOfAnIntegerIsAccepted) {
  for (const char* text : {"",
                           "-",
                           "+1",
                           " 1",
                           "1 ",
                           "01",
                           "-0",
                           "-01",
                           "00",
                           "1.0",
                           "1e3",
                           "0x1",
                           "--1",
                           "1-",
                           "a",
                           "9223372036854775808",
                           "-9223372036854775809",
                           "18446744073709551616",
                           "99999999999999999999",
                           "10000000000000000000000",
                           "1\r",
                           "1/",
                           "1:"}) {
    EXPECT_FALSE(parse_int64(text)) << text;
  }
  EXPECT_FALSE(parse_int64(std::string_view("1\0", 2)));
  EXPECT_EQ(parse_int64("0"), 0);
  EXPECT_EQ(parse_int64("-1"), -1);
}

// A text is accepted if and only if printing what was read gives the text again.
TEST(Decimal, RandomTextsAgreeWithTheDefinitionOfStrictness) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  constexpr std::string_view kAlphabet = "0123456789999-+ .";
  for (int i = 0; i < 50000; ++i) {
    std::string text;
    for (size_t n = random() % 22; n > 0; --n) text += kAlphabet[random() % kAlphabet.size()];
    errno = 0;
    const long long value = std::strtoll(text.c_str(), nullptr, 10);
    const bool strict = errno == 0 && std::to_string(value) == text;
    ASSERT_EQ(parse_int64(text).has_value(), strict) << '"' << text << '"';
  }
}

TEST(Decimal, DoublesAreReadAsStrtodReadsThem) {
  EXPECT_EQ(parse_double("3"), 3.0);
  EXPECT_EQ(parse_double("+3.5"), 3.5);
  EXPECT_EQ(parse_double(".5"), 0.5);
  EXPECT_EQ(parse_double("5."), 5.0);
  EXPECT_EQ(parse_double("1e-5"), 1e-5);
  EXPECT_EQ(parse_double("0x1p-3"), 0.125);
  EXPECT_EQ(parse_double("0X10"), 16.0);
  EXPECT_EQ(parse_double("0"), 0.0);
  EXPECT_TRUE(std::signbit(parse_double("-0").value()));
  EXPECT_EQ(parse_double("4.9e-324"), std::numeric_limits<double>::denorm_min());
  for (const char* text : {"inf", "+inf", "INF", "Infinity", "+iNfInItY"}) {
    EXPECT_EQ(parse_double(text), std::numeric_limits<double>::infinity()) << text;
  }
  for (const char* text : {"-inf", "-INFINITY"}) {
    EXPECT_EQ(parse_double(text), -std::numeric_limits<double>::infinity()) << text;
  }
  // Longer than the buffer on the stack.
  EXPECT_EQ(parse_double(std::string(1000, '0') + "7"), 7.0);
  EXPECT_EQ(parse_double("0." + std::string(2000, '1') + "e0"), 1.0 / 9);
}

TEST(Decimal, RefusedDoubles) {
  for (const char* text :
       {"",   " 1", "1 ", "\t1", "nan",   "NAN",  "-nan", "nan(1)", "1e400", "-1e400", "1e-400",
        "0x", "1e", "e1", "--1", "1.2.3", "infi", "(1",   "1,5",    "+",     "."}) {
    EXPECT_FALSE(parse_double(text)) << text;
  }
  EXPECT_FALSE(parse_double(std::string_view("1\0", 2)));
  EXPECT_FALSE(parse_double(std::string(5000, '9')));
}

TEST(Decimal, ParsingLeavesErrnoAlone) {
  errno = ENOENT;
  parse_double("1e400");
  EXPECT_EQ(errno, ENOENT);
}

// Where the point and the exponent go, on both sides of every switch.
TEST(Decimal, DoublesPrintAsFpconvPrintsThem) {
  const std::pair<double, const char*> cases[] = {
      {3, "3"},
      {-3, "-3"},
      {0.0, "0"},
      {-0.0, "-0"},
      {0.1, "0.1"},
      {-1.5, "-1.5"},
      {0.1 + 0.2, "0.30000000000000004"},
      {3.141592653589793, "3.141592653589793"},
      {1e15, "1000000000000000"},
      {4611686018427387904.0, "4611686018427387904"},  // 2^62, the last plain integer
      {9223372036854775808.0, "9223372036854776000"},
      {5e18, "5e+18"},
      {1e20, "1e+20"},
      {-1e20, "-1e+20"},
      {1.23e22, "1.23e+22"},
      {1.2345678901234567e19, "12345678901234567000"},  // up to seven zeros are appended
      {1.2345678901234567e23, "123456789012345670000000"},
      {1.2345678901234567e24, "1.2345678901234568e+24"},
      {0.000001, "0.000001"},  // six decimals are plain
      {0.0000015, "1.5e-6"},
      {0.0015, "0.0015"},
      {0.00123456789, "0.00123456789"},  // exponents up to three are plain
      {0.000123456789, "1.23456789e-4"},
      {1e-7, "1e-7"},
      {1.5e-7, "1.5e-7"},
      {1234.5678901234, "1234.5678901234"},
      {12345.678901234, "1.2345678901234e+4"},
      {12345.678901, "12345.678901"},
      {1e-300, "1e-300"},
      {1e100, "1e+100"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {-1.7976931348623157e308, "-1.7976931348623157e+308"},
      {4.9406564584124654e-324, "5e-324"},
      {std::numeric_limits<double>::infinity(), "inf"},
      {-std::numeric_limits<double>::infinity(), "-inf"},
      {std::numeric_limits<double>::quiet_NaN(), "nan"},
      {-std::numeric_limits<double>::quiet_NaN(), "nan"},
  };
  for (const auto& [value, text] : cases) EXPECT_EQ(double_text(value), text);
}

TEST(Decimal, DoublesComeBackBitForBit) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 50000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const std::string text = double_text(value);
    ASSERT_LE(text.size(), kMaxDoubleChars);
    const auto back = parse_double(text);
    ASSERT_TRUE(back) << text;
    ASSERT_EQ(std::bit_cast<uint64_t>(*back), std::bit_cast<uint64_t>(value)) << text;
    ASSERT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
  }
}

TEST(Decimal, LongDoublesPrintForPeople) {
  EXPECT_EQ(human_text(3000), "3000");
  EXPECT_EQ(human_text(10.5L), "10.5");
  EXPECT_EQ(human_text(10.1L), "10.1");
  EXPECT_EQ(human_text(-0.25L), "-0.25");
  EXPECT_EQ(human_text(0), "0");
  EXPECT_EQ(human_text(-0.0L), "0");
  EXPECT_EQ(human_text(-1e-30L), "0");
  EXPECT_EQ(human_text(1e20L), "100000000000000000000");
  EXPECT_EQ(human_text(0.00000000000000001L), "0.00000000000000001");
  EXPECT_EQ(human_text(std::numeric_limits<long double>::infinity()), "inf");
  EXPECT_EQ(human_text(-std::numeric_limits<long double>::infinity()), "-inf");
  EXPECT_EQ(human_text(std::numeric_limits<long double>::max()).size(), 4933u);
}

TEST(Decimal, LongDoublesAreRead) {
  EXPECT_EQ(parse_long_double("10.5"), 10.5L);
  EXPECT_EQ(parse_long_double("5.0e3"), 5000.0L);
  EXPECT_EQ(parse_long_double("1e4000"), 1e4000L);
  EXPECT_EQ(parse_long_double("-inf"), -std::numeric_limits<long double>::infinity());
  for (const char* text : {"", " 1", "1 ", "nan", "abc", "1e5000", "1e-5000"}) {
    EXPECT_FALSE(parse_long_double(text)) << text;
  }
  EXPECT_FALSE(parse_long_double(std::string(kMaxLongDoubleChars, '0')));
}

}  // namespace
}  // namespace ae
