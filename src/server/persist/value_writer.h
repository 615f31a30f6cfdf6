// One value into an RDB file or a DUMP payload, as Redis 7.0 and 7.2 read it. Listpacks, intsets
// and the blocks of streams go out as they lie in memory; tables one element after the other.
//
// Sets that are listpacks are written element by element, because 7.0 has no such type; so are
// consumers without their time of activity, which 7.0 does not read.
//
// Thread: one. Errors stay with the writer.
#pragma once

#include <cstdint>

#include "server/db/entry.h"
#include "server/persist/rdb_writer.h"

namespace millrace {

// The code that goes before the key.
uint8_t value_type(const Entry& entry);
void write_value(RdbWriter& out, const Entry& entry);

}  // namespace millrace
