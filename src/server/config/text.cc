#include "server/config/text.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "ae/base/assert.h"
#include "proto/inline_request.h"

namespace millrace {
namespace {

// What may stand in a word without quotes: printable ASCII but for space, quotes, backslash and
// '#', which at the start of a line would make a comment of it.
bool is_plain(char c) {
  return c > ' ' && c < 0x7f && c != '"' && c != '\'' && c != '\\' && c != '#';
}

void append_escaped(std::string& out, char c) {
  constexpr char kHexDigits[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\') {
    out.append({'\\', c});
  } else if (byte >= ' ' && byte < 0x7f) {
    out.push_back(c);
  } else {
    out.append({'\\', 'x', kHexDigits[byte >> 4], kHexDigits[byte & 0xf]});
  }
}

}  // namespace

std::optional<std::vector<std::string>> split_words(std::string_view line) {
  std::string bytes(line);
  proto::ArgVector views;
  if (proto::split_inline(ae::MutableBytes(bytes), views) == proto::Quotes::kUnbalanced) {
    return std::nullopt;
  }
  return std::vector<std::string>(views.begin(), views.end());
}

std::string quoted_word(std::string_view word) {
  if (!word.empty() && std::ranges::all_of(word, is_plain)) return std::string(word);
  std::string out = "\"";
  for (const char c : word) append_escaped(out, c);
  out.push_back('"');
  return out;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string out;
  for (const std::string& word : words) {
    if (&word != &words.front()) out.append(separator);
    out.append(word);
  }
  return out;
}

size_t edit_distance(std::string_view a, std::string_view b, size_t limit) {
  AE_ASSERT(a.size() <= kMaxComparedChars && b.size() <= kMaxComparedChars);
  std::array<size_t, kMaxComparedChars + 1> rows[3];
  size_t* before_last = rows[0].data();
  size_t* last = rows[1].data();
  size_t* row = rows[2].data();
  std::iota(last, last + b.size() + 1, size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    size_t least = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      size_t distance = std::min(std::min(last[j], row[j - 1]) + 1, replaced);
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) distance = std::min(distance, before_last[j - 2] + 1);
      row[j] = distance;
      least = std::min(least, distance);
    }
    if (least >= limit) return limit;  // no later row can have less
    size_t* const oldest = std::exchange(before_last, last);
    last = std::exchange(row, oldest);
  }
  return std::min(last[b.size()], limit);
}

}  // namespace millrace
