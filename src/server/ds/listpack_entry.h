// One element of a listpack: how it is encoded, decoded, measured and compared.
//
// The format is Redis' (the "listpack specification" by Salvatore Sanfilippo, 2017); RDB files
// carry it verbatim. An entry is
//
//     +----------+---------+---------+
//     | encoding | payload | backlen |         backlen = bytes of encoding + payload
//     +----------+---------+---------+
//
//     0xxxxxxx                        integer 0 .. 127, in the byte itself
//     10nnnnnn  payload               string of n <= 63 bytes
//     110xxxxx xxxxxxxx               integer of 13 bits, two's complement, high bits first
//     1110nnnn nnnnnnnn  payload      string of n <= 4095 bytes, high bits first
//     11110000 n:u32le  payload       string of n bytes
//     11110001 11110010 11110011 11110100   integer of 16, 24, 32, 64 bits, little endian
//     11111111                        end of the listpack
//
// The backlen lets a reader walk backwards. It is a number in groups of seven bits, written so that
// it can be read from its last byte: every byte but the first has its top bit set, the most
// significant group stands first.
//
// A text that is the canonical decimal of an int64 ("-7", not "+7", "07" or "-0") is stored as that
// integer, in the narrowest encoding that holds it; a string in the shortest header. So every value
// has exactly one encoding, and two elements are equal when their encoded bytes are: a search
// encodes what it looks for once and compares bytes.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "ae/base/decimal.h"

namespace millrace::ds {

static_assert(std::endian::native == std::endian::little, "listpack integers are little endian");

// No listpack grows beyond this. Redis draws the line at 1 GiB too: offsets stay within 32 bits.
inline constexpr std::size_t kMaxListpackBytes = std::size_t{1} << 30;

// What an entry holds: an int64, or a view into the listpack that is good until the next change of
// it.
class Element {
 public:
  using TextBuffer = char[ae::kMaxInt64Chars];

  static Element of_string(std::string_view text) {
    return {text.data() != nullptr ? text.data() : "", static_cast<std::int64_t>(text.size())};
  }
  static Element of_integer(std::int64_t value) { return {nullptr, value}; }

  bool is_integer() const { return data_ == nullptr; }
  std::int64_t integer() const { return value_; }  // only if is_integer()
  std::string_view string() const { return {data_, static_cast<std::size_t>(value_)}; }

  // The element as the client wrote it. An integer is formatted into `buffer`.
  std::string_view text(TextBuffer& buffer) const {
    if (!is_integer()) return string();
    return {buffer, ae::format_int64(value_, buffer)};
  }

  // Formats nothing: an integer is compared by parsing the text, which mostly fails at its first
  // byte.
  friend bool operator==(const Element& element, std::string_view text) {
    if (!element.is_integer()) return element.string() == text;
    return ae::parse_int64(text) == element.value_;
  }

 private:
  Element(const char* data, std::int64_t value) : data_(data), value_(value) {}

  const char* data_;    // nullptr: an integer
  std::int64_t value_;  // the integer, or the length of the string
};

namespace listpack_entry {

inline constexpr unsigned char kEnd = 0xff;
// Header of the whole pack: u32 bytes, u16 elements.
inline constexpr std::uint32_t kHeaderBytes = 6;

// Redis' limits are one short of what seven bits per byte could hold (16383 takes three bytes);
// whoever wants equal bytes does the same.
constexpr std::uint32_t backlen_size(std::uint32_t encoded_bytes) {
  if (encoded_bytes <= 127) return 1;
  if (encoded_bytes < 16383) return 2;
  if (encoded_bytes < 2097151) return 3;
  return encoded_bytes < 268435455 ? 4 : 5;
}

void write_backlen_wide(char* to, std::uint32_t encoded_bytes);

inline void write_backlen(char* to, std::uint32_t encoded_bytes) {
  if (encoded_bytes <= 127) {
    *to = static_cast<char>(encoded_bytes);
    return;
  }
  write_backlen_wide(to, encoded_bytes);
}

// Reads the backlen that ends at `last` (inclusive).
inline std::uint32_t read_backlen(const char* last) {
  std::uint32_t value = static_cast<unsigned char>(*last) & 127;
  for (unsigned shift = 7; (*last & 0x80) != 0 && shift < 35; shift += 7) {
    --last;
    value |= (static_cast<std::uint32_t>(*last) & 127) << shift;
  }
  return value;
}

// Bytes of encoding and payload, for first bytes from 0xc0 on.
std::uint32_t encoded_size_wide(const char* entry);

// Bytes of encoding and payload of the two short encodings, without a branch between them: a pack
// that mixes small integers and short strings would mispredict it at every other element.
inline std::uint32_t encoded_size_short(std::uint32_t first) {
  return std::max(first, 128U) - 127;
}

// Bytes of encoding and payload.
inline std::uint32_t encoded_size(const char* entry) {
  const std::uint32_t first = static_cast<unsigned char>(*entry);
  return first < 0xc0 ? encoded_size_short(first) : encoded_size_wide(entry);
}

// Bytes from this entry to the next.
inline std::uint32_t entry_size(const char* entry) {
  const std::uint32_t first = static_cast<unsigned char>(*entry);
  if (first < 0xc0) return encoded_size_short(first) + 1;
  const std::uint32_t encoded = encoded_size_wide(entry);
  return encoded + backlen_size(encoded);
}

// Bytes from the entry before to this one. `entry` is not the first.
inline std::uint32_t previous_entry_size(const char* entry) {
  const std::uint32_t encoded = read_backlen(entry - 1);
  return encoded + backlen_size(encoded);
}

inline bool is_end(const char* entry) {
  return static_cast<unsigned char>(*entry) == kEnd;
}

template <typename Word>
Word load_word(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

Element decode_wide(const char* entry);

inline Element decode(const char* entry) {
  const auto first = static_cast<unsigned char>(*entry);
  if (first < 0x80) return Element::of_integer(first);
  if (first < 0xc0) return Element::of_string({entry + 1, first & 63U});
  return decode_wide(entry);
}

// Whether two texts of equal length are equal. The ends are compared first: what tells "field:17"
// from "field:18" stands there. memcmp's call alone costs more than all of this.
inline bool same_text(const char* a, const char* b, std::size_t size) {
  if (size >= 8) {
    const bool same_end =
        load_word<std::uint64_t>(a + size - 8) == load_word<std::uint64_t>(b + size - 8);
    if (!same_end) return false;
    if (size <= 16) return load_word<std::uint64_t>(a) == load_word<std::uint64_t>(b);
    return std::memcmp(a, b, size - 8) == 0;
  }
  if (size >= 4) {
    return load_word<std::uint32_t>(a) == load_word<std::uint32_t>(b) &&
           load_word<std::uint32_t>(a + size - 4) == load_word<std::uint32_t>(b + size - 4);
  }
  for (std::size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

// Whether a whole entry, with the backlen it should have, lies within [entry, end). Reads no byte
// outside that range, whatever the bytes are.
bool is_well_formed(const char* entry, const char* end);

}  // namespace listpack_entry

// A value on its way into a listpack, or looked for in one: encoded once, used as often as needed.
// Holds a view of the text, not a copy.
class EncodedEntry {
 public:
  // From anything that is a text, and implicit on purpose: every operation of a listpack takes "a
  // value". The text must outlive the entry.
  template <typename Text>
  requires std::convertible_to<const Text&, std::string_view> EncodedEntry(
      const Text& value) {  // NOLINT(google-explicit-constructor)
    const std::string_view text = value;
    if (text.size() > kMaxShortString || may_be_integer(text)) {
      encode(text);
      return;
    }
    head_[0] = static_cast<char>(0x80 | text.size());
    head_size_ = 1;
    payload_ = text;
  }
  explicit EncodedEntry(const Element& element);

  static EncodedEntry of_integer(std::int64_t value);

  // Bytes of encoding and payload.
  std::uint32_t encoded_size() const {
    return head_size_ + static_cast<std::uint32_t>(payload_.size());
  }
  // Bytes the entry takes, backlen included.
  std::uint32_t entry_size() const {
    return encoded_size() + listpack_entry::backlen_size(encoded_size());
  }

  // Writes entry_size() bytes.
  void write(char* to) const {
    std::memcpy(to, head_, head_size_);
    if (!payload_.empty()) std::memcpy(to + head_size_, payload_.data(), payload_.size());
    listpack_entry::write_backlen(to + encoded_size(), encoded_size());
  }

  // Whether the entry holds this value. Equal first bytes mean headers of equal length, and equal
  // headers payloads of equal length, so nothing is read beyond the entry.
  bool equals(const char* entry) const {
    if (*entry != head_[0]) return false;
    if (head_size_ > 1 && std::memcmp(entry, head_, head_size_) != 0) return false;
    return listpack_entry::same_text(entry + head_size_, payload_.data(), payload_.size());
  }

  // Whether the text is a view into [begin, end). A pack must not be given bytes of its own.
  bool views_into(const char* begin, const char* end) const {
    return !payload_.empty() && payload_.data() >= begin && payload_.data() < end;
  }

 private:
  static constexpr std::size_t kMaxShortString = 63;

  EncodedEntry() = default;

  // Cheap and mostly right: most texts are too long, or begin with a letter.
  static bool may_be_integer(std::string_view text) {
    if (text.empty() || text.size() > ae::kMaxInt64Chars) return false;
    return text.front() == '-' || (text.front() >= '0' && text.front() <= '9');
  }

  void encode(std::string_view text);
  void encode_string(std::string_view text);
  void encode_integer(std::int64_t value);
  void put_integer(unsigned char encoding, std::uint64_t bits, std::uint8_t bytes);

  char head_[9];  // an integer whole, or the header of a string
  std::uint8_t head_size_ = 0;
  std::string_view payload_;
};

}  // namespace millrace::ds
