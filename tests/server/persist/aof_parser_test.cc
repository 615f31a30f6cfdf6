#include "server/persist/aof_parser.h"

#include <gtest/gtest.h>

#include <string>

#include "proto/request_writer.h"

namespace millrace {
namespace {

using Kind = AofParser::Kind;

// What a file holds, in words: "SET k v|#TS:1|... error" or "... missing".
std::string read_in_pieces(std::string_view bytes, size_t piece) {
  AofParser parser;
  std::string told;
  for (size_t at = 0; at <= bytes.size(); at += piece) {
    parser.add(bytes.substr(at, piece));
    Kind kind;
    while ((kind = parser.next()) == Kind::kCommand || kind == Kind::kAnnotation) {
      if (kind == Kind::kAnnotation) told.append("#").append(parser.annotation());
      for (std::string_view arg : parser.args()) told.append(arg).append(" ");
      told += '|';
    }
    if (kind == Kind::kError) return told + parser.error();
  }
  if (parser.in_item()) told += parser.missing();
  return told;
}

std::string read(std::string_view bytes) {
  const std::string whole = read_in_pieces(bytes, bytes.size() + 1);
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    const std::string told = read_in_pieces(bytes, piece);
    EXPECT_EQ(told.substr(0, told.find("expected at least")),
              whole.substr(0, whole.find("expected at least")))
        << "in pieces of " << piece;
  }
  return whole;
}

TEST(AofParserTest, CommandsAndAnnotationsHoweverTheyAreCut) {
  const std::string bytes = proto::encode_request({"SELECT", "0"}) + "#TS:1700000000\r\n" +
                            proto::encode_request({"SET", "k", std::string_view("a\r\n\0b", 5)}) +
                            proto::encode_request({"SET", "", ""});
  EXPECT_EQ(read(bytes), std::string("SELECT 0 |#TS:1700000000|SET k a\r\n\0b |SET   |", 45));
}

// The limit is of the line, not of what has come of it (found by aof_parser_fuzz).
TEST(AofParserTest, TheLongestAnnotationIsReadHoweverItIsCut) {
  const std::string longest(AofParser::kMaxAnnotationBytes, '#');
  EXPECT_EQ(read(longest + "\n"), longest + "|");
  EXPECT_EQ(read(longest + "#\n"), "at 0x0: expected the end of the annotation, got '#'");
}

TEST(AofParserTest, AByteOutOfPlaceIsFoundWhereItIs) {
  EXPECT_EQ(read("SET k v\r\n"), "at 0x0: expected '*', got 'S'");
  EXPECT_EQ(read("*1\r\n+PING\r\n"), "at 0x4: expected '$', got '+'");
  EXPECT_EQ(read("*x\r\n"), "at 0x1: expected a number, got 'x'");
  EXPECT_EQ(read("*1x\r\n"), "at 0x1: expected a number, got '1'");
  EXPECT_EQ(read("*0\r\n"), "at 0x4: expected an array of at least one argument");
  EXPECT_EQ(read("*-1\r\n"), "at 0x1: expected a number up to 2147483647, got '-'");
  EXPECT_EQ(read("*1\rx"), "at 0x3: expected the end of the line, got 'x'");
  EXPECT_EQ(read("*1\r\n$4\r\nPINGxx"), "at 0xc: expected the end of the line, got 'x'");
  EXPECT_EQ(read("*1\r\n$4\r\nPING\r\n\x7f"), "PING |at 0xe: expected '*', got \\x7f");
  EXPECT_EQ(read("*1\r\n$9999999999999999999\r\n"), "at 0x5: expected a number, got '9'");
  EXPECT_EQ(read("*1\r\n$1099511627777\r\n"),
            "at 0x5: expected a number up to 1099511627776, got '1'");
  EXPECT_EQ(read("*" + std::string(100, '1')), "at 0x1: expected a number, got '1'");
  EXPECT_EQ(read_in_pieces("#" + std::string(2000, 'x'), 10'000).substr(0, 41),
            "at 0x0: expected the end of the annotatio");
}

TEST(AofParserTest, AFileThatEndsTooEarlyIsCutBehindTheLastWholeCommand) {
  const std::string whole = proto::encode_request({"SET", "k", "v"});
  for (size_t cut = 1; cut < whole.size(); ++cut) {
    AofParser parser;
    parser.add(whole + whole.substr(0, cut));
    EXPECT_EQ(parser.next(), Kind::kCommand);
    EXPECT_EQ(parser.next(), Kind::kIncomplete);
    EXPECT_TRUE(parser.in_item());
    EXPECT_EQ(parser.offset(), whole.size());
  }
  EXPECT_EQ(read("*1\r\n$4\r\nPI"),
            "at 0xa: expected at least 4 more bytes, got the end of the file");
}

TEST(AofParserTest, ALengthAloneAllocatesNothing) {
  AofParser parser;
  parser.add("*2147483647\r\n$1099511627776\r\nx");
  EXPECT_EQ(parser.next(), Kind::kIncomplete);
}

}  // namespace
}  // namespace millrace
