#include "proto/reply_writer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>

#include "proto/reply_parser.h"

namespace proto {
namespace {

using Encode = std::function<void(ReplyWriter&)>;

std::string written(Resp resp, const Encode& encode) {
  StringSink sink;
  ReplyWriter writer(sink, resp);
  encode(writer);
  writer.assert_complete();
  return sink.take();
}

void expect_bytes(const Encode& encode, std::string_view resp2, std::string_view resp3) {
  EXPECT_EQ(written(Resp::k2, encode), resp2);
  EXPECT_EQ(written(Resp::k3, encode), resp3);
}

void expect_bytes(const Encode& encode, std::string_view both) {
  expect_bytes(encode, both, both);
}

TEST(ReplyWriter, Scalars) {
  expect_bytes([](ReplyWriter& w) { w.ok(); }, "+OK\r\n");
  expect_bytes([](ReplyWriter& w) { w.status("PONG"); }, "+PONG\r\n");
  expect_bytes([](ReplyWriter& w) { w.error("ERR no"); }, "-ERR no\r\n");
  expect_bytes([](ReplyWriter& w) { w.integer(-7); }, ":-7\r\n");
  expect_bytes([](ReplyWriter& w) { w.bulk("abc"); }, "$3\r\nabc\r\n");
  expect_bytes([](ReplyWriter& w) { w.bulk({}); }, "$0\r\n\r\n");
  expect_bytes([](ReplyWriter& w) { w.bulk_integer(1234); }, "$4\r\n1234\r\n");
  expect_bytes([](ReplyWriter& w) { w.bulk_double(0.1); }, "$3\r\n0.1\r\n");
}

TEST(ReplyWriter, ScalarsThatRedisDowngrades) {
  expect_bytes([](ReplyWriter& w) { w.real(0.5); }, "$3\r\n0.5\r\n", ",0.5\r\n");
  expect_bytes([](ReplyWriter& w) { w.real(-INFINITY); }, "$4\r\n-inf\r\n", ",-inf\r\n");
  expect_bytes([](ReplyWriter& w) { w.null(); }, "$-1\r\n", "_\r\n");
  expect_bytes([](ReplyWriter& w) { w.null_array(); }, "*-1\r\n", "_\r\n");
  expect_bytes([](ReplyWriter& w) { w.boolean(true); }, ":1\r\n", "#t\r\n");
  expect_bytes([](ReplyWriter& w) { w.boolean(false); }, ":0\r\n", "#f\r\n");
  expect_bytes([](ReplyWriter& w) { w.big_number("123"); }, "$3\r\n123\r\n", "(123\r\n");
  expect_bytes([](ReplyWriter& w) { w.verbatim("txt", "hi"); }, "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n");
}

TEST(ReplyWriter, Aggregates) {
  const auto pair = [](ReplyWriter& w) {
    w.integer(1);
    w.integer(2);
  };
  expect_bytes([&](ReplyWriter& w) { w.array(2), pair(w); }, "*2\r\n:1\r\n:2\r\n");
  expect_bytes([&](ReplyWriter& w) { w.map(1), pair(w); }, "*2\r\n:1\r\n:2\r\n",
               "%1\r\n:1\r\n:2\r\n");
  expect_bytes([&](ReplyWriter& w) { w.set(2), pair(w); }, "*2\r\n:1\r\n:2\r\n",
               "~2\r\n:1\r\n:2\r\n");
  expect_bytes([&](ReplyWriter& w) { w.push(2), pair(w); }, "*2\r\n:1\r\n:2\r\n",
               ">2\r\n:1\r\n:2\r\n");
  expect_bytes([](ReplyWriter& w) { w.empty_array(); }, "*0\r\n");
  EXPECT_EQ(written(Resp::k3, [&](ReplyWriter& w) { w.attribute(1), pair(w), w.ok(); }),
            "|1\r\n:1\r\n:2\r\n+OK\r\n");
}

TEST(ReplyWriter, ALineCannotBeEndedFromInside) {
  expect_bytes([](ReplyWriter& w) { w.error("ERR a\r\n+OK\r\n"); }, "-ERR a  +OK\r\n");
  expect_bytes([](ReplyWriter& w) { w.status("a\nb"); }, "+a b\r\n");
}

TEST(ReplyWriter, DeferredCounts) {
  const Encode map_of_deferred = [](ReplyWriter& w) {
    w.array(1);
    const DeferredLength map = w.defer_map();
    w.bulk("k");
    const DeferredLength array = w.defer_array();
    for (int i = 0; i < 12; ++i) w.integer(7);
    w.finish(array, 12);
    w.bulk("e");
    w.finish(w.defer_set(), 0);
    w.finish(map, 2);
  };
  std::string twelve = "*12\r\n";
  for (int i = 0; i < 12; ++i) twelve += ":7\r\n";
  expect_bytes(map_of_deferred, "*1\r\n*4\r\n$1\r\nk\r\n" + twelve + "$1\r\ne\r\n*0\r\n",
               "*1\r\n%2\r\n$1\r\nk\r\n" + twelve + "$1\r\ne\r\n~0\r\n");
}

TEST(ReplyWriter, HeadersOfEveryLength) {
  for (const int64_t number : {int64_t{0}, int64_t{9}, int64_t{10}, int64_t{99}, int64_t{100},
                               int64_t{999}, int64_t{1000}, int64_t{-1}, INT64_MAX, INT64_MIN}) {
    expect_bytes([=](ReplyWriter& w) { w.integer(number); }, ":" + std::to_string(number) + "\r\n");
  }
}

TEST(ReplyWriter, BulksOfEveryLength) {
  for (size_t length = 0; length < 2100; ++length) {
    const std::string text(length, static_cast<char>('a' + length % 26));
    ASSERT_EQ(written(Resp::k2, [&](ReplyWriter& w) { w.bulk(text); }),
              "$" + std::to_string(length) + "\r\n" + text + "\r\n");
  }
}

TEST(ReplyWriter, RawCountsAsElements) {
  expect_bytes(
      [](ReplyWriter& w) {
        w.array(3);
        w.raw(":1\r\n:2\r\n", 2);
        w.raw("+OK\r\n");
      },
      "*3\r\n:1\r\n:2\r\n+OK\r\n");
}

#ifndef NDEBUG
TEST(ReplyWriterDeathTest, AMissingElementIsNoticed) {
  EXPECT_DEATH(written(Resp::k2, [](ReplyWriter& w) { w.array(2), w.ok(); }), "assertion failed");
  EXPECT_DEATH(written(Resp::k3, [](ReplyWriter& w) { w.map(1), w.ok(); }), "assertion failed");
}

TEST(ReplyWriterDeathTest, AWrongDeferredCountIsNoticed) {
  EXPECT_DEATH(written(Resp::k2,
                       [](ReplyWriter& w) {
                         const DeferredLength array = w.defer_array();
                         w.ok();
                         w.finish(array, 2);
                       }),
               "assertion failed");
}

TEST(ReplyWriter, CompletenessSeesThroughNesting) {
  written(Resp::k3, [](ReplyWriter& w) {
    w.array(2);
    w.map(1);
    w.bulk("k");
    w.attribute(1);
    w.bulk("a");
    w.array(0);
    w.set(2);
    w.null();
    w.array(1);
    w.ok();
    w.boolean(true);
  });
}
#endif

// Writes random trees and builds the ReplyValue that must come back.
class RandomReply {
 public:
  RandomReply(uint64_t seed, Resp resp) : random_(seed), resp_(resp) {}

  ReplyValue write(ReplyWriter& writer, int depth) {
    switch (random_() % (depth > 0 ? 14 : 9)) {
      case 0:
        writer.ok();
        return text_value(ReplyKind::kStatus, "OK");
      case 1:
        return write_error(writer);
      case 2:
        return write_integer(writer);
      case 3:
        return write_bulk(writer);
      case 4:
        return write_real(writer);
      case 5:
        writer.null();
        return text_value(is3() ? ReplyKind::kNull : ReplyKind::kNullBulk, "");
      case 6:
        writer.null_array();
        return text_value(is3() ? ReplyKind::kNull : ReplyKind::kNullArray, "");
      case 7:
        return write_boolean(writer);
      case 8:
        writer.verbatim("txt", "a\r\nb");
        return is3() ? text_value(ReplyKind::kVerbatim, "txt:a\r\nb")
                     : text_value(ReplyKind::kBulk, "a\r\nb");
      case 9:
        return write_map(writer, depth);
      case 10:
        return write_deferred(writer, depth);
      case 11:
        return write_set(writer, depth);
      default:
        return write_array(writer, depth);
    }
  }

 private:
  bool is3() const { return resp_ == Resp::k3; }

  static ReplyValue text_value(ReplyKind kind, std::string text) {
    ReplyValue value;
    value.kind = kind;
    value.text = std::move(text);
    return value;
  }
  static ReplyValue integer_value(ReplyKind kind, int64_t integer) {
    ReplyValue value;
    value.kind = kind;
    value.integer = integer;
    return value;
  }

  ReplyValue write_error(ReplyWriter& writer) {
    writer.error("WRONGTYPE Operation");
    return text_value(ReplyKind::kError, "WRONGTYPE Operation");
  }
  ReplyValue write_integer(ReplyWriter& writer) {
    const auto integer = static_cast<int64_t>(random_() >> (random_() % 64));
    writer.integer(integer);
    return integer_value(ReplyKind::kInteger, integer);
  }
  ReplyValue write_bulk(ReplyWriter& writer) {
    std::string text;
    for (size_t n = random_() % (random_() % 8 ? 20 : 2000); n > 0; --n) {
      text += static_cast<char>(random_());
    }
    writer.bulk(text);
    return text_value(ReplyKind::kBulk, text);
  }
  ReplyValue write_real(ReplyWriter& writer) {
    const double choices[] = {0.1, -1e300, INFINITY, std::nan(""), 3};
    const double real = choices[random_() % std::size(choices)];
    writer.real(real);
    char text[ae::kMaxDoubleChars];
    const size_t length = ae::format_double(real, text);
    return text_value(is3() ? ReplyKind::kDouble : ReplyKind::kBulk, {text, length});
  }
  ReplyValue write_boolean(ReplyWriter& writer) {
    const bool truth = random_() % 2;
    writer.boolean(truth);
    return integer_value(is3() ? ReplyKind::kBoolean : ReplyKind::kInteger, truth);
  }

  ReplyValue children(ReplyWriter& writer, ReplyKind kind, size_t count, int depth) {
    ReplyValue value;
    value.kind = kind;
    for (size_t i = 0; i < count; ++i) value.children.push_back(write(writer, depth - 1));
    return value;
  }
  ReplyValue write_array(ReplyWriter& writer, int depth) {
    const size_t count = random_() % 5;
    writer.array(count);
    return children(writer, ReplyKind::kArray, count, depth);
  }
  ReplyValue write_set(ReplyWriter& writer, int depth) {
    const size_t count = random_() % 5;
    writer.set(count);
    return children(writer, is3() ? ReplyKind::kSet : ReplyKind::kArray, count, depth);
  }
  ReplyValue write_map(ReplyWriter& writer, int depth) {
    const size_t pairs = random_() % 4;
    writer.map(pairs);
    return children(writer, is3() ? ReplyKind::kMap : ReplyKind::kArray, 2 * pairs, depth);
  }
  ReplyValue write_deferred(ReplyWriter& writer, int depth) {
    const size_t pairs = random_() % 12;
    const DeferredLength deferred = writer.defer_map();
    ReplyValue value =
        children(writer, is3() ? ReplyKind::kMap : ReplyKind::kArray, 2 * pairs, depth);
    writer.finish(deferred, pairs);
    return value;
  }

  std::mt19937_64 random_;
  Resp resp_;
};

void expect_round_trips(Resp resp, uint64_t seed) {
  RandomReply random(seed, resp);
  for (int i = 0; i < 2000; ++i) {
    StringSink sink;
    ReplyWriter writer(sink, resp);
    const ReplyValue sent = random.write(writer, 4);
    writer.assert_complete();
    ReplyParser parser;
    const ReplyResult result = parser.feed(sink.view());
    ASSERT_EQ(result.status, ReplyStatus::kReply) << quoted(sink.view());
    ASSERT_EQ(result.consumed, sink.view().size());
    const ReplyValue received = parser.take();
    ASSERT_TRUE(received == sent) << to_line(received) << "\n" << to_line(sent);
  }
}

TEST(ReplyWriter, RandomRepliesComeBackFromTheParser) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  expect_round_trips(Resp::k2, seed);
  expect_round_trips(Resp::k3, seed);
}

}  // namespace
}  // namespace proto
