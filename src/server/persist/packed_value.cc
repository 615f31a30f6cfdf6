#include "server/persist/packed_value.h"

#include <algorithm>
#include <vector>

#include "server/ds/hash.h"

namespace millrace {

std::optional<ds::Listpack> read_pack(RdbReader& reader, Unpack unpack, const char* what) {
  const std::string_view bytes = reader.text(what);
  if (reader.failed()) return std::nullopt;
  std::optional<ds::Listpack> pack = unpack(bytes);
  if (!pack) reader.fail(what, "bytes that are none");
  return pack;
}

bool has_distinct(const ds::ListpackView& pack, size_t stride) {
  // Equal elements are equal bytes, so the bytes can be hashed as they lie.
  std::vector<uint64_t> hashes;
  hashes.reserve(pack.size() / stride);
  const char* const block = pack.raw().data();
  size_t index = 0;
  for (ds::Cursor at = pack.first(); at; at = pack.next(at)) {
    if (index++ % stride != 0) continue;
    const char* const entry = block + at.offset;
    hashes.push_back(ds::hash_bytes({entry, ds::listpack_entry::entry_size(entry)}));
  }
  std::sort(hashes.begin(), hashes.end());
  return std::adjacent_find(hashes.begin(), hashes.end()) == hashes.end();
}

}  // namespace millrace
