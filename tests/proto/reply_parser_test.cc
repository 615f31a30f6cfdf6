#include "proto/reply_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/request_writer.h"
#include "tests/proto/redis_oracle.h"

namespace proto {
namespace {

ReplyValue parsed(std::string_view bytes) {
  ReplyParser parser;
  const ReplyResult result = parser.feed(bytes);
  EXPECT_EQ(result.status, ReplyStatus::kReply) << quoted(bytes) << result.error;
  EXPECT_EQ(result.consumed, bytes.size());
  return result.status == ReplyStatus::kReply ? parser.take() : ReplyValue{};
}

std::string error_of(std::string_view bytes, const ReplyLimits& limits = {}) {
  ReplyParser parser(limits);
  const ReplyResult result = parser.feed(bytes);
  return result.status == ReplyStatus::kError ? std::string(result.error) : "";
}

const char* const kReplies[] = {
    "+OK\r\n",
    "+\r\n",
    "-ERR no such key\r\n",
    ":1000\r\n",
    ":-1\r\n",
    "$5\r\nhello\r\n",
    "$0\r\n\r\n",
    "$4\r\n\r\n\r\n\r\n",
    "$-1\r\n",
    "*-1\r\n",
    "*0\r\n",
    "*2\r\n$1\r\na\r\n*1\r\n:1\r\n",
    "_\r\n",
    ",1.5\r\n",
    ",inf\r\n",
    ",-inf\r\n",
    ",nan\r\n",
    "#t\r\n",
    "#f\r\n",
    "(3492890328409238509324850943850943825024385\r\n",
    "!21\r\nSYNTAX invalid syntax\r\n",
    "=15\r\ntxt:Some string\r\n",
    "%2\r\n+first\r\n:1\r\n+second\r\n%0\r\n",
    "~2\r\n+a\r\n~0\r\n",
    ">2\r\n+message\r\n$1\r\nx\r\n",
    "|1\r\n+ttl\r\n:3600\r\n$1\r\nv\r\n",
    "|1\r\n+a\r\n*2\r\n:1\r\n:2\r\n|1\r\n+b\r\n:2\r\n*2\r\n|1\r\n+c\r\n:3\r\n:7\r\n|0\r\n:8\r\n",
};

TEST(ReplyParser, EveryKind) {
  EXPECT_EQ(parsed("+OK\r\n").kind, ReplyKind::kStatus);
  EXPECT_EQ(parsed("-ERR x\r\n").text, "ERR x");
  EXPECT_EQ(parsed(":-12\r\n").integer, -12);
  EXPECT_EQ(parsed("$2\r\n\r\n\r\n").text, "\r\n");
  EXPECT_EQ(parsed("$-1\r\n").kind, ReplyKind::kNullBulk);
  EXPECT_EQ(parsed("*-1\r\n").kind, ReplyKind::kNullArray);
  EXPECT_EQ(parsed("_\r\n").kind, ReplyKind::kNull);
  EXPECT_EQ(parsed(",-0.5\r\n").real, -0.5);
  EXPECT_EQ(parsed("#t\r\n").integer, 1);
  EXPECT_EQ(parsed("!3\r\nERR\r\n").kind, ReplyKind::kError);
  EXPECT_EQ(parsed("=6\r\ntxt:hi\r\n").text, "txt:hi");
  EXPECT_EQ(parsed("%1\r\n+a\r\n+b\r\n").children.size(), 2u);
  EXPECT_EQ(parsed("~1\r\n+a\r\n").kind, ReplyKind::kSet);
  EXPECT_EQ(parsed(">1\r\n+a\r\n").kind, ReplyKind::kPush);
}

TEST(ReplyParser, AttributesBelongToTheValueBehindThem) {
  const ReplyValue value = parsed("*2\r\n|1\r\n+ttl\r\n:9\r\n*1\r\n:1\r\n:2\r\n");
  EXPECT_TRUE(value.attributes.empty());
  ASSERT_EQ(value.children.size(), 2u);
  EXPECT_EQ(value.children[0].attributes.size(), 2u);
  EXPECT_EQ(value.children[0].attributes[1].integer, 9);
  EXPECT_TRUE(value.children[0].children[0].attributes.empty());
  EXPECT_TRUE(value.children[1].attributes.empty());
}

TEST(ReplyParser, EveryCutGivesTheSameReply) {
  for (const std::string_view bytes : kReplies) {
    const ReplyValue whole = parsed(bytes);
    for (size_t cut = 0; cut <= bytes.size(); ++cut) {
      ReplyParser parser;
      const ReplyResult first = parser.feed(bytes.substr(0, cut));
      ASSERT_EQ(first.consumed, cut);
      if (cut < bytes.size()) {
        ASSERT_EQ(first.status, ReplyStatus::kIncomplete) << quoted(bytes) << " at " << cut;
        ASSERT_EQ(parser.idle(), cut == 0);
        ASSERT_EQ(parser.feed(bytes.substr(cut)).status, ReplyStatus::kReply);
      }
      ASSERT_TRUE(parser.take() == whole) << quoted(bytes) << " at " << cut;
      ASSERT_TRUE(parser.idle());
    }
  }
}

TEST(ReplyParser, AStreamByteByByte) {
  std::string stream;
  for (const char* bytes : kReplies) stream += bytes;
  ReplyParser parser;
  size_t replies = 0;
  for (const char c : stream) {
    if (parser.feed({&c, 1}).status != ReplyStatus::kReply) continue;
    ASSERT_TRUE(parser.take() == parsed(kReplies[replies]));
    ++replies;
  }
  EXPECT_EQ(replies, std::size(kReplies));
}

TEST(ReplyParser, Malformed) {
  EXPECT_EQ(error_of("x\r\n"), "unknown reply type");
  EXPECT_EQ(error_of("\r\n"), "line does not end in CR LF");
  EXPECT_EQ(error_of("+OK\n"), "line does not end in CR LF");
  EXPECT_EQ(error_of(":\r\n"), "invalid integer");
  EXPECT_EQ(error_of(":1x\r\n"), "invalid integer");
  EXPECT_EQ(error_of(",x\r\n"), "invalid double");
  EXPECT_EQ(error_of("(12a\r\n"), "invalid big number");
  EXPECT_EQ(error_of("(-\r\n"), "invalid big number");
  EXPECT_EQ(error_of("#x\r\n"), "invalid boolean");
  EXPECT_EQ(error_of("_x\r\n"), "invalid null");
  EXPECT_EQ(error_of("$-2\r\n"), "invalid bulk length");
  EXPECT_EQ(error_of("$?\r\n"), "invalid bulk length");
  EXPECT_EQ(error_of("$1\r\nabc"), "line does not end in CR LF");
  EXPECT_EQ(error_of("=3\r\ntxt\r\n"), "invalid verbatim text");
  EXPECT_EQ(error_of("*-2\r\n"), "invalid aggregate count");
  EXPECT_EQ(error_of("%-1\r\n"), "invalid aggregate count");
  EXPECT_EQ(error_of("*9223372036854775807\r\n"), "invalid aggregate count");
}

TEST(ReplyParser, AnErrorStaysUntilReset) {
  ReplyParser parser;
  EXPECT_EQ(parser.feed("x\r\n").status, ReplyStatus::kError);
  EXPECT_EQ(parser.feed("+OK\r\n").status, ReplyStatus::kError);
  parser.reset();
  EXPECT_EQ(parser.feed("+OK\r\n").status, ReplyStatus::kReply);
}

TEST(ReplyParser, Limits) {
  const ReplyLimits limits{.max_depth = 3,
                           .max_bulk_bytes = 10,
                           .max_reply_bytes = 60,
                           .max_values = 8,
                           .max_line_bytes = 20};
  EXPECT_EQ(error_of("*1\r\n*1\r\n*1\r\n:1\r\n", limits), "");
  EXPECT_EQ(error_of("*1\r\n*1\r\n*1\r\n*1\r\n", limits), "reply nested too deep");
  EXPECT_EQ(error_of("$10\r\n0123456789\r\n", limits), "");
  EXPECT_EQ(error_of("$11\r\n", limits), "invalid bulk length");
  EXPECT_EQ(error_of("+" + std::string(30, 'x'), limits), "line too long");
  EXPECT_EQ(error_of("*9\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n", limits),
            "reply has too many values");
  EXPECT_EQ(error_of("*5\r\n+aaaaaaaaaaaa\r\n+aaaaaaaaaaaa\r\n+aaaaaaaaaaaa\r\n+aaaaaaaaaaaa\r\n",
                     limits),
            "reply too big");
}

TEST(ReplyParser, DeepNestingIsRefusedNotFollowed) {
  std::string bytes;
  for (size_t i = 0; i < 100000; ++i) bytes += "*1\r\n";
  EXPECT_EQ(error_of(bytes), "reply nested too deep");
}

TEST(ReplyParser, ReadsWhatRedisSends) {
  RedisOracle& redis = RedisOracle::instance();
  const std::string hello = encode_request({"HELLO", "3"});
  const ReplyValue map = redis.ask(hello);
  EXPECT_EQ(map.kind, ReplyKind::kMap);
  EXPECT_EQ(map.children[0].text, "server");
  std::string answers = redis.converse(hello + encode_request({"DEBUG", "PROTOCOL", "double"}) +
                                       encode_request({"COMMAND", "DOCS", "SET"}) +
                                       encode_request({"CONFIG", "GET", "maxmemory"}) +
                                       encode_request({"GET", "none"}));
  ReplyParser parser;
  std::string_view rest = answers;
  std::vector<ReplyValue> replies;
  while (!rest.empty()) {
    const ReplyResult result = parser.feed(rest);
    ASSERT_EQ(result.status, ReplyStatus::kReply) << result.error;
    rest.remove_prefix(result.consumed);
    replies.push_back(parser.take());
  }
  ASSERT_EQ(replies.size(), 5u);
  EXPECT_EQ(replies[2].kind, ReplyKind::kMap);
  EXPECT_EQ(to_line(replies[3]), R"({"maxmemory" => "0"})");
  EXPECT_EQ(to_line(replies[4]), "(nil)");
}

}  // namespace
}  // namespace proto
