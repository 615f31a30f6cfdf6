// RdbWriter and RdbReader against each other, and the reader against bytes that are wrong.
#include <gtest/gtest.h>

#include <cerrno>
#include <cmath>
#include <limits>

#include "server/ds/crc64.h"
#include "server/persist/rdb_reader.h"
#include "server/persist/rdb_writer.h"

namespace millrace {
namespace {

template <typename Write>
std::string written(Write&& write, RdbOptions options = {}) {
  StringSink sink;
  RdbWriter out(sink, options);
  write(out);
  EXPECT_TRUE(out.flush());
  return sink.bytes;
}

// Hands out one byte at a time, so that everything is refilled in its middle.
class SlowSource final : public ByteSource {
 public:
  explicit SlowSource(std::string_view bytes) : all_(bytes) {}
  ae::Result<size_t> read(ae::MutableBytes into) override { return all_.read(into.first(1)); }

 private:
  StringSource all_;
};

TEST(RdbPrimitives, LengthsTakeTheBytesOfTheFormat) {
  const std::pair<uint64_t, size_t> lengths[] = {
      {0, 1},     {63, 1},         {64, 2},         {16383, 2},
      {16384, 5}, {UINT32_MAX, 5}, {1ull << 32, 9}, {UINT64_MAX, 9},
  };
  for (const auto& [length, bytes] : lengths) {
    const std::string raw = written([&, length = length](RdbWriter& out) { out.length(length); });
    EXPECT_EQ(raw.size(), bytes) << length;
    SlowSource source(raw);
    RdbReader in(source);
    EXPECT_EQ(in.length("a length"), length);
    EXPECT_TRUE(in.at_end());
    EXPECT_FALSE(in.failed()) << in.problem();
  }
}

TEST(RdbPrimitives, TextsComeBack) {
  std::string long_text;
  for (int i = 0; i < 100'000; ++i) long_text += static_cast<char>('a' + i % 1000 * i % 7);
  const std::string texts[] = {"",
                               "a",
                               "0",
                               "-1",
                               "127",
                               "128",
                               "-129",
                               "32768",
                               "2147483647",
                               "2147483648",
                               "007",
                               "-0",
                               "+1",
                               " 1",
                               std::string(20, 'x'),
                               long_text,
                               std::string(1 << 20, 'y'),
                               std::string("\0\xff", 2)};
  for (const bool compress : {false, true}) {
    const std::string raw = written(
        [&](RdbWriter& out) {
          for (const std::string& text : texts) out.text(text);
        },
        {.compress = compress});
    StringSource source(raw);
    RdbReader in(source);
    for (const std::string& text : texts) EXPECT_EQ(in.text("a text"), text);
    EXPECT_TRUE(in.at_end());
    EXPECT_EQ(in.checksum(), ds::crc64(raw));
    EXPECT_EQ(in.offset(), raw.size());
  }
}

TEST(RdbPrimitives, NumbersAndRepetitionAreSmall) {
  EXPECT_EQ(written([](RdbWriter& out) { out.text("-1"); }), std::string("\xc0\xff"));
  EXPECT_EQ(written([](RdbWriter& out) { out.text("300"); }), std::string("\xc1\x2c\x01", 3));
  EXPECT_EQ(written([](RdbWriter& out) { out.text("100000"); }),
            std::string("\xc2\xa0\x86\x01\x00", 5));
  EXPECT_LT(written([](RdbWriter& out) { out.text(std::string(1000, 'x')); }).size(), 40u);
}

TEST(RdbPrimitives, DoublesAreBitsAndOldScoresAreText) {
  const double scores[] = {0.0, -0.0, 1.5, 1e300, std::numeric_limits<double>::infinity()};
  for (const double score : scores) {
    const std::string raw = written([&](RdbWriter& out) { out.float64(score); });
    StringSource source(raw);
    RdbReader in(source);
    EXPECT_EQ(in.float64("a score"), score);
  }
  StringSource source(
      "\x03"
      "1.5"
      "\xff\xfe\xfd"
      "\x02zz");
  RdbReader in(source);
  EXPECT_EQ(in.score_text("a score"), 1.5);
  EXPECT_EQ(in.score_text("a score"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(in.score_text("a score"), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(in.score_text("a score")));
  in.score_text("a score");
  EXPECT_EQ(in.problem(), "at 0x7: expected a score, got a text that is no number");
}

std::string problem_of(std::string_view raw) {
  StringSource source(raw);
  RdbReader in(source);
  EXPECT_EQ(in.text("a text"), "");
  return in.problem();
}

TEST(RdbPrimitives, ProblemsAreSentences) {
  EXPECT_EQ(problem_of(""), "at 0x0: expected a text, got the end after 0 of 1 bytes");
  EXPECT_EQ(problem_of("\x05"
                       "abc"),
            "at 0x1: expected a text, got the end after 3 of 5 bytes");
  EXPECT_EQ(problem_of("\x82"
                       "abcd"),
            "at 0x0: expected a text, got 0x82, which begins no length");
  EXPECT_EQ(problem_of("\xc7"), "at 0x1: expected a text, got a text of unknown encoding 7");
  // A length that nothing follows takes no memory.
  EXPECT_EQ(problem_of("\x81\x7f\xff\xff\xff\xff\xff\xff\xff"),
            "at 0x9: expected a text, got a length of 9223372036854775807");
  EXPECT_EQ(problem_of(std::string("\x80\xff\xff\xff\x00"
                                   "abc",
                                   8)),
            "at 0x5: expected a text, got the end after 3 of 4294967040 bytes");
  EXPECT_EQ(problem_of(std::string("\xc3\x01\x80\x00\x10\x00\x00"
                                   "a",
                                   8)),
            "at 0x1: expected a text, got 1 bytes that should unpack to 1048576");
  EXPECT_EQ(problem_of("\xc3\x02\x04\xff\xff"),
            "at 0x1: expected a text, got compressed bytes that do not unpack");
}

TEST(RdbPrimitives, TheFirstProblemStays) {
  StringSource source(
      "\x05"
      "abc");
  RdbReader in(source);
  EXPECT_EQ(in.text("a text"), "");
  const std::string first = in.problem();
  EXPECT_EQ(in.length("a length"), 0u);
  EXPECT_EQ(in.fixed64("a number"), 0u);
  in.fail("something", "else");
  EXPECT_EQ(in.problem(), first);
}

class FullSink final : public ByteSink {
 public:
  ae::Status write(ae::Bytes) override { return ae::fail(ENOSPC, "write"); }
};

TEST(RdbPrimitives, TheSinksErrorComesWithTheFlush) {
  FullSink sink;
  RdbWriter out(sink, {});
  for (int i = 0; i < 100'000; ++i) out.text("some text");
  EXPECT_TRUE(out.failed());
  EXPECT_EQ(out.flush().error().code, ENOSPC);
}

}  // namespace
}  // namespace millrace
