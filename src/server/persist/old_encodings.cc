#include "server/persist/old_encodings.h"

#include <cstdint>
#include <cstring>

namespace millrace {
namespace {

using ds::Listpack;

constexpr uint8_t kEnd = 0xff;
constexpr uint8_t kLongLength = 0xfe;

// Takes bytes from the front; what goes beyond the end spoils it for good.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

  bool good() const { return good_; }
  size_t left() const { return bytes_.size(); }

  std::string_view take(uint64_t count) {
    if (count > bytes_.size()) {
      good_ = false;
      return {};
    }
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  uint8_t byte() {
    const std::string_view one = take(1);
    return one.empty() ? kEnd : static_cast<uint8_t>(one[0]);
  }
  uint8_t peek() const { return bytes_.empty() ? kEnd : static_cast<uint8_t>(bytes_[0]); }
  uint32_t little_endian32() {
    uint32_t value = 0;
    const std::string_view raw = take(4);
    if (good_) std::memcpy(&value, raw.data(), 4);
    return value;
  }
  uint32_t big_endian32() { return __builtin_bswap32(little_endian32()); }
  // Two's complement, little endian, of 1 to 8 bytes.
  int64_t integer(size_t bytes) {
    uint64_t value = 0;
    const std::string_view raw = take(bytes);
    if (!good_) return 0;
    std::memcpy(&value, raw.data(), bytes);
    const unsigned unused = 64 - 8 * static_cast<unsigned>(bytes);
    return static_cast<int64_t>(value << unused) >> unused;
  }
  void spoil() { good_ = false; }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

// False: the listpack would be too large.
bool append(Listpack& pack, const ds::EncodedEntry& value) {
  if (!pack.fits(value.entry_size())) return false;
  pack.append(value);
  return true;
}

bool append_text(Listpack& pack, std::string_view text) {
  return text.size() < ds::kMaxListpackBytes && append(pack, text);
}

// The bytes of an integer of this encoding; 0: it is none.
size_t integer_bytes(uint8_t encoding) {
  switch (encoding) {
    case 0xc0:
      return 2;
    case 0xd0:
      return 4;
    case 0xe0:
      return 8;
    case 0xf0:
      return 3;
    case 0xfe:
      return 1;
    default:
      return 0;
  }
}

bool take_ziplist_value(Bytes& bytes, Listpack& pack) {
  const uint8_t encoding = bytes.byte();
  switch (encoding >> 6) {
    case 0:
      return append_text(pack, bytes.take(encoding & 0x3f)) && bytes.good();
    case 1: {
      const uint64_t length = static_cast<uint64_t>(encoding & 0x3f) << 8 | bytes.byte();
      return append_text(pack, bytes.take(length)) && bytes.good();
    }
    case 2: {
      const uint32_t length = bytes.big_endian32();
      return append_text(pack, bytes.take(length)) && bytes.good();
    }
    default:
      break;
  }
  if (encoding >= 0xf1 && encoding <= 0xfd) {
    return append(pack, ds::EncodedEntry::of_integer(encoding - 0xf1));
  }
  const size_t width = integer_bytes(encoding);
  if (width == 0) return false;
  const int64_t value = bytes.integer(width);
  return bytes.good() && append(pack, ds::EncodedEntry::of_integer(value));
}

uint32_t take_old_length(Bytes& bytes) {
  const uint8_t first = bytes.byte();
  if (first == kEnd) bytes.spoil();
  return first == kLongLength ? bytes.little_endian32() : first;
}

// A zipmap has the long form for long texts only; in a ziplist it stays when what it measures
// shrinks.
uint32_t take_zipmap_length(Bytes& bytes) {
  const bool is_long = bytes.peek() == kLongLength;
  const uint32_t length = take_old_length(bytes);
  if (is_long && length < kLongLength) bytes.spoil();
  return length;
}

}  // namespace

std::optional<Listpack> listpack_from_ziplist(std::string_view all) {
  constexpr size_t kHeaderBytes = 10;
  constexpr int64_t kUnknownCount = 0xffff;
  Bytes bytes(all);
  const uint32_t total = bytes.little_endian32();
  const uint32_t last_offset = bytes.little_endian32();
  const int64_t stated = bytes.integer(2) & 0xffff;
  if (!bytes.good() || total != all.size()) return std::nullopt;

  Listpack pack;
  int64_t count = 0;
  size_t last = kHeaderBytes;  // where the entry before begins
  size_t last_length = 0;
  while (bytes.left() != 0 && bytes.peek() != kEnd) {
    const size_t start = all.size() - bytes.left();
    if (take_old_length(bytes) != last_length || !bytes.good()) return std::nullopt;
    if (!take_ziplist_value(bytes, pack)) return std::nullopt;
    last = start;
    last_length = all.size() - bytes.left() - start;
    ++count;
  }
  if (bytes.left() != 1 || last != last_offset) return std::nullopt;
  if (stated != kUnknownCount && stated != count) return std::nullopt;
  return pack;
}

std::optional<Listpack> listpack_from_zipmap(std::string_view all) {
  Bytes bytes(all);
  const uint8_t stated = bytes.byte();
  Listpack pack;
  size_t pairs = 0;
  while (bytes.left() != 0 && bytes.peek() != kEnd) {
    const std::string_view field = bytes.take(take_zipmap_length(bytes));
    const uint32_t value_length = take_zipmap_length(bytes);
    const uint8_t free = bytes.byte();
    const std::string_view value = bytes.take(value_length);
    bytes.take(free);
    if (!bytes.good() || !append_text(pack, field) || !append_text(pack, value)) {
      return std::nullopt;
    }
    ++pairs;
  }
  if (!bytes.good() || bytes.left() != 1) return std::nullopt;
  if (stated < kLongLength && stated != pairs) return std::nullopt;
  return pack;
}

}  // namespace millrace
