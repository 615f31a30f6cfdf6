// What the commands on bits share: offsets as arguments, and a string that is long enough to be
// written to.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ae/base/bytes.h"
#include "server/command/context.h"

namespace millrace {

// A bit's place, counted in units of so many bits, below what a string may hold
// (proto-max-bulk-len). Nothing: answered an error.
std::optional<uint64_t> read_bit_offset(Context& c, std::string_view text, unsigned unit = 1);

// The string under the first key, to be changed.
struct BitString {
  ae::MutableBytes bytes;
  bool grown;  // the key is new, or the string longer than before
};
// Made where there is none, and continued with zeros up to the byte of the given bit. Nothing:
// answered WRONGTYPE.
std::optional<BitString> writable_bits(Context& c, uint64_t highest_bit);

}  // namespace millrace
