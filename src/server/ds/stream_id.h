// StreamId: the name of an entry of a stream, and its place in the order: milliseconds since 1970,
// then a number among the entries of that millisecond. Written "1700000000000-0".
#pragma once

#include <charconv>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "ae/base/decimal.h"

namespace millrace::ds {

struct StreamId {
  uint64_t ms = 0;
  uint64_t sequence = 0;

  static constexpr StreamId max() { return {UINT64_MAX, UINT64_MAX}; }
  constexpr bool is_zero() const { return ms == 0 && sequence == 0; }

  // The one behind this one, the one before it; none beyond the ends.
  constexpr std::optional<StreamId> next() const {
    if (sequence != UINT64_MAX) return StreamId{ms, sequence + 1};
    if (ms != UINT64_MAX) return StreamId{ms + 1, 0};
    return std::nullopt;
  }
  constexpr std::optional<StreamId> previous() const {
    if (sequence != 0) return StreamId{ms, sequence - 1};
    if (ms != 0) return StreamId{ms - 1, UINT64_MAX};
    return std::nullopt;
  }

  friend constexpr auto operator<=>(const StreamId&, const StreamId&) = default;

  using TextBuffer = char[2 * ae::kMaxInt64Chars + 1];
  std::string_view text(TextBuffer& buffer) const {
    size_t size = ae::format_uint64(ms, buffer);
    buffer[size++] = '-';
    size += ae::format_uint64(sequence, buffer + size);
    return {buffer, size};
  }
};

// What a client wrote: "5-3", or "5", whose sequence is for the reader to fill in.
struct StreamIdText {
  uint64_t ms = 0;
  std::optional<uint64_t> sequence;
  bool any_sequence = false;  // "5-*"

  StreamId with_sequence(uint64_t missing) const { return {ms, sequence.value_or(missing)}; }
};

namespace stream_id_detail {
inline bool parse(std::string_view text, uint64_t& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end;
}
}  // namespace stream_id_detail

// Nothing if the text is no id. "-", "+", "$", ">" and "*" are the commands' own words, not ids.
inline std::optional<StreamIdText> parse_stream_id(std::string_view text) {
  StreamIdText id;
  const size_t dash = text.find('-');
  if (!stream_id_detail::parse(text.substr(0, dash), id.ms)) return std::nullopt;
  if (dash == std::string_view::npos) return id;
  const std::string_view behind = text.substr(dash + 1);
  if (behind == "*") {
    id.any_sequence = true;
    return id;
  }
  uint64_t sequence = 0;
  if (!stream_id_detail::parse(behind, sequence)) return std::nullopt;
  id.sequence = sequence;
  return id;
}

}  // namespace millrace::ds
