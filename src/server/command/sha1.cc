#include "server/command/sha1.h"

#include <bit>
#include <cstring>

namespace millrace {
namespace {

constexpr size_t kBlockBytes = 64;
constexpr size_t kLengthBytes = 8;

using State = std::array<uint32_t, 5>;

uint32_t load_big_endian(const uint8_t* from) {
  return uint32_t(from[0]) << 24 | uint32_t(from[1]) << 16 | uint32_t(from[2]) << 8 | from[3];
}

void expand(const uint8_t* block, std::array<uint32_t, 80>& words) {
  for (size_t i = 0; i < 16; ++i) words[i] = load_big_endian(block + 4 * i);
  for (size_t i = 16; i < 80; ++i)
    words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
}

// The function and the constant of each quarter of the 80 rounds.
uint32_t mix(size_t round, uint32_t b, uint32_t c, uint32_t d) {
  if (round < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (round < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (round < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

void add_block(State& state, const uint8_t* block) {
  std::array<uint32_t, 80> words;
  expand(block, words);
  auto [a, b, c, d, e] = state;
  for (size_t round = 0; round < words.size(); ++round) {
    const uint32_t next = std::rotl(a, 5) + mix(round, b, c, d) + e + words[round];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d, state[4] + e};
}

// The rest of the bytes, a one bit, zeros, and the length in bits: one block or two.
void add_tail(State& state, std::string_view rest, uint64_t total_bytes) {
  std::array<uint8_t, 2 * kBlockBytes> tail{};
  std::memcpy(tail.data(), rest.data(), rest.size());
  tail[rest.size()] = 0x80;
  const size_t blocks = rest.size() + 1 + kLengthBytes <= kBlockBytes ? 1 : 2;
  const uint64_t bits = total_bytes * 8;
  for (size_t i = 0; i < kLengthBytes; ++i)
    tail[blocks * kBlockBytes - 1 - i] = uint8_t(bits >> (8 * i));
  for (size_t i = 0; i < blocks; ++i) add_block(state, tail.data() + i * kBlockBytes);
}

}  // namespace

Sha1Digest sha1(std::string_view bytes) {
  State state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  std::string_view rest = bytes;
  for (; rest.size() >= kBlockBytes; rest.remove_prefix(kBlockBytes))
    add_block(state, reinterpret_cast<const uint8_t*>(rest.data()));
  add_tail(state, rest, bytes.size());
  Sha1Digest digest;
  for (size_t i = 0; i < digest.size(); ++i)
    digest[i] = uint8_t(state[i / 4] >> (24 - 8 * (i % 4)));
  return digest;
}

std::string hex_of(const Sha1Digest& digest) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (uint8_t byte : digest) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

}  // namespace millrace
