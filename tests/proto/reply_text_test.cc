#include <gtest/gtest.h>

#include <string>

#include "proto/reply_parser.h"
#include "proto/request_writer.h"

namespace proto {
namespace {

ReplyValue parsed(std::string_view bytes) {
  ReplyParser parser;
  EXPECT_EQ(parser.feed(bytes).status, ReplyStatus::kReply);
  return parser.take();
}

std::string text(std::string_view bytes) {
  return to_text(parsed(bytes));
}
std::string line(std::string_view bytes) {
  return to_line(parsed(bytes));
}

TEST(ReplyText, Scalars) {
  EXPECT_EQ(text("+OK\r\n"), "OK");
  EXPECT_EQ(text("-ERR x\r\n"), "(error) ERR x");
  EXPECT_EQ(text(":7\r\n"), "(integer) 7");
  EXPECT_EQ(text("$3\r\na\"\n\r\n"), R"("a\"\n")");
  EXPECT_EQ(text("$-1\r\n"), "(nil)");
  EXPECT_EQ(text("*-1\r\n"), "(nil)");
  EXPECT_EQ(text("_\r\n"), "(nil)");
  EXPECT_EQ(text(",0.5\r\n"), "(double) 0.5");
  EXPECT_EQ(text("#f\r\n"), "(false)");
  EXPECT_EQ(text("(12\r\n"), "(big number) 12");
  EXPECT_EQ(text("=6\r\ntxt:hi\r\n"), "hi");
  EXPECT_EQ(text("*0\r\n"), "(empty array)");
  EXPECT_EQ(text("%0\r\n"), "(empty hash)");
  EXPECT_EQ(text("~0\r\n"), "(empty set)");
}

TEST(ReplyText, Nested) {
  EXPECT_EQ(text("*2\r\n$1\r\na\r\n*2\r\n:1\r\n_\r\n"),
            "1) \"a\"\n"
            "2) 1) (integer) 1\n"
            "   2) (nil)");
  EXPECT_EQ(text("%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n*2\r\n:2\r\n:3\r\n"),
            "1# \"a\" => (integer) 1\n"
            "2# \"b\" =>\n"
            "   1) (integer) 2\n"
            "   2) (integer) 3");
  EXPECT_EQ(text("~1\r\n+x\r\n"), "1~ x");
}

TEST(ReplyText, NumbersAreRightAligned) {
  std::string bytes = "*10\r\n";
  for (int i = 0; i < 10; ++i) bytes += ":0\r\n";
  const std::string shown = text(bytes);
  EXPECT_EQ(shown.substr(0, 15), " 1) (integer) 0");
  EXPECT_NE(shown.find("\n10) (integer) 0"), std::string::npos);
}

TEST(ReplyText, OneLine) {
  EXPECT_EQ(line("*2\r\n$1\r\na\r\n*2\r\n:1\r\n_\r\n"), R"(["a", [(integer) 1, (nil)]])");
  EXPECT_EQ(line("%1\r\n$1\r\na\r\n~1\r\n:1\r\n"), R"({"a" => ~[(integer) 1]})");
  EXPECT_EQ(line("|1\r\n+ttl\r\n:9\r\n$1\r\nv\r\n"), R"(|{ttl => (integer) 9} "v")");
  EXPECT_EQ(line("*0\r\n"), "[]");
  EXPECT_EQ(line("!4\r\na\r\nb\r\n"), R"((error) "a\r\nb")");
}

TEST(ReplyText, QuotedBytes) {
  EXPECT_EQ(quoted(std::string_view("\0\x7f\xff\t\\", 5)), R"("\x00\x7f\xff\t\\")");
}

TEST(RequestWriter, AMultibulk) {
  EXPECT_EQ(encode_request({"SET", "k", ""}), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n");
}

}  // namespace
}  // namespace proto
