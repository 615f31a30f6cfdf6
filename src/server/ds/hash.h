// Hash of a short byte string that a stranger cannot steer: SipHash-1-3 under a seed drawn at
// start.
//
//   ds::seed_hash(random_128_bits);                 // once, before the first table is filled
//   const uint64_t hash = ds::hash_bytes("user:1"); // the same for the life of the process
//
// Whoever can choose keys (every client can) and can compute their hashes can put a million of them
// into one bucket. SipHash (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF",
// 2012) is keyed, so that without the 128-bit seed collisions cannot be found. The variant with one
// compression and three finalisation rounds is what Rust's and Python's tables and Linux' network
// tables use: the margin against forgery of MACs is given up, that against collisions is not.
//
// Cost: about one nanosecond for each 8 bytes after a fixed seven (see hash_bench in the table's
// bench). All 64 bits are good: a table may take its bits anywhere.
//
// Thread: any, after seed_hash().
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace millrace::ds {

struct HashSeed {
  uint64_t low = 0;
  uint64_t high = 0;
};

namespace hash_detail {

// The process' seed. Constant before seed_hash(), so that a test that seeds nothing is repeatable.
inline constinit HashSeed process_seed{0x6d696c6c72616365, 0x6861736820736565};

static_assert(std::endian::native == std::endian::little, "words are loaded as they lie");

inline uint64_t load_word(const char* from) {
  uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// The last 0 to 7 bytes, zero-extended. Two overlapping loads instead of a loop over bytes.
inline uint64_t load_tail(const char* from, size_t length) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(from);
  if (length >= 4) {
    uint32_t head;
    uint32_t foot;
    std::memcpy(&head, from, sizeof head);
    std::memcpy(&foot, from + length - 4, sizeof foot);
    return head | uint64_t{foot} << (8 * (length - 4));
  }
  if (length == 0) return 0;
  // Lengths 1, 2, 3: first, middle and last byte, which may be the same byte.
  return bytes[0] | uint64_t{bytes[length / 2]} << (8 * (length / 2)) |
         uint64_t{bytes[length - 1]} << (8 * (length - 1));
}

struct SipState {
  uint64_t v0, v1, v2, v3;

  explicit SipState(HashSeed seed)
      : v0(seed.low ^ 0x736f6d6570736575),
        v1(seed.high ^ 0x646f72616e646f6d),
        v2(seed.low ^ 0x6c7967656e657261),
        v3(seed.high ^ 0x7465646279746573) {}

  void round() {
    v0 += v1;
    v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = std::rotl(v1, 17) ^ v2;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 = std::rotl(v2, 32);
  }

  template <int kRounds>
  void absorb(uint64_t word) {
    v3 ^= word;
    for (int i = 0; i < kRounds; ++i) round();
    v0 ^= word;
  }

  template <int kRounds>
  uint64_t finish() {
    v2 ^= 0xff;
    for (int i = 0; i < kRounds; ++i) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

}  // namespace hash_detail

// SipHash-c-d of any bytes under any seed. The published vectors are those of 2-4.
template <int kCompressionRounds, int kFinalRounds>
inline uint64_t sip_hash(std::string_view bytes, HashSeed seed) {
  hash_detail::SipState state(seed);
  const char* at = bytes.data();
  for (size_t words = bytes.size() / 8; words != 0; --words, at += 8) {
    state.absorb<kCompressionRounds>(hash_detail::load_word(at));
  }
  // The standard ends the input with its length, mod 256, in the top byte of the last word.
  const uint64_t last = hash_detail::load_tail(at, bytes.size() % 8) | uint64_t{bytes.size()} << 56;
  state.absorb<kCompressionRounds>(last);
  return state.finish<kFinalRounds>();
}

// The hash all tables of this process use.
inline uint64_t hash_bytes(std::string_view bytes) {
  return sip_hash<1, 3>(bytes, hash_detail::process_seed);
}

// Sets the seed. Call before any table has an element: a table filled under another seed is lost.
inline void seed_hash(HashSeed seed) {
  hash_detail::process_seed = seed;
}

}  // namespace millrace::ds
