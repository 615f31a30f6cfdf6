// Up to where a collection stays in its small encoding. Configuration, hence plain structs that are
// passed to whatever may have to convert; the collections keep no copy. The defaults are
// Redis 7.2's.
#pragma once

#include <cstddef>

namespace millrace::ds {

// hash-max-listpack-entries and -value, zset-max-listpack-entries and -value.
struct ListpackLimits {
  size_t max_entries = 128;
  size_t max_value_bytes = 64;
};

// set-max-intset-entries, set-max-listpack-entries and -value.
struct StringSetLimits {
  size_t max_intset_entries = 512;
  size_t max_listpack_entries = 128;
  size_t max_value_bytes = 64;
};

// How several random members are drawn: SRANDMEMBER, HRANDFIELD and ZRANDMEMBER with a positive
// count (without repetition, at most all of them) or a negative one (as many as asked for).
enum class Repetition { kUnique, kRepeating };

// What a visitor that may end a walk early returns.
enum class Step { kContinue, kStop };

}  // namespace millrace::ds
