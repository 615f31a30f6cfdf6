// Which release this is, and which Redis it speaks like.
#pragma once

namespace millrace {

inline constexpr const char* kVersion = "0.1.0";
// What clients see as redis_version: they choose commands and reply shapes by it.
inline constexpr const char* kRedisVersion = "7.2.4";

}  // namespace millrace
