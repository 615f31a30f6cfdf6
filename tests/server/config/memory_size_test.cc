#include "server/config/memory_size.h"

#include <gtest/gtest.h>

#include <limits>

namespace millrace {
namespace {

TEST(MemorySize, UnitsOfThousandAndOf1024) {
  EXPECT_EQ(parse_memory_size("0"), 0);
  EXPECT_EQ(parse_memory_size("123"), 123);
  EXPECT_EQ(parse_memory_size("5b"), 5);
  EXPECT_EQ(parse_memory_size("5k"), 5'000);
  EXPECT_EQ(parse_memory_size("5kb"), 5 * 1024);
  EXPECT_EQ(parse_memory_size("5m"), 5'000'000);
  EXPECT_EQ(parse_memory_size("5MB"), 5 << 20);
  EXPECT_EQ(parse_memory_size("2g"), 2'000'000'000);
  EXPECT_EQ(parse_memory_size("2Gb"), int64_t{2} << 30);
}

TEST(MemorySize, RefusesWhatIsNoSize) {
  for (const char* text : {"", "kb", "-1", "1.5gb", "1 gb", " 1", "1 ", "1tb", "0x10", "1kbb", "+1",
                           "01", "1e3", "gb1"}) {
    EXPECT_FALSE(parse_memory_size(text)) << text;
  }
}

TEST(MemorySize, RefusesWhatOverflows) {
  EXPECT_EQ(parse_memory_size("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_FALSE(parse_memory_size("9223372036854775808"));
  EXPECT_EQ(parse_memory_size("8589934591gb"), int64_t{8589934591} << 30);
  EXPECT_FALSE(parse_memory_size("8589934592gb"));
}

TEST(MemorySize, FormatReadsBack) {
  for (int shift = 0; shift < 63; ++shift) {
    for (const int64_t delta : {-1, 0, 1}) {
      const int64_t bytes = (int64_t{1} << shift) + delta;
      EXPECT_EQ(parse_memory_size(format_memory_size(bytes)), bytes);
    }
  }
  EXPECT_EQ(format_memory_size(64 << 20), "64mb");
  EXPECT_EQ(format_memory_size(1000), "1000");
  EXPECT_EQ(format_memory_size(0), "0");
}

}  // namespace
}  // namespace millrace
