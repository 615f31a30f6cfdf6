#include "server/scripting/function_payload.h"

#include <gtest/gtest.h>

#include "ae/base/prng.h"

namespace millrace::scripting {
namespace {

std::vector<std::string_view> views(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

TEST(FunctionPayload, GivesBackWhatItTook) {
  const std::vector<std::string> codes = {"",
                                          "#!lua name=a\n",
                                          std::string(63, 'x'),
                                          std::string(64, 'y'),
                                          std::string(16383, 'z'),
                                          std::string(16384, 'w'),
                                          std::string(100'000, '\0')};
  const Payload payload = parse_payload(make_payload(views(codes)));
  EXPECT_EQ(payload.error, "");
  EXPECT_EQ(payload.codes, codes);
}

TEST(FunctionPayload, RefusesWhatWasChanged) {
  const std::string good = make_payload(std::vector<std::string_view>{"#!lua name=a\n"});
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] ^= 1;
    EXPECT_NE(parse_payload(bad).error, "") << i;
    EXPECT_NE(parse_payload(std::string_view(good).substr(0, i)).error, "") << i;
  }
}

TEST(UnpackLzf, KnowsRunsAndReferences) {
  using namespace std::string_view_literals;
  EXPECT_EQ(unpack_lzf("\x02"
                       "abc"sv,
                       3),
            "abc");
  EXPECT_EQ(unpack_lzf("\x00"
                       "a\xe0\x01\x00"sv,
                       11),
            "aaaaaaaaaaa");  // overlaps itself
  EXPECT_EQ(unpack_lzf("\x02"
                       "abc\x20\x02"sv,
                       6),
            "abcabc");
}

TEST(UnpackLzf, RefusesWhatIsNotWellFormed) {
  using namespace std::string_view_literals;
  EXPECT_FALSE(
      unpack_lzf("\x05"
                 "abc"sv,
                 6));  // the run is cut
  EXPECT_FALSE(
      unpack_lzf("\x02"
                 "abc"sv,
                 2));  // longer than said
  EXPECT_FALSE(
      unpack_lzf("\x02"
                 "abc"sv,
                 4));  // shorter than said
  EXPECT_FALSE(
      unpack_lzf("\x00"
                 "a\x20\x05"sv,
                 4));  // before the beginning
  EXPECT_FALSE(
      unpack_lzf("\x00"
                 "a\xe0"sv,
                 4));  // no length
  EXPECT_FALSE(
      unpack_lzf("\x00"
                 "a\x20"sv,
                 4));  // no distance
}

TEST(UnpackLzf, BearsAnyBytes) {
  ae::Prng prng(20261126);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    const size_t size = prng.below(24);
    for (size_t i = 0; i < size; ++i) bytes += char(prng.below(256));
    const size_t said = prng.below(64);
    const auto out = unpack_lzf(bytes, said);
    if (out) {
      ASSERT_EQ(out->size(), said);
    }
  }
}

}  // namespace
}  // namespace millrace::scripting
