// What a request is, written as plainly as can be: looks at all bytes every time, keeps nothing,
// copies everything. The real parser must agree with it on every input, however it is cut.
#pragma once

#include <cctype>
#include <climits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/request_parser.h"

namespace proto::reference {

struct Outcome {
  ParseStatus status = ParseStatus::kIncomplete;
  size_t consumed = 0;
  std::string error;
  std::vector<std::string> args;

  bool operator==(const Outcome&) const = default;
};

inline Outcome failed(const std::string& error) {
  return {ParseStatus::kError, 0, error, {}};
}

// Where the line that begins `bytes` ends; npos if a NUL comes first or it is too long.
inline size_t line_end(std::string_view bytes, char end, const RequestLimits& limits) {
  const size_t at = bytes.find_first_of(std::string{end, '\0'});
  if (at == std::string_view::npos || bytes[at] == '\0') return std::string_view::npos;
  return at <= limits.max_inline_bytes ? at : std::string_view::npos;
}

inline std::optional<long long> strict_number(const std::string& text) {
  errno = 0;
  const long long value = std::strtoll(text.c_str(), nullptr, 10);
  if (errno != 0 || std::to_string(value) != text) return std::nullopt;
  return value;
}

// Redis' rules of quoting. No value: quotes do not balance.
inline std::optional<std::vector<std::string>> split(std::string_view line) {
  const std::string text(line);
  const auto space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  const auto hex = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
  std::vector<std::string> words;
  size_t i = 0;
  for (;;) {
    while (i < text.size() && space(text[i])) ++i;
    if (i == text.size()) return words;
    std::string word;
    char quote = 0;
    for (bool closed = false; !closed;) {
      const bool over = i == text.size();
      if (quote == 0) {
        if (over || std::string_view(" \n\r\t").find(text[i]) != std::string_view::npos) break;
        if (text[i] == '"' || text[i] == '\'') {
          quote = text[i++];
        } else {
          word += text[i++];
        }
        continue;
      }
      if (over) return std::nullopt;
      const std::string rest = text.substr(i);
      if (quote == '"' && rest.size() >= 4 && rest.starts_with("\\x") && hex(rest[2]) &&
          hex(rest[3])) {
        word += static_cast<char>(std::stoi(rest.substr(2, 2), nullptr, 16));
        i += 4;
      } else if (quote == '"' && rest.size() >= 2 && rest[0] == '\\') {
        const std::string letters = "nrtba";
        const size_t known = letters.find(rest[1]);
        word += known == std::string::npos ? rest[1] : "\n\r\t\b\a"[known];
        i += 2;
      } else if (quote == '\'' && rest.starts_with("\\'")) {
        word += '\'';
        i += 2;
      } else if (rest[0] == quote) {
        if (rest.size() > 1 && !space(rest[1])) return std::nullopt;
        ++i;
        closed = true;
      } else {
        word += rest[0];
        ++i;
      }
    }
    words.push_back(word);
  }
}

inline Outcome parse_inline(std::string_view input, const RequestLimits& limits) {
  const size_t end = line_end(input, '\n', limits);
  if (end == std::string_view::npos) {
    return input.size() > limits.max_inline_bytes ? failed("too big inline request") : Outcome{};
  }
  std::string_view line = input.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  auto words = split(line);
  if (!words) return failed("unbalanced quotes in request");
  return {ParseStatus::kRequest, end + 1, "", *words};
}

// A line of a multibulk. Returns the text and steps over it and the two bytes behind.
struct Line {
  Outcome outcome;  // kRequest: there is a line
  std::string text;
};
inline Line take_line(std::string_view input, size_t* position, const char* too_big,
                      const RequestLimits& limits) {
  const std::string_view rest = input.substr(*position);
  const size_t end = line_end(rest, '\r', limits);
  if (end == std::string_view::npos) {
    return {rest.size() > limits.max_inline_bytes ? failed(too_big) : Outcome{}, ""};
  }
  if (end + 2 > rest.size()) return {};
  *position += end + 2;
  return {{ParseStatus::kRequest, 0, "", {}}, std::string(rest.substr(0, end))};
}

inline Outcome parse_multibulk(std::string_view input, const RequestLimits& limits) {
  size_t position = 0;
  const Line first = take_line(input, &position, "too big mbulk count string", limits);
  if (first.outcome.status != ParseStatus::kRequest) return first.outcome;
  const auto count = strict_number(first.text.substr(1));
  if (!count || *count > INT_MAX) return failed("invalid multibulk length");
  if (*count > limits.max_args) return failed("unauthenticated multibulk length");
  Outcome request{ParseStatus::kRequest, 0, "", {}};
  for (long long i = 0; i < *count; ++i) {
    const Line line = take_line(input, &position, "too big bulk count string", limits);
    if (line.outcome.status != ParseStatus::kRequest) return line.outcome;
    if (!line.text.starts_with('$')) {
      const bool shown_as_space = line.text.empty() || line.text[0] == '\n';
      return failed(std::string("expected '$', got '") + (shown_as_space ? ' ' : line.text[0]) +
                    "'");
    }
    const auto length = strict_number(line.text.substr(1));
    if (!length || *length < 0 || *length > limits.valid_bulk_bytes) {
      return failed("invalid bulk length");
    }
    if (*length > limits.max_bulk_bytes) return failed("unauthenticated bulk length");
    const auto size = static_cast<size_t>(*length);
    if (input.size() - position < size + 2) return {};
    request.args.emplace_back(input.substr(position, size));
    position += size + 2;
  }
  request.consumed = position;
  return request;
}

inline Outcome parse(std::string_view input, const RequestLimits& limits) {
  if (input.empty()) return {};
  return input[0] == '*' ? parse_multibulk(input, limits) : parse_inline(input, limits);
}

}  // namespace proto::reference
