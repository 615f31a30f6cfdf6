// Inline requests: what a person types into telnet. "SET greeting \"hello\\n\"" instead of a
// multibulk. This file splits one line; request_parser.cc finds the line.
//
// The quoting is Redis':
//   - words are separated by white space;
//   - in double quotes \n \r \t \b \a and \xHH are bytes, and a backslash before anything else is
//     dropped;
//   - in single quotes only \' is special;
//   - a quote may open in the middle of a word, but must close at the word's end.
//
// Unescaping never makes a word longer, so it is done in place, and the arguments stay views of the
// line as they are for a multibulk. Costs: one pass, no allocation but `args`' own.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ae/base/bytes.h"

namespace proto {

// Arguments are views into bytes that somebody else owns. One vector serves a whole batch of
// requests: it is appended to, request after request, and cleared once.
using ArgVector = std::vector<std::string_view>;

enum class Quotes : uint8_t { kBalanced, kUnbalanced };

// Appends the words of `line` (without its line end, without NUL bytes) to `args`, as views into
// `line`, whose bytes it may overwrite. kUnbalanced: `args` may hold some of the words; the line is
// spoilt.
Quotes split_inline(ae::MutableBytes line, ArgVector& args);

}  // namespace proto
