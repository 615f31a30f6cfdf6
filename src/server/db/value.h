// What a key can hold, in the words of the TYPE and OBJECT ENCODING commands.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "ae/base/decimal.h"

namespace millrace {

enum class Type : uint8_t { kString, kList, kSet, kZSet, kHash, kStream };

enum class Encoding : uint8_t {
  kInt,
  kEmbedded,
  kRaw,
  kListpack,
  kQuickList,
  kIntSet,
  kHashTable,
  kSkipList,
  kStream,
};

// "string", "list", "set", "zset", "hash", "stream": TYPE's answer and what SCAN's TYPE option
// takes.
constexpr std::string_view type_name(Type type) {
  constexpr std::string_view kNames[] = {"string", "list", "set", "zset", "hash", "stream"};
  return kNames[static_cast<size_t>(type)];
}

// OBJECT ENCODING's answer.
constexpr std::string_view encoding_name(Encoding encoding) {
  constexpr std::string_view kNames[] = {"int",    "embstr",    "raw",      "listpack", "quicklist",
                                         "intset", "hashtable", "skiplist", "stream"};
  return kNames[static_cast<size_t>(encoding)];
}

// Room for the text of a number that is kept as a number.
using TextBuffer = std::array<char, ae::kMaxInt64Chars>;

// Times of expiry are milliseconds since 1970 and never negative. These two are not times.
constexpr int64_t kNoExpiry = -1;
constexpr int64_t kKeepExpiry = -2;  // as an argument only: whatever the key has now

}  // namespace millrace
