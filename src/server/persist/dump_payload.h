// DUMP's payload: one value as in an RDB file, and a footer that says what version it is of and
// that it is whole.
//
//   | type | value | version, 2 bytes | CRC-64 of all before, 8 bytes |      little endian
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/db/entry_store.h"
#include "server/persist/rdb_writer.h"
#include "server/persist/value_limits.h"

namespace millrace {

// Always with a checksum.
std::string make_dump(const Entry& entry, RdbOptions options = {});

// Whether the footer fits: a version that is known here, the right checksum unless it is skipped.
enum class DumpChecksum : uint8_t { kCompare, kSkip };
bool is_whole_dump(std::string_view payload, DumpChecksum checksum = DumpChecksum::kCompare);

// An entry of this name with the payload's value. Nothing: the payload is whole, but it is not
// good. Bytes from outside.
Detached read_dump(std::string_view payload, std::string_view key, const ValueLimits& limits);

}  // namespace millrace
