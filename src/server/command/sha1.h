// SHA-1 (FIPS 180-4): the digests of DEBUG DIGEST. Not for secrets: SHA-1 has been broken since
// 2017; here it is part of a format.
//
//   Sha1Digest digest = sha1("abc");   // a9993e36...
//
// Any thread; allocates nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace {

using Sha1Digest = std::array<uint8_t, 20>;

Sha1Digest sha1(std::string_view bytes);

// 40 lower-case digits.
std::string hex_of(const Sha1Digest& digest);

}  // namespace millrace
