#include "server/ds/bitmap.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "ae/base/assert.h"

namespace millrace::ds {
namespace {

constexpr size_t kWordBytes = sizeof(uint64_t);

uint64_t load(const char* from) {
  uint64_t word;
  std::memcpy(&word, from, kWordBytes);
  return word;
}

void store(char* to, uint64_t word) {
  std::memcpy(to, &word, kWordBytes);
}

unsigned char byte_of(std::string_view bytes, uint64_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

// --- counting

using CountWords = uint64_t (*)(const char* at, size_t words);

// Sums of neighbours: of bits in pairs, of pairs in fours, of fours in bytes; the multiplication
// adds the bytes.
uint64_t sum_of_bits(uint64_t word) {
  constexpr uint64_t kPairs = 0x5555555555555555, kFours = 0x3333333333333333,
                     kBytes = 0x0f0f0f0f0f0f0f0f, kOnes = 0x0101010101010101;
  word -= word >> 1 & kPairs;
  word = (word & kFours) + (word >> 2 & kFours);
  return ((word + (word >> 4)) & kBytes) * kOnes >> 56;
}

uint64_t count_words_anywhere(const char* at, size_t words) {
  uint64_t ones = 0;
  for (; words != 0; --words, at += kWordBytes) ones += sum_of_bits(load(at));
  return ones;
}

#if defined(__x86_64__)
// Four sums, since on some processors the instruction waits for its last result.
__attribute__((target("popcnt"))) uint64_t count_words_popcnt(const char* at, size_t words) {
  uint64_t ones[4] = {};
  for (; words >= 4; words -= 4, at += 4 * kWordBytes)
    for (size_t i = 0; i < 4; ++i)
      ones[i] += static_cast<uint64_t>(__builtin_popcountll(load(at + i * kWordBytes)));
  for (; words != 0; --words, at += kWordBytes)
    ones[0] += static_cast<uint64_t>(__builtin_popcountll(load(at)));
  return ones[0] + ones[1] + ones[2] + ones[3];
}
#endif

CountWords fastest_count() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("popcnt")) return count_words_popcnt;
#endif
  return count_words_anywhere;
}

// --- combining

// What is worked on at a time: half of a first-level cache, so that the sources' bytes pass through
// the other half.
constexpr size_t kBlockBytes = 16 << 10;

struct And {
  static constexpr bool kZeroDecides = true;  // with a source that has ended
  static uint64_t of(uint64_t a, uint64_t b) { return a & b; }
};
struct Or {
  static constexpr bool kZeroDecides = false;
  static uint64_t of(uint64_t a, uint64_t b) { return a | b; }
};
struct Xor {
  static constexpr bool kZeroDecides = false;
  static uint64_t of(uint64_t a, uint64_t b) { return a ^ b; }
};

// out[i] = out[i] op from[i]
template <typename Operation>
void merge(char* out, const char* from, size_t length) {
  size_t at = 0;
  for (; at + 4 * kWordBytes <= length; at += 4 * kWordBytes)
    for (size_t i = at; i < at + 4 * kWordBytes; i += kWordBytes)
      store(out + i, Operation::of(load(out + i), load(from + i)));
  for (; at < length; ++at)
    out[at] = static_cast<char>(
        Operation::of(static_cast<unsigned char>(out[at]), static_cast<unsigned char>(from[at])));
}

// The part of a source that is in a block of the result; empty behind its end.
std::string_view part_of(std::string_view source, size_t begin, size_t length) {
  return begin < source.size() ? source.substr(begin, length) : std::string_view();
}

template <typename Operation>
void combine_block(std::span<const std::string_view> sources, size_t begin, char* out,
                   size_t length) {
  const std::string_view first = part_of(sources[0], begin, length);
  if (!first.empty()) std::memcpy(out, first.data(), first.size());
  std::memset(out + first.size(), 0, length - first.size());
  for (const std::string_view source : sources.subspan(1)) {
    const std::string_view part = part_of(source, begin, length);
    merge<Operation>(out, part.data(), part.size());
    if (Operation::kZeroDecides) std::memset(out + part.size(), 0, length - part.size());
  }
}

template <typename Operation>
void combine_all(std::span<const std::string_view> sources, ae::MutableBytes out) {
  for (size_t begin = 0; begin < out.size(); begin += kBlockBytes)
    combine_block<Operation>(sources, begin, out.data() + begin,
                             std::min(kBlockBytes, out.size() - begin));
}

void invert(std::string_view from, char* out) {
  size_t at = 0;
  for (; at + kWordBytes <= from.size(); at += kWordBytes) store(out + at, ~load(&from[at]));
  for (; at < from.size(); ++at) out[at] = static_cast<char>(~from[at]);
}

}  // namespace

uint64_t count_ones(std::string_view bytes) {
  static const CountWords count_words = fastest_count();
  const size_t words = bytes.size() / kWordBytes;
  uint64_t ones = count_words(bytes.data(), words);
  for (size_t at = words * kWordBytes; at < bytes.size(); ++at)
    ones += sum_of_bits(byte_of(bytes, at));
  return ones;
}

uint64_t count_ones(std::string_view bytes, BitRange range) {
  AE_DCHECK(range.end <= bit_length(bytes));
  if (range.begin >= range.end) return 0;
  // All bytes that the range touches, less what sticks out at its edges.
  const uint64_t first = range.begin / 8, last = (range.end - 1) / 8;
  const unsigned before = byte_of(bytes, first) & ~(0xffU >> range.begin % 8);
  const unsigned behind = byte_of(bytes, last) & (0x7fU >> (range.end - 1) % 8);
  return count_ones(bytes.substr(first, last - first + 1)) - sum_of_bits(before) -
         sum_of_bits(behind);
}

std::optional<uint64_t> find_bit(std::string_view bytes, bool bit, BitRange range) {
  AE_DCHECK(range.end <= bit_length(bytes));
  if (range.begin >= range.end) return std::nullopt;
  // Turned over if a 0 is looked for, the first bit that is set is the one.
  const uint64_t turned = bit ? 0 : UINT64_MAX;
  const uint64_t byte_end = (range.end + 7) / 8;
  uint64_t at = range.begin / 8;
  const auto found = [&range](uint64_t offset) {
    return offset < range.end ? std::optional(offset) : std::nullopt;
  };
  // Of the first byte, what is in the range.
  if (const unsigned edge = (byte_of(bytes, at) ^ turned) & (0xffU >> range.begin % 8))
    return found(8 * at + size_t(std::countl_zero(static_cast<unsigned char>(edge))));
  ++at;
  for (; at + kWordBytes <= byte_end; at += kWordBytes)
    if (const uint64_t word = load(&bytes[at]) ^ turned)
      return found(8 * at + size_t(std::countl_zero(__builtin_bswap64(word))));
  for (; at < byte_end; ++at)
    if (const auto byte = static_cast<unsigned char>(byte_of(bytes, at) ^ turned))
      return found(8 * at + size_t(std::countl_zero(byte)));
  return std::nullopt;
}

void combine(BitOperation operation, std::span<const std::string_view> sources,
             ae::MutableBytes out) {
  AE_DCHECK(!sources.empty() && (operation != BitOperation::kNot || sources.size() == 1));
  switch (operation) {
    case BitOperation::kAnd:
      return combine_all<And>(sources, out);
    case BitOperation::kOr:
      return combine_all<Or>(sources, out);
    case BitOperation::kXor:
      return combine_all<Xor>(sources, out);
    case BitOperation::kNot:
      return invert(sources[0], out.data());
  }
}

}  // namespace millrace::ds
