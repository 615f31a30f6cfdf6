#include "server/db/glob.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace millrace {
namespace {

unsigned char folded(char c, GlobCase letters) {
  const auto byte = static_cast<unsigned char>(c);
  return letters == GlobCase::kIgnore && byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
}

struct OneByte {
  size_t pattern_bytes;  // how many of the pattern it took
  bool matches;
};

// Bytes are compared as char is signed on x86, and the ends change places before their case is
// folded: Redis does so, hence \xff comes before a, and [Z-a] is empty without regard to case.
bool in_range(char low, char high, char c, GlobCase letters) {
  if (static_cast<signed char>(low) > static_cast<signed char>(high)) std::swap(low, high);
  const auto value = [letters](char byte) {
    return static_cast<int>(static_cast<signed char>(folded(byte, letters)));
  };
  return value(c) >= value(low) && value(c) <= value(high);
}

// pattern[0] is '['.
OneByte match_class(std::string_view pattern, char c, GlobCase letters) {
  const unsigned char byte = folded(c, letters);
  size_t at = 1;
  const bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated) ++at;
  bool found = false;
  while (at < pattern.size() && pattern[at] != ']') {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) {
      found |= folded(pattern[at + 1], letters) == byte;
      at += 2;
    } else if (at + 2 < pattern.size() && pattern[at + 1] == '-') {
      found |= in_range(pattern[at], pattern[at + 2], c, letters);
      at += 3;
    } else {
      found |= folded(pattern[at], letters) == byte;
      ++at;
    }
  }
  const bool closed = at < pattern.size();
  return {closed ? at + 1 : at, found != negated};
}

// The first unit of a pattern that begins with no star, against one byte.
OneByte match_one(std::string_view pattern, char c, GlobCase letters) {
  if (pattern[0] == '?') return {1, true};
  if (pattern[0] == '[') return match_class(pattern, c, letters);
  const size_t at = pattern[0] == '\\' && pattern.size() > 1 ? 1 : 0;
  return {at + 1, folded(pattern[at], letters) == folded(c, letters)};
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text, GlobCase letters) {
  size_t in_pattern = 0;
  size_t in_text = 0;
  // Behind the last star, and where in the text its rest is tried.
  size_t behind_star = std::string_view::npos;
  size_t retry = 0;
  while (in_text < text.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      behind_star = ++in_pattern;
      retry = in_text;
      if (behind_star == pattern.size()) return true;
      continue;
    }
    const OneByte one = in_pattern < pattern.size()
                            ? match_one(pattern.substr(in_pattern), text[in_text], letters)
                            : OneByte{0, false};
    if (one.matches) {
      in_pattern += one.pattern_bytes;
      ++in_text;
    } else if (behind_star != std::string_view::npos) {
      in_pattern = behind_star;
      in_text = ++retry;
    } else {
      return false;
    }
  }
  return std::all_of(pattern.begin() + static_cast<ptrdiff_t>(in_pattern), pattern.end(),
                     [](char c) { return c == '*'; });
}

bool glob_is_literal(std::string_view pattern) {
  return pattern.find_first_of("*?[\\") == std::string_view::npos;
}

}  // namespace millrace
