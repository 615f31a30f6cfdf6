#include "server/repl/backlog.h"

#include <gtest/gtest.h>

#include <string>

#include "ae/base/prng.h"

namespace millrace {
namespace {

std::string text_from(const Backlog& backlog, int64_t offset) {
  std::string text;
  for (std::string_view piece : backlog.from(offset)) text += piece;
  return text;
}

TEST(Backlog, NumbersBytesFromTheOneGiven) {
  Backlog backlog(Backlog::kMinBytes, 101);
  EXPECT_TRUE(backlog.reaches(101));
  EXPECT_FALSE(backlog.reaches(100));
  EXPECT_FALSE(backlog.reaches(102));
  backlog.append("abc");
  EXPECT_EQ(backlog.first_offset(), 101);
  EXPECT_EQ(backlog.next_offset(), 104);
  EXPECT_EQ(text_from(backlog, 102), "bc");
  EXPECT_EQ(text_from(backlog, 104), "");
}

TEST(Backlog, RoundsUpASizeThatIsOfNoUse) {
  EXPECT_EQ(Backlog(1, 1).capacity(), Backlog::kMinBytes);
}

// Against a string that forgets nothing.
TEST(Backlog, HoldsTheNewestBytesThroughAnyAppendsAndResizes) {
  constexpr uint64_t kSeed = 20261126;
  SCOPED_TRACE(kSeed);
  ae::Prng random(kSeed);
  std::string all;
  Backlog backlog(Backlog::kMinBytes, 1);
  for (int round = 0; round < 3000; ++round) {
    if (random.one_in(50)) backlog.resize(Backlog::kMinBytes + random.below(Backlog::kMinBytes));
    const size_t most = random.one_in(40) ? 3 * Backlog::kMinBytes : 300;
    std::string piece(random.below(most), char('a' + random.below(26)));
    backlog.append(piece);
    all += piece;
    ASSERT_EQ(backlog.next_offset(), int64_t(all.size()) + 1);
    ASSERT_LE(backlog.size(), backlog.capacity());
    const int64_t from = backlog.first_offset() + int64_t(random.below(backlog.size() + 1));
    ASSERT_TRUE(backlog.reaches(from));
    ASSERT_EQ(text_from(backlog, from), all.substr(size_t(from) - 1));
  }
}

}  // namespace
}  // namespace millrace
