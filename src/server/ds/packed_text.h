// A text with its length in front, as it lies inside a hash field or a member of a set:
//
//     length < 255:   | length:u8  | bytes …            one byte of overhead
//     else:           | 255 | length:u32 | bytes …      five
//
// A pointer and a length beside the bytes would cost sixteen, which for members of ten bytes is
// more than the members. Lengths stay below 4 GiB, since no argument of a client is longer than 512
// MB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "ae/base/assert.h"

namespace millrace::ds {

namespace packed_text_detail {
inline constexpr unsigned char kLongMark = 255;
inline constexpr size_t kLongHeaderBytes = 1 + sizeof(uint32_t);
}  // namespace packed_text_detail

constexpr size_t packed_text_bytes(size_t length) {
  const bool is_short = length < packed_text_detail::kLongMark;
  return length + (is_short ? 1 : packed_text_detail::kLongHeaderBytes);
}

// Writes the header for a text of this length; returns where its bytes go.
inline char* write_packed_length(char* to, size_t length) {
  if (length < packed_text_detail::kLongMark) [[likely]] {
    *to = static_cast<char>(length);
    return to + 1;
  }
  AE_ASSERT(length <= UINT32_MAX);
  const auto stored = static_cast<uint32_t>(length);
  *to = static_cast<char>(packed_text_detail::kLongMark);
  std::memcpy(to + 1, &stored, sizeof stored);
  return to + packed_text_detail::kLongHeaderBytes;
}

// Writes packed_text_bytes(text.size()) bytes; returns where they end.
inline char* write_packed_text(char* to, std::string_view text) {
  char* const bytes = write_packed_length(to, text.size());
  if (!text.empty()) std::memcpy(bytes, text.data(), text.size());
  return bytes + text.size();
}

inline std::string_view read_packed_text(const char* from) {
  const auto first = static_cast<unsigned char>(*from);
  if (first != packed_text_detail::kLongMark) [[likely]]
    return {from + 1, first};
  uint32_t length;
  std::memcpy(&length, from + 1, sizeof length);
  return {from + packed_text_detail::kLongHeaderBytes, length};
}

}  // namespace millrace::ds
