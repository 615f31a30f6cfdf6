// A listpack inside an RDB file, checked: what hashes, sets, sorted sets and lists have in common.
#pragma once

#include <optional>
#include <string_view>

#include "server/ds/listpack.h"
#include "server/persist/rdb_reader.h"

namespace millrace {

// The text that follows as a listpack; of an old encoding, turned into one. Nothing: the reader has
// failed.
using Unpack = std::optional<ds::Listpack> (*)(std::string_view bytes);
std::optional<ds::Listpack> read_pack(RdbReader& reader, Unpack unpack, const char* what);

// Whether the elements 0, stride, 2 * stride … are certainly distinct. "No" may be wrong, about
// once in 2^64 pairs: then the elements are to be taken one by one.
bool has_distinct(const ds::ListpackView& pack, size_t stride);

}  // namespace millrace
