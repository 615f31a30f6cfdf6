#include "server/config/config_file.h"

#include <gtest/gtest.h>

#include "tests/server/config/temporary_directory.h"

namespace millrace {
namespace {

using std::literals::operator""sv;

ConfigText read_text(std::string_view bytes, const std::string& directory = "/") {
  ConfigText text;
  read_config_text(bytes, "test", directory, text);
  return text;
}

// "line:word,word", or "line!error", a line each.
std::string shown(const ConfigText& text) {
  std::string out;
  for (const ConfigLine& line : text.lines) {
    out += std::to_string(line.number);
    if (line.error) {
      out += "!" + *line.error;
    } else {
      for (const std::string& word : line.words)
        out += (&word == &line.words[0] ? ":" : ",") + word;
    }
    out += "\n";
  }
  return out;
}

TEST(ConfigFile, SkipsCommentsAndBlankLines) {
  EXPECT_EQ(shown(read_text("# a comment\n\n  port  6379  \r\n \t \n   # indented\ntimeout 5")),
            "3:port,6379\n6:timeout,5\n");
}

TEST(ConfigFile, HashInsideALineIsNoComment) {
  EXPECT_EQ(shown(read_text("requirepass a#b\n")), "1:requirepass,a#b\n");
}

TEST(ConfigFile, ErrorsStayInTheirPlace) {
  constexpr std::string_view kText = "a 1\nb \"2\nc 3\nd\0e\nf 4\n"sv;
  EXPECT_EQ(shown(read_text(kText)),
            "1:a,1\n2!Unbalanced quotes in configuration line\n3:c,3\n4!a NUL byte in the "
            "line\n5:f,4\n");
}

TEST(ConfigFile, EmptyTextHasNoLines) {
  EXPECT_TRUE(read_text("").lines.empty());
  EXPECT_TRUE(read_text("\n\n\n").lines.empty());
}

TEST(ConfigFile, IncludeStandsInItsPlace) {
  TemporaryDirectory directory;
  directory.write("inner.conf", "inside 1\ninside 2\n");
  ConfigText text = read_text("before 1\ninclude inner.conf\nafter 1\n", directory.path());
  EXPECT_EQ(shown(text), "1:before,1\n1:inside,1\n2:inside,2\n3:after,1\n");
  EXPECT_EQ(text.lines[1].source, "inner.conf");
}

TEST(ConfigFile, PatternIncludesInAlphabeticalOrder) {
  TemporaryDirectory directory;
  directory.write("conf.d/20.conf", "second 2\n");
  directory.write("conf.d/10.conf", "first 1\n");
  directory.write("conf.d/30.txt", "not included\n");
  const std::string line = "include " + directory.path("conf.d/*.conf");
  EXPECT_EQ(shown(read_text(line)), "1:first,1\n1:second,2\n");
  EXPECT_EQ(shown(read_text("include /nowhere/*.conf\n")), "");
}

TEST(ConfigFile, MissingIncludeIsTheIncludingLinesError) {
  EXPECT_EQ(shown(read_text("port 1\ninclude nowhere.conf\n")),
            "1:port,1\n2!can't open config file 'nowhere.conf': No such file or directory\n");
  EXPECT_EQ(shown(read_text("include a b\n")), "1!wrong number of arguments\n");
}

TEST(ConfigFile, FileThatIncludesItselfIsStopped) {
  TemporaryDirectory directory;
  const std::string path = directory.write("loop.conf", "port 1\ninclude loop.conf\n");
  ConfigText text;
  read_config_file(path, directory.path(), text);
  EXPECT_EQ(text.files, kMaxIncludeDepth + 1);
  EXPECT_TRUE(text.lines.back().error);
  EXPECT_NE(text.lines.back().error->find("include itself"), std::string::npos);
}

// Two includes of itself in a file would be 2^16 files.
TEST(ConfigFile, ManyFilesAreStopped) {
  TemporaryDirectory directory;
  const std::string path =
      directory.write("loop.conf", "include loop.conf\ninclude loop.conf\nport 1\n");
  ConfigText text;
  read_config_file(path, directory.path(), text);
  EXPECT_EQ(text.files, kMaxConfigFiles);
  EXPECT_LT(text.lines.size(), 3 * kMaxConfigFiles);
}

TEST(ConfigFile, ManyLinesAreStopped) {
  std::string bytes;
  for (size_t i = 0; i < kMaxConfigLines + 10; ++i) bytes += "a\n";
  const ConfigText text = read_text(bytes);
  EXPECT_EQ(text.lines.size(), kMaxConfigLines + 1);
  EXPECT_EQ(text.lines.back().error, "too many lines");
}

TEST(ConfigFile, UnreadableFiles) {
  ConfigText text;
  read_config_file("/nowhere/x.conf", "/", text);
  EXPECT_EQ(shown(text), "0!can't open config file '/nowhere/x.conf': No such file or directory\n");
  TemporaryDirectory directory;
  EXPECT_EQ(read_whole_file(directory.path()).error().code, EISDIR);
  EXPECT_EQ(read_whole_file("/dev/zero").error().code, EFBIG);
}

}  // namespace
}  // namespace millrace
