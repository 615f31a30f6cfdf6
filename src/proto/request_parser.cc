#include "proto/request_parser.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "ae/base/assert.h"
#include "ae/base/decimal.h"

namespace proto {
namespace {

constexpr std::string_view kTooBigInline = "too big inline request";
constexpr std::string_view kTooBigCount = "too big mbulk count string";
constexpr std::string_view kTooBigLength = "too big bulk count string";
constexpr std::string_view kInvalidCount = "invalid multibulk length";
constexpr std::string_view kInvalidLength = "invalid bulk length";
constexpr std::string_view kUnauthenticatedCount = "unauthenticated multibulk length";
constexpr std::string_view kUnauthenticatedLength = "unauthenticated bulk length";
constexpr std::string_view kUnbalancedQuotes = "unbalanced quotes in request";

constexpr size_t kCrLf = 2;
constexpr ptrdiff_t kLineEnd = kCrLf;

// "$0\r\n\r\n". The fast loop reads this much of an argument without looking for the end of the
// input.
constexpr ptrdiff_t kShortestArgument = 6;

// Longer bulks do not come whole in one read; their length is left to the slow path.
constexpr uint64_t kFastBulkBytes = 1 << 30;

// More than a million arguments do not come whole in one read either.
constexpr uint64_t kFastArgs = 1 << 20;

// "expected '$', got 'X'" for every X, so that the text is static. A reply's error line cannot hold
// CR and LF; they are shown as spaces.
constexpr std::string_view kExpectedDollar = "expected '$', got 'X'";
using ExpectedDollarText = std::array<char, kExpectedDollar.size()>;

constexpr std::array<ExpectedDollarText, 256> make_expected_dollar() {
  std::array<ExpectedDollarText, 256> texts{};
  for (size_t byte = 0; byte < texts.size(); ++byte) {
    for (size_t i = 0; i < kExpectedDollar.size(); ++i) texts[byte][i] = kExpectedDollar[i];
    const bool line_break = byte == '\r' || byte == '\n';
    texts[byte][kExpectedDollar.size() - 2] = line_break ? ' ' : static_cast<char>(byte);
  }
  return texts;
}
constexpr std::array<ExpectedDollarText, 256> kExpectedDollarTexts = make_expected_dollar();

std::string_view expected_dollar(char got) {
  const ExpectedDollarText& text = kExpectedDollarTexts[static_cast<unsigned char>(got)];
  return {text.data(), text.size()};
}

ParseResult request(size_t consumed) {
  return {ParseStatus::kRequest, consumed, {}, 0};
}
ParseResult incomplete(size_t wanted) {
  return {ParseStatus::kIncomplete, 0, {}, wanted};
}
ParseResult error(std::string_view text) {
  return {ParseStatus::kError, 0, text, 0};
}

// Reads a number of any length up to '\r', as fast_number does.
inline bool fast_long_number(const char*& at, const char* end, uint64_t limit, uint64_t* number) {
  uint64_t value = static_cast<unsigned char>(*at - '0');
  if (value > 9 || value == 0) return false;
  for (++at; at != end && *at != '\r'; ++at) {
    const uint64_t digit = static_cast<unsigned char>(*at - '0');
    value = value * 10 + digit;
    if (digit > 9 || value > limit) return false;
  }
  *number = value;
  return at != end;
}

// Reads the digits at `at` and leaves `at` on the '\r' behind them. False: no digit, a leading
// zero, above `limit`, or the end of the input; the slow path finds out which. At least three bytes
// can be read, so the lengths that nearly all arguments have, of one or two digits, need no look at
// `end`.
inline bool fast_number(const char*& at, const char* end, uint64_t limit, uint64_t* number) {
  const uint64_t first = static_cast<unsigned char>(at[0] - '0');
  if (at[1] == '\r') {
    at += 1;
    *number = first;
    return first <= 9 && first <= limit;
  }
  const uint64_t second = static_cast<unsigned char>(at[1] - '0');
  if (at[2] != '\r') return fast_long_number(at, end, limit, number);
  at += 2;
  *number = first * 10 + second;
  return first - 1 <= 8 && second <= 9 && *number <= limit;
}

}  // namespace

// The slow path: understands everything, stops anywhere, goes on from there.
class SlowRequestParser {
 public:
  SlowRequestParser(ae::MutableBytes input, PartialRequest& partial, const RequestLimits& limits,
                    ArgVector& args)
      : input_(input), partial_(partial), limits_(limits), args_(args) {
    if (partial_.empty()) partial_.state_ = std::make_unique<PartialRequest::State>();
    state_ = partial_.state_.get();
  }

  // Takes over from the fast loop, which appended args_[first, end) and stopped at `position`.
  void adopt(size_t first, size_t position, int64_t args_left) {
    for (size_t i = first; i < args_.size(); ++i) {
      const auto offset = static_cast<size_t>(args_[i].data() - input_.data());
      state_->args.push_back({offset, args_[i].size()});
    }
    args_.resize(first);
    state_->position = position;
    state_->searched = position;
    state_->args_left = args_left;
  }

  ParseResult run() {
    AE_DCHECK(state_->searched <= input_.size());  // the bytes of last time must be there again
    const ParseResult result = input_[0] == '*' ? multibulk() : inline_request();
    if (result.status != ParseStatus::kIncomplete) partial_.reset();
    return result;
  }

 private:
  // What one step of a multibulk came to.
  enum class Step : uint8_t { kDone, kStarved, kFailed };

  ParseResult multibulk() {
    Step step = state_->args_left > 0 ? Step::kDone : read_count();
    while (step == Step::kDone && state_->args_left > 0) {
      step = state_->bulk_bytes < 0 ? read_length() : read_bulk();
    }
    if (step == Step::kFailed) return error(error_);
    if (step == Step::kStarved) return incomplete(wanted_);
    return deliver();
  }

  ParseResult inline_request() {
    const size_t end = find_newline();
    if (end == kNotFound) {
      return input_.size() > limits_.max_inline_bytes ? error(kTooBigInline) : incomplete(1);
    }
    const size_t length = end > 0 && input_[end - 1] == '\r' ? end - 1 : end;
    const size_t first = args_.size();
    if (split_inline(input_.first(length), args_) == Quotes::kUnbalanced) {
      args_.resize(first);
      return error(kUnbalancedQuotes);
    }
    return request(end + 1);
  }

  // "*3\r\n". A count of zero or less is a request of no arguments.
  Step read_count() {
    std::string_view line;
    if (const Step step = read_line(&line, kTooBigCount); step != Step::kDone) return step;
    const auto count = ae::parse_int64(line.substr(1));
    if (!count || *count > kMaxArgs) return fail(kInvalidCount);
    if (*count > limits_.max_args) return fail(kUnauthenticatedCount);
    state_->args_left = std::max<int64_t>(*count, 0);
    return Step::kDone;
  }

  // "$16\r\n".
  Step read_length() {
    std::string_view line;
    if (const Step step = read_line(&line, kTooBigLength); step != Step::kDone) return step;
    // An empty line has its '\r' where the '$' should be.
    const char sigil = line.empty() ? '\r' : line[0];
    if (sigil != '$') return fail(expected_dollar(sigil));
    const auto length = ae::parse_int64(line.substr(1));
    if (!length || *length < 0 || *length > limits_.valid_bulk_bytes) return fail(kInvalidLength);
    if (*length > limits_.max_bulk_bytes) return fail(kUnauthenticatedLength);
    state_->bulk_bytes = *length;
    return Step::kDone;
  }

  Step read_bulk() {
    const auto length = static_cast<size_t>(state_->bulk_bytes);
    const size_t at_hand = input_.size() - state_->position;
    if (at_hand < length + kCrLf) return starve(length + kCrLf - at_hand);
    state_->args.push_back({state_->position, length});
    go_on_at(state_->position + length + kCrLf);
    state_->bulk_bytes = -1;
    --state_->args_left;
    return Step::kDone;
  }

  // Steps over a line and the two bytes that end it.
  Step read_line(std::string_view* line, std::string_view too_big) {
    const size_t begin = state_->position;
    const size_t end = find_carriage_return();
    if (end == kNotFound) {
      const size_t length = input_.size() - begin;
      if (length > limits_.max_inline_bytes) return fail(too_big);
      return starve(std::min(kCrLf, limits_.max_inline_bytes + 1 - length));
    }
    if (end + kCrLf > input_.size()) return starve(1);
    *line = {input_.data() + begin, end - begin};
    go_on_at(end + kCrLf);
    return Step::kDone;
  }

  // Count and length lines are a few bytes long, so one loop for both bytes beats two memchr.
  size_t find_carriage_return() {
    const size_t bound = search_bound();
    size_t at = state_->searched;
    while (at < bound && input_[at] != '\r' && input_[at] != '\0') ++at;
    state_->searched = at;
    return at < bound && input_[at] == '\r' ? at : kNotFound;
  }

  // Once a NUL is met, `searched` stays on it, and so does every later call.
  size_t find_newline() {
    char* const from = input_.data() + state_->searched;
    const size_t room = search_bound() - state_->searched;
    const void* newline = room == 0 ? nullptr : std::memchr(from, '\n', room);
    const size_t clear =
        newline ? static_cast<size_t>(static_cast<const char*>(newline) - from) : room;
    const void* nul = clear == 0 ? nullptr : std::memchr(from, '\0', clear);
    const size_t passed = nul ? static_cast<size_t>(static_cast<const char*>(nul) - from) : clear;
    state_->searched += passed;
    return newline && !nul ? state_->searched : kNotFound;
  }

  // A line end farther away than this does not count.
  size_t search_bound() const {
    const size_t longest = state_->position + limits_.max_inline_bytes + 1;
    return std::max(state_->searched, std::min(input_.size(), longest));
  }

  void go_on_at(size_t position) {
    state_->position = position;
    state_->searched = position;
  }

  ParseResult deliver() {
    for (const PartialRequest::Argument& argument : state_->args) {
      args_.emplace_back(input_.data() + argument.offset, argument.length);
    }
    return request(state_->position);
  }

  Step fail(std::string_view text) {
    error_ = text;
    return Step::kFailed;
  }
  Step starve(size_t wanted) {
    wanted_ = wanted;
    return Step::kStarved;
  }

  static constexpr size_t kNotFound = SIZE_MAX;

  ae::MutableBytes input_;
  PartialRequest& partial_;
  const RequestLimits& limits_;
  ArgVector& args_;
  PartialRequest::State* state_;
  std::string_view error_;
  size_t wanted_ = 0;
};

namespace {

// Everything that is not a complete, ordinary multibulk.
[[gnu::noinline]] ParseResult parse_slowly(ae::MutableBytes input, PartialRequest& partial,
                                           const RequestLimits& limits, ArgVector& args) {
  if (input.empty()) return incomplete(1);
  return SlowRequestParser(input, partial, limits, args).run();
}

// The fast loop stopped before an argument it could not take.
[[gnu::noinline]] ParseResult hand_over(ae::MutableBytes input, PartialRequest& partial,
                                        const RequestLimits& limits, ArgVector& args, size_t first,
                                        const char* position, uint64_t args_left) {
  SlowRequestParser slow(input, partial, limits, args);
  slow.adopt(first, static_cast<size_t>(position - input.data()), static_cast<int64_t>(args_left));
  return slow.run();
}

}  // namespace

ParseResult parse_request(ae::MutableBytes input, PartialRequest& partial,
                          const RequestLimits& limits, ArgVector& args) {
  const char* at = input.data();
  const char* const end = at + input.size();
  // "*1\r\n" is the shortest multibulk's count line.
  if (!partial.empty() || input.size() < 4 || *at != '*') {
    return parse_slowly(input, partial, limits, args);
  }
  const uint64_t max_args = std::min(static_cast<uint64_t>(limits.max_args), kFastArgs);
  uint64_t args_left = 0;
  if (!fast_number(++at, end, max_args, &args_left) || args_left == 0 || end - at < kLineEnd) {
    return parse_slowly(input, partial, limits, args);
  }
  at += kCrLf;
  const uint64_t max_bulk = std::min(static_cast<uint64_t>(limits.max_bulk_bytes), kFastBulkBytes);
  const size_t first = args.size();
  for (; args_left > 0; --args_left) {
    const char* const begin = at;
    uint64_t length = 0;
    if (end - at < kShortestArgument || *at != '$' || !fast_number(++at, end, max_bulk, &length) ||
        static_cast<uint64_t>(end - at) < kCrLf + length + kCrLf) {
      return hand_over(input, partial, limits, args, first, begin, args_left);
    }
    at += kCrLf;
    args.emplace_back(at, length);
    at += length + kCrLf;
  }
  return request(static_cast<size_t>(at - input.data()));
}

}  // namespace proto
