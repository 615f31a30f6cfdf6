// Glob patterns as KEYS, SCAN MATCH, PSUBSCRIBE and CONFIG GET take them.
//
//   glob_matches("user:*", "user:1")                       true
//   glob_matches("h[^a-d]llo", "HELLO", GlobCase::kIgnore)  true
//
//   *        any bytes, none included          [abc]  one of these       \x    x, whatever it means
//   ?        any one byte                      [a-z]  one of a range
//                                              [^a]   any other one
//
// The details are Redis' and can be observed: a range may be given backwards; a class that is not
// closed extends to the end of the pattern; a backslash at the end stands for itself; in a class a
// backslash takes the next byte as it is. Case is folded for ASCII letters.
//
// Cost: at most pattern bytes * text bytes, whatever the pattern: when what follows a star has
// failed only the last star is retried, as an earlier one could not match anything a later one
// cannot. (K. Krauss, "Matching Wildcards", 2008.) Matchers that recurse at every star, as Redis'
// did, take exponential time on a*a*a*...b (CVE-2022-36021).
//
// Allocates nothing; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace {

enum class GlobCase : uint8_t { kExact, kIgnore };

bool glob_matches(std::string_view pattern, std::string_view text,
                  GlobCase letters = GlobCase::kExact);

// Whether the pattern matches nothing but itself, so that a lookup can do what a walk would.
bool glob_is_literal(std::string_view pattern);

}  // namespace millrace
