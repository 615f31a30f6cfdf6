#include "server/persist/aof_manifest.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

constexpr std::string_view kOrdinary =
    "file appendonly.aof.2.base.rdb seq 2 type b\n"
    "file appendonly.aof.1.incr.aof seq 1 type h\n"
    "file appendonly.aof.2.incr.aof seq 2 type i\n"
    "file appendonly.aof.3.incr.aof seq 3 type i\n";

AofManifest good(std::string_view text) {
  auto manifest = AofManifest::parse(text);
  EXPECT_TRUE(manifest) << manifest.error().sentence;
  return manifest ? *manifest : AofManifest();
}

ManifestProblem bad(std::string_view text) {
  auto manifest = AofManifest::parse(text);
  EXPECT_FALSE(manifest) << text;
  return manifest ? ManifestProblem() : manifest.error();
}

TEST(AofManifestTest, ReadsWhatItWrites) {
  const AofManifest manifest = good(kOrdinary);
  EXPECT_EQ(manifest.base, (AofFile{"appendonly.aof.2.base.rdb", 2}));
  EXPECT_EQ(manifest.increments.size(), 2u);
  EXPECT_EQ(manifest.history, (std::vector<AofFile>{{"appendonly.aof.1.incr.aof", 1}}));
  EXPECT_EQ(manifest.base_sequence, 2);
  EXPECT_EQ(manifest.increment_sequence, 3);
  EXPECT_EQ(manifest.text(), kOrdinary);
}

TEST(AofManifestTest, NamesWithBlanksAreQuoted) {
  AofManifest manifest;
  manifest.base = {"two words \x01.rdb", 1};
  manifest.base_sequence = 1;
  EXPECT_EQ(manifest.text(), "file \"two words \\x01.rdb\" seq 1 type b\n");
  EXPECT_EQ(good(manifest.text()), manifest);
}

TEST(AofManifestTest, CommentsUnknownKeysAndBlanksAreSkipped) {
  const AofManifest manifest =
      good("# written by hand\n  FILE a.aof SEQ 7 later 1 type i  \r\n# end\n");
  EXPECT_EQ(manifest.increments, (std::vector<AofFile>{{"a.aof", 7}}));
}

TEST(AofManifestTest, ProblemsAreRedisSentencesWithTheLine) {
  EXPECT_EQ(bad("").sentence, "Found an empty AOF manifest");
  struct Case {
    std::string_view second_line, sentence;
  };
  const std::string long_line(AofManifest::kMaxLineBytes, 'x');
  const Case cases[] = {
      {"\n", "Invalid AOF manifest file format"},
      {"file b seq 2\n", "Invalid AOF manifest file format"},
      {"file b seq 2 type i odd\n", "Invalid AOF manifest file format"},
      {"file \"b seq 2 type i\n", "Invalid AOF manifest file format"},
      {"file b seq x type i\n", "Invalid AOF manifest file format"},
      {"file b seq 0 type i\n", "Invalid AOF manifest file format"},
      {"name b seq 2 type i\n", "Invalid AOF manifest file format"},
      {"file ../b seq 2 type i\n", "File can't be a path, just a filename"},
      {"file b seq 2 type x\n", "Unknown AOF file type"},
      {"file b seq 2 type b\n", "Found duplicate base file information"},
      {"file b seq 2 type i", "The AOF manifest file contains too long line"},
      {long_line, "The AOF manifest file contains too long line"},
  };
  for (const Case& each : cases) {
    const ManifestProblem problem = bad("file a seq 1 type b\n" + std::string(each.second_line));
    EXPECT_EQ(problem.sentence, each.sentence) << each.second_line;
    EXPECT_EQ(problem.line, 2u) << each.second_line;
  }
}

TEST(AofManifestTest, IncrementsMustRise) {
  const ManifestProblem problem = bad("file a seq 2 type i\nfile b seq 2 type i\n");
  EXPECT_EQ(problem.sentence, "Found a non-monotonic sequence number");
  EXPECT_EQ(problem.text, "file b seq 2 type i");
}

TEST(AofManifestTest, ANewBaseMakesHistoryOfWhatItHolds) {
  AofManifest manifest = good(kOrdinary);
  manifest.replace_base({"appendonly.aof.3.base.rdb", 3}, 1);
  EXPECT_EQ(manifest.text(),
            "file appendonly.aof.3.base.rdb seq 3 type b\n"
            "file appendonly.aof.1.incr.aof seq 1 type h\n"
            "file appendonly.aof.2.base.rdb seq 2 type h\n"
            "file appendonly.aof.2.incr.aof seq 2 type h\n"
            "file appendonly.aof.3.incr.aof seq 3 type i\n");
  EXPECT_EQ(good(manifest.text()), manifest);
}

}  // namespace
}  // namespace millrace
