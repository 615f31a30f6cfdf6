// The text rules of redis.conf: words, quotes, case.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

// Splits a line at white space, by the quoting rules of inline requests (proto/inline_request.h).
// Nothing if a quote is not closed.
std::optional<std::vector<std::string>> split_words(std::string_view line);

// `word` as one word of a line: as it is where that can be read back, else in double quotes with
// escapes. split_words gives the same bytes back.
std::string quoted_word(std::string_view word);

bool equal_ignoring_case(std::string_view a, std::string_view b);

// "a, b, c"
std::string joined(const std::vector<std::string>& words, std::string_view separator);

// The least number of characters to insert, remove, replace, or swap with a neighbour, that makes
// one word of the other ("optimal string alignment"; F. Damerau, 1964); `limit` if it is that or
// more, which is found out early. O(a × b), without allocation, for words of at most
// kMaxComparedChars.
inline constexpr size_t kMaxComparedChars = 64;
size_t edit_distance(std::string_view a, std::string_view b, size_t limit);

}  // namespace millrace
