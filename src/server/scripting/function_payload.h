// FUNCTION DUMP's payload: the code of each library, as in an RDB file, and a footer.
//
//   | f5 | string | f5 | string | ... | version, 2 bytes | CRC-64 of all before, 8 bytes |
//
// A string is its length and its bytes; Redis compresses long ones (LZF), which is read here and
// not written: libraries are few and small. Both numbers of the footer are little-endian.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::scripting {

struct Payload {
  std::vector<std::string> codes;
  std::string error;  // why there are none
};

std::string make_payload(std::span<const std::string_view> codes);
// Of bytes from outside: every length is checked before it is believed.
Payload parse_payload(std::string_view bytes);

// LZF (M. Lehmann): the `size` bytes that `packed` stands for; nothing if it is not well formed.
std::optional<std::string> unpack_lzf(std::string_view packed, size_t size);

}  // namespace millrace::scripting
