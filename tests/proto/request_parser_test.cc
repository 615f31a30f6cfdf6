#include "proto/request_parser.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/proto/redis_oracle.h"
#include "tests/proto/reference_parser.h"

namespace proto {
namespace {

using reference::Outcome;

const RequestLimits kNormal = RequestLimits::normal();

// Limits small enough for random requests to run into.
constexpr RequestLimits kTiny{
    .max_args = 4, .max_bulk_bytes = 9, .max_inline_bytes = 24, .valid_bulk_bytes = 20};

// Presents growing prefixes of one request, each at a new address in a block of just its size, so
// that AddressSanitizer sees a byte too far.
class Feeder {
 public:
  explicit Feeder(const RequestLimits& limits) : limits_(limits) {}

  Outcome present(std::string_view bytes) {
    block_ = std::make_unique<char[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), block_.get());
    ArgVector args{"before"};
    const ParseResult result = parse_request({block_.get(), bytes.size()}, partial_, limits_, args);
    EXPECT_EQ(args[0], "before");
    if (result.status == ParseStatus::kRequest) {
      return {result.status, result.consumed, "", {args.begin() + 1, args.end()}};
    }
    EXPECT_EQ(args.size(), 1u);
    EXPECT_EQ(result.consumed, 0u);
    EXPECT_EQ(result.status == ParseStatus::kIncomplete, result.wanted > 0);
    wanted_ = result.wanted;
    return {result.status, 0, std::string(result.error), {}};
  }

  size_t wanted() const { return wanted_; }
  bool idle() const { return partial_.empty(); }

 private:
  RequestLimits limits_;
  PartialRequest partial_;
  std::unique_ptr<char[]> block_;
  size_t wanted_ = 0;
};

// Feeds `bytes` until the outcome is known, `step` at a time, and checks every stop on the way.
void expect_agreement_in_steps(std::string_view bytes, const RequestLimits& limits, size_t step) {
  Feeder feeder(limits);
  size_t not_before = 0;
  for (size_t length = 1;; length = std::min(length + step, bytes.size())) {
    const Outcome expected = reference::parse(bytes.substr(0, length), limits);
    const Outcome actual = feeder.present(bytes.substr(0, length));
    ASSERT_EQ(actual.status, expected.status) << "at " << length << " by " << step;
    ASSERT_EQ(actual.error, expected.error);
    ASSERT_EQ(actual.args, expected.args);
    ASSERT_EQ(actual.consumed, expected.consumed);
    if (actual.status != ParseStatus::kIncomplete) {
      ASSERT_GE(length, not_before) << "`wanted` promised too much";
      ASSERT_TRUE(feeder.idle());
      return;
    }
    not_before = length + feeder.wanted();
    if (length == bytes.size()) return;
  }
}

// In two pieces, cut at every byte.
void expect_agreement_in_halves(std::string_view bytes, const RequestLimits& limits) {
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    Feeder feeder(limits);
    const Outcome first = feeder.present(bytes.substr(0, cut));
    ASSERT_EQ(first, reference::parse(bytes.substr(0, cut), limits)) << "cut at " << cut;
    if (first.status != ParseStatus::kIncomplete) return;
    ASSERT_EQ(feeder.present(bytes), reference::parse(bytes, limits)) << "cut at " << cut;
  }
}

void expect_agreement(std::string_view bytes, const RequestLimits& limits) {
  SCOPED_TRACE(quoted(bytes.substr(0, 300)));
  expect_agreement_in_steps(bytes, limits, 1);
  expect_agreement_in_steps(bytes, limits, 3);
  expect_agreement_in_halves(bytes, limits);
}

std::string multibulk(const std::vector<std::string>& args) {
  std::string bytes = "*" + std::to_string(args.size()) + "\r\n";
  for (const std::string& arg : args) {
    bytes += "$" + std::to_string(arg.size()) + "\r\n" + arg + "\r\n";
  }
  return bytes;
}

std::string error_of(std::string_view bytes, const RequestLimits& limits = kNormal) {
  return Feeder(limits).present(bytes).error;
}

TEST(RequestParser, OneMultibulk) {
  const Outcome set = Feeder(kNormal).present("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\nrest");
  EXPECT_EQ(set.status, ParseStatus::kRequest);
  EXPECT_EQ(set.args, (std::vector<std::string>{"SET", "k", ""}));
  EXPECT_EQ(set.consumed, 26u);
}

TEST(RequestParser, StickyRequestsAreTakenOneByOne) {
  std::string bytes =
      multibulk({"GET", "a"}) + "\r\n*0\r\nPING \"x\\n\"\r\n*-1\r\n" + multibulk({"X"});
  PartialRequest partial;
  ArgVector args;
  ae::MutableBytes input(bytes);
  std::vector<size_t> counts;
  while (!input.empty()) {
    const size_t before = args.size();
    const ParseResult result = parse_request(input, partial, kNormal, args);
    ASSERT_EQ(result.status, ParseStatus::kRequest);
    counts.push_back(args.size() - before);
    input = input.subspan(result.consumed);
  }
  EXPECT_EQ(counts, (std::vector<size_t>{2, 0, 0, 2, 0, 1}));
  EXPECT_EQ(args, (ArgVector{"GET", "a", "PING", "x\n", "X"}));
}

TEST(RequestParser, ArgumentsAreViewsOfTheInput) {
  std::string bytes = multibulk({"GET", std::string(100, 'k')});
  PartialRequest partial;
  ArgVector args;
  parse_request(bytes, partial, kNormal, args);
  EXPECT_EQ(args[1].data(), bytes.data() + bytes.find('k'));
}

TEST(RequestParser, NothingIsRememberedAndNothingAllocatedForACompleteRequest) {
  PartialRequest partial;
  ArgVector args;
  std::string bytes = multibulk({"GET", "a"});
  parse_request(bytes, partial, kNormal, args);
  EXPECT_TRUE(partial.empty());
  EXPECT_EQ(sizeof(PartialRequest), sizeof(void*));
}

TEST(RequestParser, WantedIsTheRestOfTheBulk) {
  Feeder feeder(kNormal);
  feeder.present("*1\r\n$1000\r\nabc");
  EXPECT_EQ(feeder.wanted(), 999u);
}

TEST(RequestParser, AnAnnouncementAllocatesNothing) {
  PartialRequest partial;
  ArgVector args;
  std::string bytes = "*2147483647\r\n$3\r\nSET\r\n$500000000\r\n";
  const ParseResult result = parse_request(bytes, partial, kNormal, args);
  EXPECT_EQ(result.status, ParseStatus::kIncomplete);
  EXPECT_EQ(result.wanted, 500000002u);
  EXPECT_EQ(args.capacity() <= 8, true);
}

TEST(RequestParser, ErrorTexts) {
  EXPECT_EQ(error_of("*x\r\n"), "invalid multibulk length");
  EXPECT_EQ(error_of("*\r\n"), "invalid multibulk length");
  EXPECT_EQ(error_of("*+1\r\n"), "invalid multibulk length");
  EXPECT_EQ(error_of("*01\r\n"), "invalid multibulk length");
  EXPECT_EQ(error_of("*2147483648\r\n"), "invalid multibulk length");
  EXPECT_EQ(error_of("*99999999999999999999\r\n"), "invalid multibulk length");
  EXPECT_EQ(error_of("*1\r\n:1\r\n"), "expected '$', got ':'");
  EXPECT_EQ(error_of("*1\r\n\r\n"), "expected '$', got ' '");
  EXPECT_EQ(error_of("*1\r\n\xff\r\n"), "expected '$', got '\xff'");
  EXPECT_EQ(error_of("*1\r\n$-1\r\n"), "invalid bulk length");
  EXPECT_EQ(error_of("*1\r\n$536870913\r\n"), "invalid bulk length");
  EXPECT_EQ(error_of("*1\r\n$9223372036854775808\r\n"), "invalid bulk length");
  EXPECT_EQ(error_of("GET \"a\r\n"), "unbalanced quotes in request");
  EXPECT_EQ(error_of(std::string(64 * 1024 + 1, 'a')), "too big inline request");
  EXPECT_EQ(error_of("*" + std::string(64 * 1024, '1')), "too big mbulk count string");
  EXPECT_EQ(error_of("*1\r\n$" + std::string(64 * 1024, '1')), "too big bulk count string");
  EXPECT_EQ(error_of(std::string(64 * 1024, 'a')), "");
  EXPECT_EQ(error_of(std::string("\0", 1) + std::string(64 * 1024, '\n')),
            "too big inline request");
}

TEST(RequestParser, LimitsBeforeAuth) {
  const RequestLimits limits = RequestLimits::before_auth();
  EXPECT_EQ(error_of("*11\r\n", limits), "unauthenticated multibulk length");
  EXPECT_EQ(error_of("*10\r\n", limits), "");
  EXPECT_EQ(error_of("*1\r\n$16385\r\n", limits), "unauthenticated bulk length");
  EXPECT_EQ(error_of("*1\r\n$16384\r\n", limits), "");
  EXPECT_EQ(error_of("*1\r\n$536870913\r\n", limits), "invalid bulk length");
  EXPECT_EQ(error_of("*2147483648\r\n", limits), "invalid multibulk length");
}

TEST(RequestParser, AnyUpperLimitOfBulksIsSafe) {
  const RequestLimits limits = RequestLimits::normal(INT64_MAX);
  Feeder feeder(limits);
  EXPECT_EQ(feeder.present("*2\r\n$9223372036854775807\r\nabc").status, ParseStatus::kIncomplete);
  EXPECT_EQ(feeder.wanted(), size_t{9223372036854775807u} + 2 - 3);
}

// Every shape of line end, count and length there is, cut in every way.
TEST(RequestParser, HandPickedInputsAgreeWithTheReference) {
  const std::string nul(1, '\0');
  for (const std::string& bytes : {
           std::string("\r\n"),
           std::string("\n"),
           std::string("\r"),
           std::string("\r\r\n"),
           std::string("   \t \r\n"),
           std::string("PING\n"),
           std::string("a\rb c\r\n"),
           std::string("*\r\n"),
           std::string("*0\r\n"),
           std::string("*-1\r\n"),
           std::string("*-0\r\n"),
           std::string("*-9223372036854775808\r\n"),
           std::string("*1\n\r\n"),
           std::string("*1\rX$1\rXaXX"),
           std::string("*1\r\n$1\r\naXX"),
           std::string("*1\r\n\r\n"),
           std::string("*1\r\n\n\r\n"),
           std::string("*1\r\n$\r\n\r\n"),
           std::string("*1\r\n$00\r\n"),
           std::string("*2\r\n$1\r\na\r\n:1\r\n"),
           std::string("*1\r\n$5\r\na\r\n\r\n\r\n"),
           std::string("*10\r\n"),
           std::string("* 1\r\n"),
           "*1" + nul + "\r\n",
           "*" + nul + "\r\n",
           "*1\r\n" + nul + "\r\n" + std::string(40, 'x'),
           "*1\r\n$1" + nul + "\r\n",
           nul + "PING\r\n",
           "PI" + nul + "NG\r\n" + std::string(40, '\n'),
           "*1\r\n$3\r\n\r" + nul + "\n\r\n",
           std::string("$3\r\nabc\r\n"),
           std::string("*1\r"),
           std::string("*2\r\n$1\r\na\r\n$1"),
           std::string("'a\\'b' \"\\x41\\x4g\\q\\n\" c\r\n"),
           std::string("\"a\"b\r\n"),
       }) {
    expect_agreement(bytes, kNormal);
    expect_agreement(bytes, kTiny);
  }
}

class RandomRequests {
 public:
  explicit RandomRequests(uint64_t seed) : random_(seed) {}

  std::string next() {
    std::string bytes = roll(4) == 0 ? random_inline() : random_multibulk();
    for (size_t n = roll(3); n > 0; --n) mutate(bytes);
    return bytes;
  }

 private:
  size_t roll(size_t sides) { return random_() % sides; }

  std::string random_multibulk() {
    std::vector<std::string> args(roll(6));
    for (std::string& arg : args) {
      for (size_t n = roll(2) ? roll(6) : roll(24); n > 0; --n) arg += random_byte();
    }
    return multibulk(args);
  }

  std::string random_inline() {
    constexpr std::string_view kAlphabet = "ab \"\"''\\\\xn4g\t\v";
    std::string line;
    for (size_t n = roll(30); n > 0; --n) line += kAlphabet[roll(kAlphabet.size())];
    return line + (roll(3) ? "\r\n" : "\n");
  }

  char random_byte() {
    constexpr std::string_view kTelling{"*$\r\n0123456789-+'\"\\ :\0", 22};
    return roll(2) ? kTelling[roll(kTelling.size())] : static_cast<char>(roll(256));
  }

  void mutate(std::string& bytes) {
    const size_t at = roll(bytes.size() + 1);
    switch (roll(4)) {
      case 0:
        bytes.insert(at, 1, random_byte());
        break;
      case 1:
        bytes.erase(at == bytes.size() ? 0 : at, 1);
        break;
      case 2:
        if (at < bytes.size()) bytes[at] = random_byte();
        break;
      default:
        bytes += bytes.substr(at);
    }
  }

  std::mt19937_64 random_;
};

TEST(RequestParser, RandomInputsCutAtEveryByteAgreeWithTheReference) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomRequests requests(seed);
  for (int i = 0; i < 1500 && !testing::Test::HasFatalFailure(); ++i) {
    const std::string bytes = requests.next();
    expect_agreement(bytes, i % 2 ? kNormal : kTiny);
  }
}

TEST(RequestParser, AManyArgumentRequestInSmallPiecesAgreesWithItselfWhole) {
  std::vector<std::string> sent;
  for (int i = 0; i < 5000; ++i) sent.push_back(std::to_string(i * 7919));
  const std::string bytes = multibulk(sent);
  Feeder feeder(kNormal);
  for (size_t length = 100; length < bytes.size(); length += 1009) {
    ASSERT_EQ(feeder.present(bytes.substr(0, length)).status, ParseStatus::kIncomplete);
  }
  EXPECT_EQ(feeder.present(bytes).args, sent);
  EXPECT_EQ(Feeder(kNormal).present(bytes).args, sent);
}

// Every malformed request must get from us the words that redis-server answers with.
TEST(RequestParser, ErrorTextsAreThoseOfRedis) {
  const std::string long_line(70000, '1');
  for (const std::string& bytes : {
           std::string("*x\r\n"),
           std::string("*\r\n"),
           std::string("*01\r\n"),
           std::string("*-0\r\n"),
           std::string("*2147483648\r\n"),
           std::string("* 1\r\n"),
           std::string("*1\r\n:1\r\n"),
           std::string("*1\r\n\r\n"),
           std::string("*1\r\n\n\r\n"),
           std::string("*1\r\n\xff\r\n"),
           std::string("*1\r\n$-1\r\n"),
           std::string("*1\r\n$-0\r\n"),
           std::string("*1\r\n$\r\n"),
           std::string("*1\r\n$536870913\r\n"),
           std::string("*1\r\n$x\r\n"),
           std::string("*2\r\n$4\r\nPING\r\nPING\r\n"),
           std::string("GET \"a\r\n"),
           std::string("GET 'a\r\n"),
           std::string("GET \"a\"b\r\n"),
           "*" + long_line,
           "*1\r\n$" + long_line,
           "G" + long_line,
           std::string("\0", 1) + std::string(70000, '\n'),
       }) {
    const std::string ours = "ERR Protocol error: " + error_of(bytes);
    const ReplyValue theirs = RedisOracle::instance().ask(bytes);
    EXPECT_EQ(theirs.kind, ReplyKind::kError);
    EXPECT_EQ(theirs.text, ours) << quoted(bytes.substr(0, 100));
  }
}

// Odd requests that Redis takes: each is followed by a PING, and the answers are counted.
TEST(RequestParser, WhatRedisToleratesIsTolerated) {
  for (const char* odd : {"\r\n", "\n", "*0\r\n", "*-1\r\n", "*-7\r\n", "   \r\n", "\r\r\n",
                          "*1\rX$4\rXPINGXX", "PING\n", "\tPING\t\r\n", "\"PING\"\r\n"}) {
    std::string bytes = std::string(odd) + "PING\r\n";
    const std::string theirs = RedisOracle::instance().converse(bytes);
    PartialRequest partial;
    ArgVector args;
    ae::MutableBytes input(bytes);
    std::string ours;
    while (!input.empty()) {
      const size_t before = args.size();
      const ParseResult result = parse_request(input, partial, kNormal, args);
      ASSERT_EQ(result.status, ParseStatus::kRequest) << quoted(odd);
      if (args.size() > before) ours += "+PONG\r\n";
      input = input.subspan(result.consumed);
    }
    EXPECT_EQ(ours, theirs) << quoted(odd);
  }
}

}  // namespace
}  // namespace proto
