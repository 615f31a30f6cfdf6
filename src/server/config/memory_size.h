// Memory sizes as redis.conf spells them: a whole number of bytes, or with a unit. "k", "m", "g"
// are powers of 1000, "kb", "mb", "gb" powers of 1024; case does not matter; "b" means bytes.
//
//   parse_memory_size("64mb")       // 67108864
//   format_memory_size(67108864)    // "64mb"
//   parse_memory_size("1.5gb")      // nothing: whole numbers only
//
// Stricter than Redis, which also takes "" and "kb" for 0 and wraps around beyond 64 bits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

// Nothing for what is no size, is negative, or passes 2^63 - 1 bytes.
std::optional<int64_t> parse_memory_size(std::string_view text);

// The shortest spelling that reads back as exactly `bytes`.
std::string format_memory_size(int64_t bytes);

}  // namespace millrace
