// The implementation tried out where it runs (PFSELFTEST): registers keep what they are given, the
// sparse form says what the dense one says, and estimates are as near as the theory has them.
#pragma once

#include <cstdint>
#include <string>

namespace millrace::ds {

// What has failed; empty: nothing has. Some milliseconds.
std::string try_hyperloglog(uint64_t seed);

}  // namespace millrace::ds
