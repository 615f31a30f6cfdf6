// The small encodings that listpacks have replaced, as files of Redis 2.8 to 6.2 carry them. They
// are turned into listpacks on sight, so that nothing else knows them.
//
// A ziplist (P. Noordhuis, 2009):
//
//     | bytes:u32 | last entry:u32 | elements:u16 | entry … entry | ff |
//       entry:  | length of the entry before, 1 or fe + 4 bytes | encoding | payload |
//         00nnnnnn  01nnnnnn +1  10______ +4   string, its length big endian
//         c0 d0 e0 f0 fe                       integer of 16, 32, 64, 24, 8 bits
//         f1 … fd                              0 … 12
//
// A zipmap (S. Sanfilippo, 2009), Redis 2.4's hashes:
//
//     | pairs:u8, fe: unknown | length, field | length, free:u8, value, free bytes | … | ff |
//       length: 1 byte, or fe + 4 bytes
//
// Bytes from outside: every length, the way back and the counts are checked; nullopt unless they
// are one whole valid structure and nothing else.
#pragma once

#include <optional>
#include <string_view>

#include "server/ds/listpack.h"

namespace millrace {

std::optional<ds::Listpack> listpack_from_ziplist(std::string_view bytes);
// Field, value, field, value …
std::optional<ds::Listpack> listpack_from_zipmap(std::string_view bytes);

}  // namespace millrace
