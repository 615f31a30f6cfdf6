#include "ae/net/framer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ae/base/prng.h"

namespace ae::test {
namespace {

static_assert(Framer<LineFramer> && Framer<LengthPrefixedFramer> && Framer<FixedFramer>);

// Feeds `stream` in random pieces as on_data does, honouring `wanted`; returns the frames.
template <typename F>
std::vector<std::string> feed(const F& framer, std::string stream, Prng& prng) {
  std::vector<std::string> frames;
  size_t begin = 0, wanted = 0;
  for (size_t end = 0; end <= stream.size();) {
    if (end - begin >= wanted) {
      const auto result = for_each_frame(framer, MutableBytes(stream.data() + begin, end - begin),
                                         [&](Bytes payload) { frames.emplace_back(payload); });
      begin += result.consumed;
      EXPECT_NE(result.last.status, FrameStatus::kTooLong);
      EXPECT_GT(result.last.wanted, end - begin);  // a wish that makes progress
      wanted = result.last.wanted;
    }
    if (end == stream.size()) break;
    end = std::min(stream.size(), end + 1 + prng.next() % 9);
  }
  EXPECT_EQ(begin, stream.size());
  return frames;
}

TEST(FramerTest, AnySplitGivesTheSameFrames) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Prng prng(seed);
    std::vector<std::string> messages;
    std::string lines, prefixed, fixed;
    for (int i = 0; i < 20; ++i) {
      const std::string text(prng.next() % 30, char('a' + i));
      messages.push_back(text);
      lines += text + (prng.next() % 2 ? "\r\n" : "\n");
      prefixed += std::string{char(text.size()), 0, 0} + text;
    }
    EXPECT_EQ(feed(LineFramer(100), lines, prng), messages);
    EXPECT_EQ(feed(LengthPrefixedFramer(3, 100, ByteOrder::kLittleEndian), prefixed, prng),
              messages);
    std::vector<std::string> cells;
    for (int i = 0; i < 20; ++i) cells.push_back(std::string(7, char('a' + i)));
    for (const std::string& cell : cells) fixed += cell;
    EXPECT_EQ(feed(FixedFramer(7), fixed, prng), cells);
  }
}

TEST(FramerTest, LimitsHoldBeforeTheBytesAreThere) {
  EXPECT_EQ(LineFramer(3).next("abc").status, FrameStatus::kNeedMore);
  EXPECT_EQ(LineFramer(3).next("abc\r").status, FrameStatus::kNeedMore);
  EXPECT_EQ(LineFramer(3).next("abc\r\n").payload, "abc");
  EXPECT_EQ(LineFramer(3).next("abcd").status, FrameStatus::kTooLong);
  EXPECT_EQ(LineFramer(3).next("abcd\n").status, FrameStatus::kTooLong);
  EXPECT_EQ(LineFramer(0).next("\n").status, FrameStatus::kFrame);
  const LengthPrefixedFramer big(8, 1000);
  EXPECT_EQ(big.next(std::string(8, '\xff')).status, FrameStatus::kTooLong);
  EXPECT_EQ(big.next(std::string(7, '\xff')).wanted, 8u);
  EXPECT_EQ(LengthPrefixedFramer(2, 1000).next(Bytes("\x01\x00x", 3)).wanted, 258u);
  EXPECT_EQ(LengthPrefixedFramer(1, 10).next(Bytes("\x00rest", 5)).consumed, 1u);
}

}  // namespace
}  // namespace ae::test
