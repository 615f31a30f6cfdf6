#include "server/observe/log.h"

#include <gtest/gtest.h>
#include <regex.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <vector>

#include "tests/server/config/temporary_directory.h"

namespace millrace {
namespace {

using std::literals::operator""sv;

// The whole text, by an extended regular expression.
bool matches(const std::string& text, const std::string& expression) {
  regex_t compiled{};
  AE_ASSERT(regcomp(&compiled, ("^" + expression + "$").c_str(), REG_EXTENDED) == 0);
  const bool found = regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  regfree(&compiled);
  return found;
}

// Sends the log to a file, and back to standard output afterwards.
class LogTest : public testing::Test {
 protected:
  LogTest() { open(LogLevel::kNotice); }
  ~LogTest() override {
    log::set_role(log::Role::kStarting);
    (void)log::open({});
  }

  void open(LogLevel level) {
    ASSERT_TRUE(log::open({.level = level, .file = directory_.path("log")}));
  }
  std::string logged() const { return directory_.read("log"); }
  // What stands behind the mark in the only line.
  std::string text() const {
    const std::string line = logged();
    const size_t mark = line.find(" * ");
    return mark == line.npos ? line : line.substr(mark + 3, line.size() - mark - 4);
  }

  TemporaryDirectory directory_;
};

TEST_F(LogTest, LineIsRedisLine) {
  log::set_role(log::Role::kServer);
  log::notice("Ready on port {}", 6379);
  const std::string line =
      std::to_string(getpid()) +
      ":M [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3} "
      "\\* Ready on port 6379\n";
  EXPECT_TRUE(matches(logged(), line)) << logged();
}

TEST_F(LogTest, LevelsHaveTheirMarksAndAreFiltered) {
  open(LogLevel::kDebug);
  log::debug("a");
  log::verbose("b");
  log::notice("c");
  log::warning("d");
  log::set_level(LogLevel::kWarning);
  log::notice("not this");
  log::warning("e");
  log::set_level(LogLevel::kNothing);
  log::warning("nor this");
  std::string marks;
  std::istringstream lines(logged());
  for (std::string line; std::getline(lines, line);) marks += line.substr(line.size() - 3);
  EXPECT_EQ(marks, ". a- b* c# d# e");
}

TEST_F(LogTest, ControlCharactersAreEscaped) {
  log::notice("{}", "a\r\n1:M forged\x1b[2J\x7f\t\0é"sv);
  EXPECT_EQ(text(), "a\\x0d\\x0a1:M forged\\x1b[2J\\x7f\\x09\\x00é");
}

TEST_F(LogTest, LongLinesAreCut) {
  log::notice("{}", std::string(1'000'000, 'x'));
  EXPECT_EQ(text(), std::string(log::kMaxTextBytes - 3, 'x') + "...");
}

// The worst case for the buffer on the stack.
TEST_F(LogTest, LongLinesOfControlCharacters) {
  log::notice("{}", std::string(1'000'000, '\n'));
  EXPECT_EQ(text().size(), 4 * (log::kMaxTextBytes - 3) + 3);
}

TEST_F(LogTest, FileIsAppendedTo) {
  log::notice("one");
  open(LogLevel::kNotice);
  log::notice("two");
  EXPECT_NE(logged().find("one\n"), std::string::npos);
  EXPECT_NE(logged().find("two\n"), std::string::npos);
}

TEST_F(LogTest, UnopenableFileIsAnErrorAndTheLogStays) {
  const ae::Status status = log::open({.file = "/nowhere/log"});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ENOENT);
  log::notice("still here");
  EXPECT_EQ(text(), "still here");
}

// logrotate renames the file; Debian's configuration of it sends no signal. The first line after
// opening looks at the name, later ones once a second.
TEST_F(LogTest, RenamedFileIsFollowed) {
  std::filesystem::rename(directory_.path("log"), directory_.path("log.1"));
  log::notice("in the new file");
  EXPECT_EQ(text(), "in the new file");
  EXPECT_EQ(directory_.read("log.1"), "");
}

TEST_F(LogTest, OnceAMinuteByFormat) {
  for (int i = 0; i < 5; ++i) log::warning_once_a_minute("too many {}", i);
  EXPECT_NE(logged().find("# too many 0\n"), std::string::npos);
  EXPECT_EQ(logged().find("too many 1"), std::string::npos);
}

// Other tests have used up slots of the limiter, which slot is a matter of addresses: so any host
// that still has its line.
TEST_F(LogTest, ProtocolErrorsOncePerHostAndShort) {
  open(LogLevel::kVerbose);
  std::string host;
  for (int i = 1; logged().find("Protocol error") == std::string::npos; ++i) {
    ASSERT_LT(i, 100);
    host = "10.1.2." + std::to_string(i);
    log::protocol_error(host + ":1", "\x16\x03\x01", "too big mbulk count string");
  }
  log::protocol_error(host + ":2", "x", "unbalanced quotes in request");
  EXPECT_TRUE(
      logged().ends_with(" - Protocol error (too big mbulk count string) from client: " + host +
                         ":1. Query buffer during protocol error: '\\x16\\x03\\x01'\n"))
      << logged();
}

TEST_F(LogTest, RawBytesGoAsTheyAre) {
  log::write_raw("a\nb\n");
  EXPECT_EQ(logged(), "a\nb\n");
}

}  // namespace
}  // namespace millrace
