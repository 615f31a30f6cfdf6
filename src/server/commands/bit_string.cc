#include "server/commands/bit_string.h"

#include <algorithm>
#include <cstring>

#include "ae/base/decimal.h"
#include "server/config/config.h"

namespace millrace {

std::optional<uint64_t> read_bit_offset(Context& c, std::string_view text, unsigned unit) {
  auto offset = ae::parse_int64(text);
  const bool overflows = offset && __builtin_mul_overflow(*offset, int64_t{unit}, &*offset);
  const uint64_t limit = c.config().proto_max_bulk_len_bytes;
  if (offset && !overflows && *offset >= 0 && static_cast<uint64_t>(*offset) / 8 < limit)
    return static_cast<uint64_t>(*offset);
  c.fail("ERR bit offset is not an integer or out of range");
  return std::nullopt;
}

std::optional<BitString> writable_bits(Context& c, uint64_t highest_bit) {
  Entry* entry = c.write(1, Type::kString);
  if (c.failed()) return std::nullopt;
  const Key key = c.key(1);
  const bool is_new = entry == nullptr;
  if (is_new) entry = c.db().set_string(key, "", kNoExpiry, nullptr);
  const size_t old_length = entry->text_length();
  const size_t length = std::max<size_t>(old_length, highest_bit / 8 + 1);
  const ae::MutableBytes bytes = c.db().edit_string(key, entry, length);
  std::memset(bytes.data() + old_length, 0, length - old_length);
  return BitString{bytes, is_new || length > old_length};
}

}  // namespace millrace
