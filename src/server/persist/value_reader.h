// One value out of an RDB file or a DUMP payload, in any of the encodings of Redis 2.8 to 7.2.
//
// The bytes are not trusted: every length, listpack and ziplist is checked whole before it is used
// (what Redis calls deep sanitizing), members must be distinct, scores numbers, what is pending in
// a stream's group must have one consumer. The limits decide which encoding the value has in the
// end.
//
// Thread: the main one. Memory: what the value takes, and while reading it the largest of its
// texts.
#pragma once

#include <cstdint>
#include <string_view>

#include "server/db/entry_store.h"
#include "server/persist/rdb_reader.h"
#include "server/persist/value_limits.h"

namespace millrace {

// An entry of this name with the value that follows. Nothing: reader.failed(), or, if not, an empty
// collection, which no key can hold (old versions could write one).
Detached read_value(RdbReader& reader, uint8_t type, std::string_view key,
                    const ValueLimits& limits);

// Whether it is the code of a value, known here or not.
bool is_value_type(uint8_t type);

// The parts, by type; each fails the reader, or gives what may be empty.
ds::QuickList read_list(RdbReader& reader, uint8_t type, const ds::ListLimit& limit);
ds::StringSet read_set(RdbReader& reader, uint8_t type, const ds::StringSetLimits& limits);
ds::SortedSet read_sorted_set(RdbReader& reader, uint8_t type, const ds::ListpackLimits& limits);
ds::FieldMap read_hash(RdbReader& reader, uint8_t type, const ds::ListpackLimits& limits);
ds::Stream read_stream(RdbReader& reader, uint8_t type);

}  // namespace millrace
